# Sets it, in one go with the record of it.

Read-Settings
if ((Open-Vault) -and (Open-Lock)) {
  try { Set-SafeBoot } finally { Close-Lock }
} else {
  Write-Acted 'safeboot_set' 0 0 $false
}
Write-End
