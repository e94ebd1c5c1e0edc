# Reads what the host is in. Changes nothing.

Read-Settings
Read-Boot
Write-System
Write-Listing
Write-Services
Write-Events
Write-Dumps
Write-Facts
Write-Modules
Write-Updates
Read-Mark
Write-End
