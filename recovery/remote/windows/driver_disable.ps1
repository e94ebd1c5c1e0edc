# Keeps the driver from being loaded at the next start. The system vendor's own drivers are left alone: without some of
# them no machine starts.

function Get-Before {
  return [string](Get-Registry (Get-ServiceKey) 'Start')
}

function Set-Start([int]$Value) {
  $key = 'HKEY_LOCAL_MACHINE\' + (Get-ServiceKey)
  [Microsoft.Win32.Registry]::SetValue($key, 'Start', $Value, [Microsoft.Win32.RegistryValueKind]::DWord)
  $opened = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey((Get-ServiceKey))
  $opened.Flush()
  $opened.Close()
}

function Invoke-Do([string]$Before) {
  $vendor = [string][System.Diagnostics.FileVersionInfo]::GetVersionInfo((Get-DriverFile)).CompanyName
  if ($vendor -match '\AMicrosoft\b') { Write-Refused 'needed' (Get-DriverFile); return $false }
  try { Set-Start 4 } catch { Write-Refused 'permission' (Get-ServiceKey); return $false }
  Write-Line '{"record":"note","what":"restart","detail_hex":""}'
  return $true
}

function Invoke-Back([string]$Was) {
  if ($Was -notmatch '\A[0-4]\z') { Write-Refused 'unsupported' (Get-ServiceKey); return $false }
  try { Set-Start ([int]$Was) } catch { Write-Refused 'permission' (Get-ServiceKey); return $false }
  return $true
}
