# The artifact's folder and the manifests of its quarantine, by the same rule as on every platform.

function Read-Settings {
  Read-Places
  $glob = [regex]::Escape([string]$Given.PATTERN).Replace('\*', '.*').Replace('\?', '.')
  $script:NamePattern = New-Object System.Text.RegularExpressions.Regex "\A$glob\z", 'IgnoreCase, Singleline, CultureInvariant'
}

# What one entry of the folder is, by the profile's rule.
function Get-Entry([string]$Path) {
  $entry = @{ Path = $Path; State = 'other'; Size = 0; Mtime = 0; Sha = ''; Header = ''; Blind = $false }
  try {
    $attributes = [System.IO.File]::GetAttributes($Path)
    if (($attributes -band [System.IO.FileAttributes]::ReparsePoint) -ne 0) { $entry.State = 'link'; return $entry }
    if (($attributes -band [System.IO.FileAttributes]::Directory) -ne 0) { $entry.State = 'directory'; return $entry }
    $entry.Size = (New-Object System.IO.FileInfo $Path).Length
    $entry.Mtime = Get-Seconds ([System.IO.File]::GetLastWriteTimeUtc($Path))
    $wanted = [string]$Given.HEADER
    if ($wanted) {
      $head = Get-Head $Path ($wanted.Length / 2)
      $entry.Header = [BitConverter]::ToString($head).Replace('-', '').ToLowerInvariant()
      if ($entry.Header -ne $wanted) { $entry.State = 'foreign'; return $entry }
    }
  } catch {
    $entry.Blind = $true
    return $entry
  }
  $entry.State = Get-State $entry.Mtime
  if ($entry.State -eq 'bad') {
    $entry.Sha = Get-Sha $Path
    $entry.Blind = $entry.Sha -eq ''
  }
  return $entry
}

function Get-State([double]$Mtime) {
  if ($Given.GOOD_FROM -and $Mtime -ge [double]$Given.GOOD_FROM) { return 'good' }
  if ($Given.BAD_FROM -and $Mtime -lt ([double]$Given.BAD_FROM - [double]$Given.MARGIN)) { return 'old' }
  return 'bad'
}

# Reads the entries that have the artifact's name. Sets Blind where not all of it can be seen, TooMany where it ends.
function Read-Folder {
  $script:Entries = @()
  $script:Blind = $false
  $script:TooMany = $false
  if (-not [System.IO.Directory]::Exists($Directory)) { return }
  try { $paths = [System.IO.Directory]::GetFileSystemEntries($Directory) } catch { $script:Blind = $true; return }
  $named = @($paths | Where-Object { $NamePattern.IsMatch([System.IO.Path]::GetFileName($_)) } | Sort-Object)
  if ($named.Count -gt $MostFiles) { $script:TooMany = $true; return }
  $script:Entries = @($named | ForEach-Object { Get-Entry $_ })
  $script:Blind = @($script:Entries | Where-Object { $_.Blind }).Count -gt 0
}

function Get-Count([string]$State) {
  return @($script:Entries | Where-Object { $_.State -eq $State }).Count
}

# Whether the clock is near enough to the controller's for file times to be believed. Two seconds go on the way.
function Test-Clock {
  if (-not ($Given.GOOD_FROM -or $Given.BAD_FROM) -or -not $Given.CONTROLLER_CLOCK) { return $true }
  $off = [Math]::Abs($script:Clock - [double]$Given.CONTROLLER_CLOCK)
  return $off -le [Math]::Max(2.0, [double]$Given.MARGIN)
}

# Lists the files and the folder. Where that cannot be done whole, no folder is claimed, but trouble.
function Write-Listing {
  Read-Folder
  if ($script:TooMany) { Write-Trouble 'too_many_files' $Directory; return }
  foreach ($entry in $script:Entries) {
    Write-Line ('{"record":"file","path_hex":"' + (Get-Hex $entry.Path) + '","state":"' + $entry.State + '","size":' +
      $entry.Size + ',"mtime":' + (Get-Value $entry.Mtime) + ',"sha256":"' + $entry.Sha + '","header":"' + $entry.Header + '"}')
  }
  if ($script:Blind) { Write-Trouble 'permission' $Directory; return }
  Read-Manifests
  $number = 0
  foreach ($manifest in $script:Manifests) {
    $number += 1
    if ($number -gt $MostManifests) { Write-Trouble 'too_many_manifests' $Vault; break }
    Write-Line ('{"record":"manifest","intent":"' + $manifest.Intent + '","files":' + $manifest.Here + ',"undone":' +
      (Get-Value $manifest.Undone) + '}')
  }
  $bad = (Get-Count 'bad') -gt 0 -and (Get-Count 'good') -eq 0
  Write-Line ('{"record":"folder","path_hex":"' + (Get-Hex $Directory) + '","exists":' +
    (Get-Value ([System.IO.Directory]::Exists($Directory))) + ',"bad":' + (Get-Value $bad) + ',"quarantined":' + $script:Held + '}')
}

# A manifest is a line of JSON that says what it is for, one line a file, and a line that counts them. A strike writes
# its lines one by one in UTF-16, without a count; a last line that was cut off is no line.
function Read-Manifest([string]$Folder) {
  $path = $Folder + '\' + $Given.MANIFEST + '.manifest'
  if (-not [System.IO.File]::Exists($path) -or (Test-Link $path) -or (Test-Link $Folder)) { return $null }
  $found = @{ Intent = [System.IO.Path]::GetFileName($Folder); Folder = $Folder; Path = $path; Files = @(); Here = 0; Undone = $false; Struck = $false }
  try {
    $bytes = [System.IO.File]::ReadAllBytes($path)
    if ($bytes.Length -gt 4000000) { return $null }
    $found.Struck = $bytes.Length -gt 1 -and $bytes[1] -eq 0
    $text = if ($found.Struck) { [System.Text.Encoding]::Unicode.GetString($bytes) } else { $Utf8.GetString($bytes) }
    $lines = @($text.Split([char]10) | Where-Object { $_.Trim() } | ForEach-Object { Read-Entry $_ })
  } catch { return $null }
  if ($lines.Count -lt 1 -or $lines[0]['artifact'] -ne $Given.ARTIFACT) { return $null }
  $found.Files = @($lines | Where-Object { $_.ContainsKey('file') })
  $ends = @($lines | Where-Object { $_.ContainsKey('end') })
  if (-not $found.Struck -and ($ends.Count -ne 1 -or $ends[0]['end'] -ne $found.Files.Count)) { return $null }
  foreach ($file in $found.Files) {
    if ([System.IO.File]::Exists($Folder + '\' + $file['file'])) { $found.Here += 1 }
  }
  $found.Undone = [System.IO.File]::Exists($Folder + '\undone')
  return $found
}

# One line of a manifest as a table; an empty one for a line that was cut off.
function Read-Entry([string]$Line) {
  $table = @{}
  try { $parsed = ConvertFrom-Json -InputObject $Line } catch { return $table }
  foreach ($property in $parsed.PSObject.Properties) { $table[$property.Name] = $property.Value }
  if ($table.ContainsKey('file') -and [string]$table['file'] -match '[\\/:]') { return @{} }
  return $table
}

# This artifact's manifests; sets Held to the number of its files in quarantine.
function Read-Manifests {
  $script:Manifests = @()
  $script:Held = 0
  if (-not $Vault -or -not [System.IO.Directory]::Exists($Vault)) { return }
  try { $folders = @([System.IO.Directory]::GetDirectories($Vault) | Sort-Object) } catch { return }
  foreach ($folder in $folders) {
    if ([System.IO.Path]::GetFileName($folder) -notmatch '\A[A-Za-z0-9_-]{1,64}\z') { continue }
    $manifest = Read-Manifest $folder
    if ($null -eq $manifest) { continue }
    $script:Manifests += $manifest
    $script:Held += $manifest.Here
  }
}
