# The machine at large: what of other vendors runs in the kernel, updates, and what it could be helped with.

$MostModules = 300
$MostUpdates = 50

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
  # Windows 11 24H2 has them below Parameters (Microsoft: INF files of file system minifilters).
  if ((Test-Key "$key\Instances") -or (Test-Key "$key\Parameters\Instances")) { $kind = 'minifilter' }
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
  if (-not $script:Answered) { Write-Trouble 'updates' 'Win32_QuickFixEngineering'; return }
  foreach ($update in $found) {
    $number += 1
    if ($number -gt $MostUpdates) { break }
    Write-Line ('{"record":"update","name_hex":"' + (Get-Hex ([string]$update.HotFixID)) + '","title_hex":"' +
      (Get-Hex ([string]$update.Description)) + '","installed_at":' + (Get-Value (Get-InstallTime $update)) + '}')
  }
  Write-Line '{"record":"updates"}'
}

# The class gives the day as text in one fixed form, in every language. PowerShell puts a date of its own over it, which
# raises where there is none, so the text is taken from below.
function Get-InstallTime($Update) {
  $day = [DateTime]::MinValue
  $text = [string]$Update.CimInstanceProperties['InstalledOn'].Value
  $styles = [System.Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
  if ([DateTime]::TryParseExact($text, 'M/d/yyyy', $Invariant, $styles, [ref]$day)) { return Get-Seconds $day }
  return $null
}

# Whether the recovery environment can be started; its own file says so in no language (`reagentc /info` has the
# system's). Nothing where the file is not there or says neither.
function Get-RecoveryEnvironment {
  try {
    $text = [System.IO.File]::ReadAllText([Environment]::SystemDirectory + '\Recovery\ReAgent.xml')
  } catch { return '' }
  if ($text -match '<InstallState\s+state="([01])"') { return Get-Switch $Matches[1] }
  return ''
}

# Whether the recovery environment would look for a remedy in the cloud. The tool prints the settings as XML; a password
# for Wi-Fi may stand in it, so nothing but the one digit is kept. Older systems have no such setting, and say nothing.
function Get-QuickRecovery {
  $code = Invoke-Tool 'reagentc.exe' '/getrecoverysettings'
  $found = $code -ge 0 -and $script:Said -match '<CloudRemediation\s+state="([01])"'
  $script:Said = ''
  if ($found) { return Get-Switch $Matches[1] }
  return ''
}

function Get-Switch([string]$Digit) {
  if ($Digit -eq '1') { return 'on' }
  return 'off'
}

function Write-Readiness {
  $services = @('WinRM', 'sshd' | Where-Object { Test-Key "SYSTEM\CurrentControlSet\Control\SafeBoot\Network\$_" } |
    ForEach-Object { '"' + $_ + '"' })
  $again = Get-Registry 'SYSTEM\CurrentControlSet\Control\CrashControl' 'AutoReboot'
  $restarts = $null
  if ($null -ne $again) { $restarts = $again -eq 1 }
  Write-Line ('{"record":"readiness","safe_mode_services":[' + ($services -join ',') + '],"restarts_after_crash":' +
    (Get-Value $restarts) + ',"quick_recovery":"' + (Get-QuickRecovery) + '","recovery_environment":"' +
    (Get-RecoveryEnvironment) + '"}')
}
