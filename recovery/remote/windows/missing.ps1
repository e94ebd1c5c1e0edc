# A file of the system that is not where it belongs.

function Get-Place {
  return $Directory + '\' + $Given.PATTERN
}

function Test-Good([string]$Sha) {
  return -not $Given.HASHES -or (([string]$Given.HASHES).Split([char]10) -contains $Sha)
}

function Read-Items {
  $place = Get-Place
  if (-not [System.IO.File]::Exists($place)) { Add-Item $place 'missing' '' ''; return }
  $script:Exists = $true
  $sha = Get-Sha $place
  $state = if (Test-Good $sha) { 'good' } else { 'other' }
  Add-Item $place $state '' $sha
}
