# Takes back, on the volume.

Read-Settings
Open-Volume
try {
  Invoke-Undo
  Write-Listing
} finally { Close-Volume }
Write-End
