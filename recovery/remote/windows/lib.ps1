param([string]$SettingsJson)
# Shared by every script, for Windows PowerShell 5.1. Names from the disk leave as hex of their UTF-8 bytes, never as
# themselves, and nothing that the system says in its own language is read.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false } catch { $null = $_ }
[System.Threading.Thread]::CurrentThread.CurrentCulture = [System.Globalization.CultureInfo]::InvariantCulture
$Given = ConvertFrom-Json -InputObject $SettingsJson
