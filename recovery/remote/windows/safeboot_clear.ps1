# Clears it, in one go with the record of it.

Read-Settings
if ((Open-Vault) -and (Open-Lock)) {
  try { Clear-SafeBoot } finally { Close-Lock }
} else {
  Write-Acted 'safeboot_clear' 0 0 $false
}
Write-End
