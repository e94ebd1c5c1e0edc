# Asks for a restart, at most once in one boot, and only of the boot that was judged.

# A restart that has not begun after ten minutes was lost, and another intent may ask again.
$Patience = 600.0
$SecondsToGo = 3
$ToolSeconds = 10

# Writes the mark down. Fails when one is there: of two requests at once only one gets through.
function Save-Mark {
  if (-not [System.IO.Directory]::Exists($Root)) { New-Kept $Root }
  $bytes = $Utf8.GetBytes([string]$Given.TOKEN)
  $stream = New-Object System.IO.FileStream $script:MarkPath, 'CreateNew', 'Write', 'None'
  try { $stream.Write($bytes, 0, $bytes.Length) } finally { $stream.Dispose() }
}

# Safe Mode that is still set would come back with every start, for ever: it is cleared before a restart. The tool fails
# where nothing is set, which is as well.
function Clear-SafeBoot {
  $null = Invoke-Tool 'bcdedit.exe' '/deletevalue {current} safeboot' $ToolSeconds
}

function Start-Restart {
  # 1115 and 1190: it goes down already, or was told to.
  return @(0, 1115, 1190) -contains (Invoke-Tool 'shutdown.exe' "/r /f /t $SecondsToGo /d p:4:1" $ToolSeconds)
}

function Invoke-Reboot {
  if ($script:BootId -eq '') { Write-Refused 'unsupported' 'PrefetchParameters\BootId'; return }
  if ($Given.EXPECT_BOOT -and $Given.EXPECT_BOOT -ne $script:BootId) { Write-Refused 'changed' ''; return }
  if (Test-Link $Root) { Write-Refused 'link' $Root; return }
  if ([System.IO.Directory]::Exists($Root) -and -not (Test-Ours $Root)) { Write-Refused 'permission' $Root; return }
  if ($script:Mark) {
    $age = ([DateTime]::UtcNow - [System.IO.File]::GetLastWriteTimeUtc($script:MarkPath)).TotalSeconds
    if ($script:Mark -eq $Given.TOKEN -or [Math]::Abs($age) -lt $Patience) { Write-Acted 'reboot' 0 1 $false; return }
    [System.IO.File]::Delete($script:MarkPath)
  }
  try { Save-Mark } catch {
    if ([System.IO.File]::Exists($script:MarkPath)) { Write-Acted 'reboot' 0 1 $false } else { Write-Refused 'permission' $Root }
    return
  }
  # A mark must not stay where nothing was asked for, whatever kept it from being asked.
  $asked = $false
  try {
    if (Test-Key 'SYSTEM\CurrentControlSet\Control\SafeBoot\Option') { Clear-SafeBoot }
    $asked = Start-Restart
  } catch { $asked = $false }
  if (-not $asked) {
    [System.IO.File]::Delete($script:MarkPath)
    Write-Refused 'permission' 'shutdown.exe'
    return
  }
  Write-Acted 'reboot' 1 0 $false
}

Read-Boot
Read-Mark
Invoke-Reboot
Write-End
