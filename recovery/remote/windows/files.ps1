# Reading files, and what services and processes run.

# A setting, or nothing where this script was not given it.
function Get-Given([string]$Name) {
  $found = $Given.PSObject.Properties[$Name]
  if ($null -eq $found) { return '' }
  return [string]$found.Value
}

# The system of recovery media has a Windows folder of its own, in which all looks well.
function Read-Places {
  if (Test-Key 'SYSTEM\CurrentControlSet\Control\MiniNT') { Stop-Here 'recovery_media' }
  $script:Directory = [Environment]::ExpandEnvironmentVariables((Get-Given 'DIRECTORY')).TrimEnd('\')
  $script:Vault = [Environment]::ExpandEnvironmentVariables((Get-Given 'QUARANTINE')).TrimEnd('\')
}

function Test-Anything([string]$Path) {
  return [System.IO.File]::Exists($Path) -or [System.IO.Directory]::Exists($Path)
}

function Open-ToRead([string]$Path) {
  $share = [System.IO.FileShare]'ReadWrite, Delete'
  return New-Object System.IO.FileStream $Path, ([System.IO.FileMode]::Open), ([System.IO.FileAccess]::Read), $share
}

# The digest of a file, or nothing.
function Get-Sha([string]$Path) {
  try {
    $stream = Open-ToRead $Path
    try {
      $sum = (New-Object System.Security.Cryptography.SHA256CryptoServiceProvider).ComputeHash($stream)
      return [BitConverter]::ToString($sum).Replace('-', '').ToLowerInvariant()
    } finally { $stream.Dispose() }
  } catch { return '' }
}

# The first bytes of a file as base64 or hex; raises where they cannot be read.
function Get-Head([string]$Path, [int]$Length) {
  $stream = Open-ToRead $Path
  try {
    $buffer = New-Object byte[] $Length
    $have = 0
    while ($have -lt $Length) {
      $got = $stream.Read($buffer, $have, $Length - $have)
      if ($got -eq 0) { break }
      $have += $got
    }
    $head = New-Object byte[] $have
    [Array]::Copy($buffer, $head, $have)
    return , $head
  } finally { $stream.Dispose() }
}

# Whether services and processes of the profile run. States are enumerations, which are the same in every language.
function Write-Services {
  foreach ($name in ([string]$Given.SERVICES).Split([char]10)) {
    if (-not $name) { continue }
    $filter = "Name='" + $name.Replace('\', '\\').Replace("'", "\'") + "'"
    $found = @(Get-Instances 'Win32_BaseService' $filter '')
    # Where WMI does not answer, nothing is said of the service, least of all that it is missing.
    if (-not $script:Answered) { continue }
    $state = if ($found.Count -eq 1) { [string]$found[0].State } else { 'missing' }
    Write-Service $name ($state -eq 'Running') $state
  }
  $running = @([System.Diagnostics.Process]::GetProcesses() | ForEach-Object { $_.ProcessName })
  foreach ($name in ([string]$Given.PROCESSES).Split([char]10)) {
    if (-not $name) { continue }
    $short = $name -replace '\.exe\z', ''
    Write-Service $name ($running -contains $short) 'process'
  }
}

function Write-Service([string]$Name, [bool]$Running, [string]$Detail) {
  Write-Line ('{"record":"service","name_hex":"' + (Get-Hex $Name) + '","running":' + (Get-Value $Running) +
    ',"detail_hex":"' + (Get-Hex $Detail) + '"}')
}
