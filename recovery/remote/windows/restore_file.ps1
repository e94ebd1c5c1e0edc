# Puts a good copy of a missing file in its place, from a folder of the host itself.

# The first good copy, or nothing.
function Get-Copy {
  foreach ($folder in ([string]$Given.COPIES).Split([char]10)) {
    if (-not $folder) { continue }
    $path = [Environment]::ExpandEnvironmentVariables($folder).TrimEnd('\') + '\' + $Given.PATTERN
    if (-not [System.IO.File]::Exists($path) -or (Test-Link $path)) { continue }
    if (Test-Good (Get-Sha $path)) { return $path }
  }
  return ''
}

# The record keeps the digest of what comes in the file's place.
function Get-Before {
  $copy = Get-Copy
  if ($copy -eq '') { return '' }
  return Get-Sha $copy
}

function Invoke-Do([string]$Before) {
  $place = Get-Place
  $copy = Get-Copy
  if ($copy -eq '') { Write-Refused 'unavailable' $place; return $false }
  if (-not [System.IO.Directory]::Exists($Directory)) { Write-Refused 'missing' $Directory; return $false }
  $aside = "$Directory\.fleet-recovery-copy"
  try {
    [System.IO.File]::Copy($copy, $aside, $true)
    if ((Get-Sha $aside) -ne $Before) { [System.IO.File]::Delete($aside); Write-Refused 'hash' $copy; return $false }
    # Never over something that has come there since: Move fails where the path exists.
    [System.IO.File]::Move($aside, $place)
  } catch { Write-Refused 'permission' $place; return $false }
  return $true
}

# Takes away only the very file that was put there.
function Invoke-Back([string]$Was) {
  $place = Get-Place
  if (-not (Test-Anything $place)) { return $true }
  if ((Test-Link $place) -or (Get-Sha $place) -ne $Was) { Write-Refused 'changed' $place; return $false }
  try { [System.IO.File]::Move($place, $script:Latest.Folder + '\1.file') } catch { Write-Refused 'permission' $place; return $false }
  return $true
}
