# Moves the bad files of a bad folder away: checked and done here in one go, written down before it is done. Killed at
# any point it leaves a state that the same intent completes and that undo puts back.

# Whether the file is one that triage saw, where it is known what it saw.
function Test-Judged($Entry) {
  if (-not $Given.EXPECT) { return $true }
  $path = Get-Hex $Entry.Path
  $same = $false
  foreach ($word in ([string]$Given.EXPECT).Split(' ')) {
    $parts = $word.Split(':')
    if ($parts[0] -eq $path) { return $parts[1] -eq $Entry.Sha }
    if ($parts[1] -eq $Entry.Sha) { $same = $true }
  }
  return $same
}

function Get-Line([int]$Number, $Entry) {
  $attributes = [int][System.IO.File]::GetAttributes($Entry.Path)
  return '{"file":"' + $Number + '.file","from16":"' + (Get-Base64 $Entry.Path) + '","sha256":"' + $Entry.Sha + '","size":' +
    $Entry.Size + ',"ticks":"' + [System.IO.File]::GetLastWriteTimeUtc($Entry.Path).Ticks + '","created":"' +
    [System.IO.File]::GetCreationTimeUtc($Entry.Path).Ticks + '","attributes":' + $attributes + ',"sddl16":"' +
    (Get-Base64 (Get-Security $Entry.Path)) + '"}'
}

# The lines of an earlier run of the same intent that were carried out. Sets Number to the highest.
function Get-CarriedOut([string]$Folder) {
  $script:Number = 0
  $lines = @()
  $manifest = Read-Manifest $Folder
  if ($null -eq $manifest -or $manifest.Struck) { return $lines }
  foreach ($file in $manifest.Files) {
    $script:Number = [Math]::Max($script:Number, [int]([string]$file['file']).Split('.')[0])
    if ([System.IO.File]::Exists($Folder + '\' + $file['file'])) { $lines += (ConvertTo-Json -Compress -InputObject $file) }
  }
  return $lines
}

function Save-Manifest([string]$Folder, [string[]]$Lines) {
  $all = @('{"manifest":1,"artifact":"' + $Given.ARTIFACT + '"}') + $Lines + @('{"end":' + $Lines.Count + '}')
  Save-Lines ($Folder + '\' + $Given.MANIFEST + '.manifest') $all
}

# Moves one planned file. What was written to between the check and the move goes back as it is.
function Move-Away($Plan) {
  $entry = $Plan.Entry
  try { [System.IO.File]::Move($entry.Path, $Plan.To) } catch { Write-Refused 'held' $entry.Path; return $false }
  if ((Test-Link $Plan.To) -or (Get-Sha $Plan.To) -ne $entry.Sha) {
    try { [System.IO.File]::Move($Plan.To, $entry.Path) } catch { $null = $_ }
    Write-Refused 'changed' $entry.Path
    return $false
  }
  Write-Moved $entry.Path $Plan.To $entry.Sha $entry.Size
  return $true
}

# Whether the rules allow to move anything; says why not.
function Test-MayAct {
  if ($script:TooMany) { Write-Trouble 'too_many_files' $Directory; return $false }
  foreach ($entry in $script:Entries) {
    switch ($entry.State) {
      'link' { Write-Refused 'link' $entry.Path }
      'directory' { Write-Refused 'directory' $entry.Path }
      'foreign' { Write-Refused 'header' $entry.Path }
      'other' { Write-Refused 'unsupported' $entry.Path }
    }
  }
  if ($script:Blind) { Write-Refused 'permission' $Directory; Write-Acted 'quarantine' 0 $script:Held $false; return $false }
  $bad = Get-Count 'bad'
  $good = Get-Count 'good'
  if (($bad + $good + (Get-Count 'old')) -gt 0 -and -not (Test-Clock)) {
    Write-Refused 'clock' ''
    Write-Acted 'quarantine' 0 $script:Held $false
    return $false
  }
  if ($bad -eq 0) { Write-Acted 'quarantine' 0 $script:Held ($script:Held -eq 0); return $false }
  if ($good -gt 0) { Write-Refused 'not_bad' $Directory; Write-Acted 'quarantine' 0 $script:Held $false; return $false }
  return $true
}

function Invoke-Act {
  $folder = $Vault + '\' + $Given.TOKEN
  if (Test-Link $folder) { Write-Refused 'link' $folder; return 0 }
  if ([System.IO.File]::Exists("$folder\undone")) { Write-Refused 'exists' $folder; return 0 }
  if ([System.IO.Path]::GetPathRoot($folder) -ne [System.IO.Path]::GetPathRoot($Directory)) { Write-Refused 'unsupported' $folder; return 0 }
  $plans = @()
  try {
    $null = [System.IO.Directory]::CreateDirectory($folder)
    $lines = @(Get-CarriedOut $folder)
    foreach ($entry in @($script:Entries | Where-Object { $_.State -eq 'bad' })) {
      if (-not (Test-Judged $entry)) { Write-Refused 'changed' $entry.Path; continue }
      $script:Number += 1
      $line = Get-Line $script:Number $entry
      $lines += $line
      $plans += @{ Entry = $entry; To = $folder + '\' + $script:Number + '.file'; Line = $line }
    }
    Save-Manifest $folder $lines
  } catch [System.UnauthorizedAccessException] { Write-Refused 'permission' $folder; return 0 } catch { Write-Refused 'space' $folder; return 0 }
  $moved = 0
  foreach ($plan in $plans) {
    if (Move-Away $plan) { $moved += 1 } else { $lines = @($lines | Where-Object { $_ -ne $plan.Line }) }
  }
  if ($lines.Count -eq 0) {
    [System.IO.File]::Delete($folder + '\' + $Given.MANIFEST + '.manifest')
    [System.IO.Directory]::Delete($folder)
  } elseif ($moved -lt $plans.Count) {
    Save-Manifest $folder $lines
  }
  return $moved
}

function Invoke-Quarantine {
  $script:Held = 0
  if (Test-Link $Directory) { Write-Refused 'link' $Directory; Write-Acted 'quarantine' 0 0 $false; return }
  Read-Folder
  if ($script:Entries.Count -eq 0 -and -not $script:TooMany) {
    Read-Manifests
    $null = Test-MayAct
    return
  }
  if (-not (Open-Vault) -or -not (Open-Lock)) { Write-Acted 'quarantine' 0 0 $false; return }
  try {
    Read-Folder
    Read-Manifests
    if (Test-MayAct) {
      $held = $script:Held
      $moved = Invoke-Act
      Write-Acted 'quarantine' $moved $held $false
    }
  } finally { Close-Lock }
}

Read-Settings
Read-Boot
Invoke-Quarantine
Write-System
Write-Listing
Write-Services
Read-Mark
Write-End
