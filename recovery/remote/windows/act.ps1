# Carries the remedy out on the system that runs.

Read-Settings
Read-Boot
Invoke-Remedy
Write-System
Write-Listing
Write-Services
Read-Mark
Write-End
