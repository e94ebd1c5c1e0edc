# Takes back, on the system that runs.

Read-Settings
Read-Boot
Invoke-Undo
Write-System
Write-Listing
Read-Mark
Write-End
