# Puts quarantined files back exactly where and as they were.

function Write-Left([string]$Reason, [string]$Path) {
  Write-Refused $Reason $Path
  $script:Left += 1
}

# Where the file of a manifest's line was: directly in the artifact's folder, by the artifact's name, or nothing. A
# strike from recovery media names the drive as it was there, so only the name counts.
function Get-Origin($File) {
  if ($File.ContainsKey('from16')) {
    $from = [System.Text.Encoding]::Unicode.GetString([Convert]::FromBase64String([string]$File['from16']))
  } else {
    $from = [string]$File['from']
  }
  $name = $from.Substring($from.LastIndexOf('\') + 1)
  if (-not $NamePattern.IsMatch($name) -or $name -match '[\\/:*?"<>|]') { return '' }
  $path = $Directory + '\' + $name
  $rest = $path.Substring(2)
  if (-not $from.EndsWith($rest, [System.StringComparison]::OrdinalIgnoreCase)) { return '' }
  return $path
}

# Whether the path is that file already.
function Test-Back([string]$Path, $File) {
  if (-not [System.IO.File]::Exists($Path) -or (Test-Link $Path) -or -not $File.ContainsKey('sha256')) { return $false }
  return (Get-Sha $Path) -eq $File['sha256'] -and [string][System.IO.File]::GetLastWriteTimeUtc($Path).Ticks -eq $File['ticks']
}

# Gives a file back what a move may have taken from it.
function Set-Origin([string]$Path, $File) {
  if (-not $File.ContainsKey('sddl16')) { return }
  $attributes = [System.IO.FileAttributes][int]$File['attributes']
  [System.IO.File]::SetAttributes($Path, [System.IO.FileAttributes]::Normal)
  [System.IO.File]::SetCreationTimeUtc($Path, (New-Object System.DateTime ([long]$File['created']), ([System.DateTimeKind]::Utc)))
  [System.IO.File]::SetLastWriteTimeUtc($Path, (New-Object System.DateTime ([long]$File['ticks']), ([System.DateTimeKind]::Utc)))
  [System.IO.File]::SetAttributes($Path, $attributes)
  $sddl = [System.Text.Encoding]::Unicode.GetString([Convert]::FromBase64String([string]$File['sddl16']))
  if ((Get-Security $Path) -ne $sddl) {
    $security = New-Object System.Security.AccessControl.FileSecurity
    $security.SetSecurityDescriptorSddlForm($sddl)
    Set-Acl -LiteralPath $Path -AclObject $security
  }
}

# Gives files back the attributes that a strike wrote down before it made them plain.
function Set-Struck([string]$Path, $Manifest) {
  $list = $Manifest.Folder + '\attributes'
  if (-not $Manifest.Struck -or -not [System.IO.File]::Exists($list)) { return }
  $name = [System.IO.Path]::GetFileName($Path)
  foreach ($line in [System.IO.File]::ReadAllLines($list)) {
    if (-not $line.TrimEnd().EndsWith("\$name", [System.StringComparison]::OrdinalIgnoreCase)) { continue }
    # Only the first columns: further on there may be the letter of a drive.
    $flags = $line.Substring(0, [Math]::Min(6, $line.Length))
    $attributes = [System.IO.File]::GetAttributes($Path)
    if ($flags.Contains('H')) { $attributes = $attributes -bor [System.IO.FileAttributes]::Hidden }
    if ($flags.Contains('S')) { $attributes = $attributes -bor [System.IO.FileAttributes]::System }
    [System.IO.File]::SetAttributes($Path, $attributes)
    return
  }
}

function Restore-File($File, $Manifest) {
  $held = $Manifest.Folder + '\' + $File['file']
  $path = Get-Origin $File
  if ($path -eq '') { Write-Left 'unsupported' $held; return }
  if (Test-Back $path $File) {
    if ([System.IO.File]::Exists($held)) { [System.IO.File]::Delete($held) }
    $script:Back += 1
    return
  }
  if (-not [System.IO.File]::Exists($held) -or (Test-Link $held)) { Write-Left 'missing' $path; return }
  if (Test-Anything $path) { Write-Left 'exists' $path; return }
  $sha = Get-Sha $held
  $size = (New-Object System.IO.FileInfo $held).Length
  $same = if ($File.ContainsKey('sha256')) { $sha -eq $File['sha256'] } else { [string]$size -eq [string]$File['size'] }
  if (-not $same) { Write-Left 'hash' $path; return }
  # Never over something that is there: Move fails where the path exists.
  try { [System.IO.File]::Move($held, $path) } catch { Write-Left 'held' $path; return }
  try {
    Set-Origin $path $File
    Set-Struck $path $Manifest
  } catch { Write-Left 'permission' $path; return }
  $script:Restored += 1
  Write-Moved $held $path $sha $size
}

# Undoes one manifest, and marks it when nothing of it is left.
function Restore-Manifest($Manifest) {
  $script:Left = 0
  $before = $script:Restored + $script:Back
  foreach ($file in $Manifest.Files) {
    # A strike writes a line before it moves the file: what never moved is where it was.
    $held = $Manifest.Folder + '\' + $file['file']
    if ($Manifest.Struck -and -not [System.IO.File]::Exists($held)) { continue }
    Restore-File $file $Manifest
  }
  if ($script:Left -gt 0) { return }
  Save-Lines ($Manifest.Folder + '\undone') @([string]$Given.TOKEN + ' ' + ($script:Restored + $script:Back - $before))
}

function Restore-All {
  $script:Restored = 0
  $script:Back = 0
  $known = 0
  Read-Manifests
  foreach ($manifest in $script:Manifests) {
    if ($manifest.Undone) {
      $words = [System.IO.File]::ReadAllText($manifest.Folder + '\undone').Trim().Split(' ')
      if ($words.Length -eq 2 -and $words[0] -eq $Given.TOKEN) { $script:Back += [int]$words[1] }
      continue
    }
    $known += 1
    if (-not [System.IO.Directory]::Exists($Directory)) { Write-Refused 'missing' $Directory; continue }
    Restore-Manifest $manifest
  }
  Write-Acted 'undo' $script:Restored $script:Back (($script:Restored + $script:Back + $known) -eq 0)
}

function Invoke-Undo {
  if (Test-Link $Directory) { Write-Refused 'link' $Directory; Write-Acted 'undo' 0 0 $false; return }
  if (-not (Open-ToUndo)) { return }
  try { Restore-All } finally { Close-Lock }
}
