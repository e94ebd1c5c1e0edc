# Where quarantined files are kept, and the lock that keeps two acts on one host apart. Only the system and
# administrators may go in: what lies there can be put back into a protected folder.

$LockTries = 4

# Makes the quarantine folder if need be, and refuses one that is not ours alone.
function Open-Vault {
  $above = [System.IO.Path]::GetDirectoryName($Vault)
  if ((Test-Link $Vault) -or (Test-Link $above)) { Write-Refused 'link' $Vault; return $false }
  try {
    if (-not [System.IO.Directory]::Exists($above)) { New-Kept $above }
    if (-not [System.IO.Directory]::Exists($Vault)) { New-Kept $Vault }
    $ours = (Test-Ours $above) -and (Test-Ours $Vault)
  } catch { $ours = $false }
  if (-not $ours) { Write-Refused 'permission' $Vault }
  return $ours
}

# Takes the lock; the system takes it back when this process ends, however it ends.
function Open-Lock {
  for ($try = 0; $try -lt $LockTries; $try++) {
    try {
      $options = [System.IO.FileOptions]::DeleteOnClose
      $script:Lock = New-Object System.IO.FileStream "$Vault\.lock", 'OpenOrCreate', 'ReadWrite', 'None', 1, $options
      return $true
    } catch { Start-Sleep -Milliseconds 500 }
  }
  Write-Refused 'busy' $Vault
  return $false
}

# Whether something can be taken back: says why not, and has the lock where it can.
function Open-ToUndo {
  if (Test-Link $Vault) { Write-Refused 'link' $Vault; Write-Acted 'undo' 0 0 $false; return $false }
  if (-not [System.IO.Directory]::Exists($Vault)) { Write-Acted 'undo' 0 0 $true; return $false }
  if (-not (Open-Vault) -or -not (Open-Lock)) { Write-Acted 'undo' 0 0 $false; return $false }
  return $true
}

function Close-Lock {
  $script:Lock.Dispose()
}

# Writes lines to a new file and brings them to the disk before the old one is replaced.
function Save-Lines([string]$Path, [string[]]$Lines) {
  $bytes = $Utf8.GetBytes(($Lines -join "`n") + "`n")
  $stream = New-Object System.IO.FileStream "$Path.new", 'Create', 'Write', 'None', 4096, ([System.IO.FileOptions]::WriteThrough)
  try {
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush($true)
  } finally { $stream.Dispose() }
  if ([System.IO.File]::Exists($Path)) {
    [System.IO.File]::Replace("$Path.new", $Path, [NullString]::Value)
  } else {
    [System.IO.File]::Move("$Path.new", $Path)
  }
}

# A path as base64 of UTF-16, which holds every name that a Windows disk can hold.
function Get-Base64([string]$Text) {
  return [Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($Text))
}

function Get-Security([string]$Path) {
  $security = Get-Acl -LiteralPath $Path
  return $security.GetSecurityDescriptorSddlForm([System.Security.AccessControl.AccessControlSections]'Access, Owner, Group')
}
