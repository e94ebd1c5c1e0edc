# Reads what could take the host down, and what it could be helped with. Changes nothing.

Read-Boot
Write-System
Write-Services
Write-Facts
Write-Modules
Write-Updates
Write-Readiness
Write-End
