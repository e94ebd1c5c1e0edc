# What state the running system is in: Safe Mode, BitLocker (ids of protectors, never keys), free space, and whether it
# waits for a restart.

function Write-Facts {
  $mode = switch (Get-Registry 'SYSTEM\CurrentControlSet\Control\SafeBoot\Option' 'OptionValue') {
    1 { 'minimal' }
    2 { 'network' }
    3 { 'dsrepair' }
    default { '' }
  }
  $waits = (Test-Key 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') -or
    (Test-Key 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired') -or
    $null -ne (Get-Registry 'SYSTEM\CurrentControlSet\Control\Session Manager' 'PendingFileRenameOperations')
  $free = $null
  try {
    $root = [System.IO.Path]::GetPathRoot([Environment]::GetEnvironmentVariable('SystemRoot'))
    $free = (New-Object System.IO.DriveInfo $root).AvailableFreeSpace
  } catch { $null = $_ }
  Write-Volumes
  Write-Line ('{"record":"facts","safe_mode":"' + $mode + '","pending_reboot":' + (Get-Value $waits) + ',"free_bytes":' +
    (Get-Value $free) + '}')
}

function Write-Volumes {
  $volumes = @(Get-Instances 'Win32_EncryptableVolume' '' 'root/CIMV2/Security/MicrosoftVolumeEncryption')
  if (-not $script:Answered) { Write-Trouble 'volumes' 'Win32_EncryptableVolume'; return }
  foreach ($volume in $volumes) {
    $status = switch ([string]$volume.ProtectionStatus) {
      '0' { 'off' }
      '1' { 'on' }
      '2' { 'locked' }
      default { 'unknown' }
    }
    $ids = @()
    try {
      # Type 3 is the numerical password, whose id the recovery screen shows. Only ids are asked for.
      $asked = Invoke-CimMethod -InputObject $volume -OperationTimeoutSec $MostSeconds -MethodName GetKeyProtectors -Arguments @{ KeyProtectorType = [uint32]3 }
      $ids = @($asked.VolumeKeyProtectorID | Where-Object { $_ -match '\A\{[0-9A-Fa-f-]{36}\}\z' } |
        ForEach-Object { '"' + $_.Trim('{', '}').ToUpperInvariant() + '"' })
    } catch { $null = $_ }
    Write-Line ('{"record":"volume","drive_hex":"' + (Get-Hex ([string]$volume.DriveLetter)) + '","status":"' + $status +
      '","protectors":[' + ($ids -join ',') + ']}')
  }
}
