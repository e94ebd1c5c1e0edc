# Carries the remedy out on the volume. Nothing is said of the boots of the machine that does it.

Read-Settings
Open-Volume
try {
  Invoke-Remedy
  Write-Listing
} finally { Close-Volume }
Write-End
