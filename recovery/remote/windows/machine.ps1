# The state of the machine at large: Safe Mode, BitLocker (ids of protectors, never keys), what of other vendors runs
# in the kernel, and updates.

$MostModules = 300
$MostUpdates = 50

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
  foreach ($volume in (Get-Instances 'Win32_EncryptableVolume' '' 'root/CIMV2/Security/MicrosoftVolumeEncryption')) {
    $status = switch ([string]$volume.ProtectionStatus) {
      '0' { 'off' }
      '1' { 'on' }
      '2' { 'locked' }
      default { 'unknown' }
    }
    $ids = @()
    try {
      # Type 3 is the numerical password, whose id the recovery screen shows. Only ids are asked for.
      $asked = Invoke-CimMethod -InputObject $volume -MethodName GetKeyProtectors -Arguments @{ KeyProtectorType = [uint32]3 }
      $ids = @($asked.VolumeKeyProtectorID | Where-Object { $_ -match '\A\{[0-9A-Fa-f-]{36}\}\z' } |
        ForEach-Object { '"' + $_.Trim('{', '}').ToUpperInvariant() + '"' })
    } catch { $null = $_ }
    Write-Line ('{"record":"volume","drive_hex":"' + (Get-Hex ([string]$volume.DriveLetter)) + '","status":"' + $status +
      '","protectors":[' + ($ids -join ',') + ']}')
  }
}

# Where the registry's path of a driver's file leads to.
function Get-DriverPath([string]$Path) {
  $windows = [Environment]::GetEnvironmentVariable('SystemRoot')
  $plain = $Path -replace '\A\\\?\?\\', ''
  $plain = $plain -replace '\A\\SystemRoot\\', "$windows\"
  if ($plain -match '\A[Ss]ystem32\\') { $plain = "$windows\$plain" }
  return $plain
}

function Write-Modules {
  $drivers = @(Get-Instances 'Win32_SystemDriver' '' '')
  if ($drivers.Count -eq 0) { Write-Trouble 'drivers' 'Win32_SystemDriver'; return }
  $number = 0
  foreach ($driver in $drivers) {
    $path = Get-DriverPath ([string]$driver.PathName)
    $vendor = ''
    $version = ''
    try {
      $info = [System.Diagnostics.FileVersionInfo]::GetVersionInfo($path)
      $vendor = [string]$info.CompanyName
      $version = [string]$info.FileVersion
    } catch { $null = $_ }
    if ($vendor -match '\AMicrosoft\b' -and $driver.Name -notmatch '\A(Wd|mssec)') { continue }
    $number += 1
    if ($number -gt $MostModules) { break }
    Write-Module $driver $path $vendor $version
  }
  Write-Line ('{"record":"modules","truncated":' + (Get-Value ($number -gt $MostModules)) + '}')
}

function Write-Module($Driver, [string]$Path, [string]$Vendor, [string]$Version) {
  $key = 'SYSTEM\CurrentControlSet\Services\' + $Driver.Name
  $kind = 'driver'
  if (Test-Key "$key\Instances") { $kind = 'minifilter' }
  if ((Get-Registry $key 'Group') -eq 'Early-Launch') { $kind = 'elam' }
  $start = switch (Get-Registry $key 'Start') {
    0 { 'boot' }
    1 { 'system' }
    2 { 'auto' }
    3 { 'demand' }
    4 { 'disabled' }
    default { '' }
  }
  Write-Line ('{"record":"module","name_hex":"' + (Get-Hex $Driver.Name) + '","kind":"' + $kind + '","mode":"kernel","path_hex":"' +
    (Get-Hex $Path) + '","vendor_hex":"' + (Get-Hex $Vendor) + '","version_hex":"' + (Get-Hex $Version) + '","running":' +
    (Get-Value ([string]$Driver.State -eq 'Running')) + ',"start":"' + $start + '"}')
}

function Write-Updates {
  $number = 0
  $found = @(Get-Instances 'Win32_QuickFixEngineering' '' '' | Sort-Object -Descending -Property { Get-InstallTime $_ })
  foreach ($update in $found) {
    $number += 1
    if ($number -gt $MostUpdates) { break }
    Write-Line ('{"record":"update","name_hex":"' + (Get-Hex ([string]$update.HotFixID)) + '","title_hex":"' +
      (Get-Hex ([string]$update.Description)) + '","installed_at":' + (Get-Value (Get-InstallTime $update)) + '}')
  }
  Write-Line '{"record":"updates"}'
}

# The class gives the day as text in one fixed form, in every language.
function Get-InstallTime($Update) {
  $day = [DateTime]::MinValue
  $styles = [System.Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
  if ([DateTime]::TryParseExact([string]$Update.InstalledOn, 'M/d/yyyy', $Invariant, $styles, [ref]$day)) { return Get-Seconds $day }
  return $null
}

function Write-Readiness {
  $services = @('WinRM', 'sshd' | Where-Object { Test-Key "SYSTEM\CurrentControlSet\Control\SafeBoot\Network\$_" } |
    ForEach-Object { '"' + $_ + '"' })
  $again = Get-Registry 'SYSTEM\CurrentControlSet\Control\CrashControl' 'AutoReboot'
  $restarts = $null
  if ($null -ne $again) { $restarts = $again -eq 1 }
  Write-Line ('{"record":"readiness","safe_mode_services":[' + ($services -join ',') + '],"restarts_after_crash":' +
    (Get-Value $restarts) + '}')
}
