# Takes back what a remedy without files has done. The remedy's part gives Invoke-Back, which makes it as it was.

function Invoke-Undo {
  $script:Held = 0
  $back = 0
  if (-not (Open-ToUndo)) { return }
  try {
    Read-Records
    foreach ($record in @($script:Records | Where-Object { $_.Undone })) {
      $words = [System.IO.File]::ReadAllText($record.Folder + '\undone').Trim().Split(' ')
      if ($words.Length -eq 2 -and $words[0] -eq $Given.TOKEN) { $back += [int]$words[1] }
    }
    if ($null -eq $script:Latest) { Write-Acted 'undo' 0 $back ($back -eq 0); return }
    if (-not (Invoke-Back $script:Latest.Was)) { Write-Acted 'undo' 0 $back $false; return }
    foreach ($record in @($script:Records | Where-Object { -not $_.Undone })) {
      $number = if ($record.Intent -eq $script:Latest.Intent) { 1 } else { 0 }
      Save-Lines ($record.Folder + '\undone') @([string]$Given.TOKEN + " $number")
    }
    Write-Acted 'undo' 1 $back $false
  } finally { Close-Lock }
}
