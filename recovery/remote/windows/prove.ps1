# Reads what a proof rests on. Changes nothing.

Read-Settings
Read-Boot
Write-System
Write-Listing
Write-Services
Write-Events
Write-Dumps
Write-Facts
Read-Mark
Write-End
