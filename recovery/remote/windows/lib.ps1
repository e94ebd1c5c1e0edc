param([string]$SettingsJson)
# Shared by every script, for Windows PowerShell 5.1. Names from the disk leave as hex of their UTF-8 bytes, never as
# themselves, and nothing that the system says in its own language is read. Answers are written as bytes, past any
# code page of a console.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# Where an application control policy holds PowerShell to its constrained language, nothing below can run: said with
# the little that can.
if ([string]$ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
  $held = ConvertFrom-Json -InputObject $SettingsJson
  ''
  '{"record":"trouble","reason":"constrained_language","detail_hex":""}'
  '{"record":"end","token":"' + $held.TOKEN + '","exit":1}'
  exit 1
}
$Invariant = [System.Globalization.CultureInfo]::InvariantCulture
[System.Threading.Thread]::CurrentThread.CurrentCulture = $Invariant
$Given = ConvertFrom-Json -InputObject $SettingsJson
$Utf8 = New-Object System.Text.UTF8Encoding $false
$Epoch = New-Object System.DateTime 1970, 1, 1, 0, 0, 0, ([System.DateTimeKind]::Utc)
$Answer = [Console]::OpenStandardOutput()
$MostFiles = 500
$MostManifests = 200
$MostSeconds = 30
$Trusted = @('S-1-5-18', 'S-1-5-32-544')
$Installer = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'

function Write-Line([string]$Text) {
  $bytes = $Utf8.GetBytes($Text + "`n")
  $Answer.Write($bytes, 0, $bytes.Length)
}

function Get-Hex([string]$Text) {
  return [BitConverter]::ToString($Utf8.GetBytes($Text)).Replace('-', '').ToLowerInvariant()
}

# The JSON value of a number, a truth or nothing; texts go through Get-Hex and stand between quotes already.
function Get-Value($Value) {
  if ($null -eq $Value) { return 'null' }
  if ($Value -is [bool]) { return $Value.ToString().ToLowerInvariant() }
  return ([System.IFormattable]$Value).ToString('0.###', $Invariant)
}

function Get-Seconds([DateTime]$Time) {
  return [Math]::Floor(($Time.ToUniversalTime() - $Epoch).TotalSeconds)
}

function Write-Trouble([string]$Reason, [string]$Detail) {
  Write-Line ('{"record":"trouble","reason":"' + $Reason + '","detail_hex":"' + (Get-Hex $Detail) + '"}')
}

function Write-Refused([string]$Reason, [string]$Path) {
  Write-Line ('{"record":"refused","reason":"' + $Reason + '","path_hex":"' + (Get-Hex $Path) + '"}')
}

function Write-Acted([string]$Action, [int]$Files, [int]$Already, [bool]$Nothing) {
  Write-Line ('{"record":"acted","action":"' + $Action + '","files":' + $Files + ',"already":' + $Already +
    ',"nothing":' + (Get-Value $Nothing) + '}')
}

function Write-Moved([string]$From, [string]$To, [string]$Sha, [long]$Size) {
  Write-Line ('{"record":"moved","from_hex":"' + (Get-Hex $From) + '","to_hex":"' + (Get-Hex $To) +
    '","sha256":"' + $Sha + '","size":' + $Size + '}')
}

function Write-End([int]$Code = 0) {
  Write-Line ('{"record":"end","token":"' + $Given.TOKEN + '","exit":' + $Code + '}')
  $Answer.Flush()
}

# What nobody expected is said, in an answer that has its end.
trap {
  Write-Trouble 'script_failed' ([string]$_.Exception.Message)
  Write-End 1
  exit 1
}

# Ends with the reason why nothing can be said here.
function Stop-Here([string]$Reason) {
  Write-Trouble $Reason ''
  Write-End 1
  exit 1
}

# A 32-bit process on 64-bit Windows is shown another System32 and another registry: all would look well there.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) { Stop-Here 'not_64_bit' }

function Test-Link([string]$Path) {
  try {
    $attributes = [System.IO.File]::GetAttributes($Path)
    return ($attributes -band [System.IO.FileAttributes]::ReparsePoint) -ne 0
  } catch { return $false }
}

# Makes a folder that only the system and administrators may go into.
function New-Kept([string]$Path) {
  $null = [System.IO.Directory]::CreateDirectory($Path)
  $security = New-Object System.Security.AccessControl.DirectorySecurity
  $security.SetAccessRuleProtection($true, $false)
  foreach ($sid in $Trusted) {
    $who = New-Object System.Security.Principal.SecurityIdentifier $sid
    $rule = New-Object System.Security.AccessControl.FileSystemAccessRule $who, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow'
    $security.AddAccessRule($rule)
  }
  $security.SetOwner((New-Object System.Security.Principal.SecurityIdentifier 'S-1-5-32-544'))
  Set-Acl -LiteralPath $Path -AclObject $security
}

# Whether the folder is one that nobody but the system and administrators has made. Everybody may make folders in
# ProgramData, and whoever owns one can put another in its place. Raises where the owner cannot be read.
function Test-Ours([string]$Path) {
  $owner = (Get-Acl -LiteralPath $Path).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
  return ($Trusted + $Installer) -contains $owner
}

# What HKEY_LOCAL_MACHINE holds there, or nothing.
function Get-Registry([string]$Key, [string]$Name) {
  try { return [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$Key", $Name, $null) } catch { return $null }
}

function Test-Key([string]$Key) {
  try {
    $opened = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($Key)
    if ($null -eq $opened) { return $false }
    $opened.Close()
    return $true
  } catch { return $false }
}

# Whether WMI has no such namespace or class. The codes are an enumeration, in no language.
function Test-Unknown($Problem) {
  if ($Problem -isnot [Microsoft.Management.Infrastructure.CimException]) { return $false }
  return @('InvalidNamespace', 'InvalidClass') -contains [string]$Problem.NativeErrorCode
}

# Instances of a CIM class, or nothing where the system does not answer, or not in time. Sets Answered to whether it did.
# Where WMI itself is broken it is asked once: it may not fail, but hang.
$script:Gone = $false
function Get-Instances([string]$Class, [string]$Filter, [string]$Space) {
  $with = @{ ClassName = $Class; ErrorAction = 'Stop'; OperationTimeoutSec = $MostSeconds }
  if ($Filter) { $with['Filter'] = $Filter }
  if ($Space) { $with['Namespace'] = $Space }
  $script:Answered = -not $script:Gone
  if ($script:Gone) { return }
  try { return @(Get-CimInstance @with) } catch {
    # Where WMI answers otherwise, names that it does not know are of a product that is not there.
    if ($Space -and (Test-Unknown $_.Exception)) { return }
    $script:Answered = $false
    if (-not $Space) { $script:Gone = $true }
  }
}

# The exit code of a tool of the running system: -1 where it does not end in time, -2 where it cannot be started. Sets
# Said to what it printed, which is in the system's language; both outputs are read, or it would stop where one is full.
function Invoke-Tool([string]$Tool, [string]$Words, [int]$Seconds = $MostSeconds) {
  $script:Said = ''
  $start = New-Object System.Diagnostics.ProcessStartInfo
  $start.FileName = if ($Tool.Contains('\')) { $Tool } else { [Environment]::SystemDirectory + '\' + $Tool }
  $start.Arguments = $Words
  $start.UseShellExecute = $false
  $start.CreateNoWindow = $true
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  try {
    $process = [System.Diagnostics.Process]::Start($start)
    $printed = $process.StandardOutput.ReadToEndAsync()
    $null = $process.StandardError.ReadToEndAsync()
    if (-not $process.WaitForExit(1000 * $Seconds)) { return -1 }
    # The tool may print in two bytes a letter.
    if ($printed.Wait(1000)) { $script:Said = $printed.Result.Replace([string][char]0, '') }
    return $process.ExitCode
  } catch { return -2 }
}

# When the System process was made, in whole seconds, or nothing. Where the process does not tell it, WMI does: both
# read it from the same place of the kernel, and whole seconds are what they have in common.
function Get-Start {
  try { return Get-Seconds ([System.Diagnostics.Process]::GetProcessById(4).StartTime) } catch { $null = $_ }
  $first = @(Get-Instances 'Win32_Process' 'ProcessId=4' '')
  if ($first.Count -eq 1 -and $null -ne $first[0].CreationDate) { return Get-Seconds $first[0].CreationDate }
  return $null
}

# Which boot this is. The counter in PrefetchParameters rises with every boot, and the time at which the System
# process was made is written once: unlike LastBootUpTime neither moves when the clock is set. A boot that crashed
# before the registry reached the disk leaves the counter as it was, so the two stand together. Where one cannot be
# read there is no identity rather than half of one, which would look like another boot.
function Read-Boot {
  $script:BootId = ''
  $script:BootTime = $null
  $script:Uptime = $null
  $script:Clock = Get-Seconds ([DateTime]::UtcNow)
  $key = 'SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters'
  $count = Get-Registry $key 'BootId'
  $start = Get-Start
  if ($null -ne $count -and $null -ne $start) { $script:BootId = [string]$count + '-' + (Get-Value $start) }
  $system = @(Get-Instances 'Win32_OperatingSystem' '' '')
  $script:Release = 'Windows ' + [Environment]::OSVersion.Version.ToString(3)
  if ($system.Count -ne 1) {
    $script:BootTime = $start
    if ($null -ne $start) { $script:Uptime = [Math]::Max(0.0, $script:Clock - $start) }
  } else {
    $script:Release = 'Windows ' + [string]$system[0].Version
    $script:BootTime = Get-Seconds $system[0].LastBootUpTime
    $script:Uptime = [Math]::Max(0.0, (
      $system[0].LocalDateTime.ToUniversalTime() - $system[0].LastBootUpTime.ToUniversalTime()).TotalSeconds)
  }
  # The line end first: a login may have left a line open.
  Write-Line ("`n" + '{"record":"boot","boot_id":"' + $script:BootId + '","boot_time":' + (Get-Value $script:BootTime) +
    ',"uptime":' + (Get-Value $script:Uptime) + ',"clock":' + (Get-Value $script:Clock) + '}')
}

function Write-System {
  Write-Line ('{"record":"system","os":"windows","release_hex":"' + (Get-Hex $script:Release) + '","hostname_hex":"' +
    (Get-Hex ([Environment]::MachineName)) + '"}')
}

$Root = [Environment]::GetEnvironmentVariable('ProgramData') + '\FleetRecovery'

# The restart that was asked for in this boot, or nothing. The mark's name holds the boot, so another boot voids it.
function Read-Mark {
  $script:Mark = ''
  $script:MarkPath = ''
  if ($script:BootId -eq '') { return }
  $script:MarkPath = $Root + '\restart-' + $script:BootId
  try { $text = [System.IO.File]::ReadAllText($script:MarkPath, $Utf8).Trim() } catch { return }
  if ($text -match '\A[A-Za-z0-9_-]{1,64}\z') {
    $script:Mark = $text
    Write-Line ('{"record":"reboot_mark","intent":"' + $text + '"}')
  }
}
