# Carries out a remedy that moves no files: looked at anew and done here in one go, written down before it is done. A
# part for each remedy gives Get-Before, what there is, and Invoke-Do, which says why it did not.

function Write-NotDone([string]$Reason, [string]$Path) {
  Write-Refused $Reason $Path
  Write-Acted $Given.REMEDY 0 $script:Held $false
}

function Invoke-Act {
  $folder = $Vault + '\' + $Given.TOKEN
  if (Test-Link $folder) { Write-NotDone 'link' $folder; return }
  if ([System.IO.File]::Exists("$folder\undone")) { Write-NotDone 'exists' $folder; return }
  $before = [string](Get-Before)
  try {
    $null = [System.IO.Directory]::CreateDirectory($folder)
    Save-Lines "$folder\record" @("fleet-recovery 1 $($Given.ARTIFACT)", (Get-Base64 $before), 'end')
  } catch { Write-NotDone 'space' $folder; return }
  $done = Invoke-Do $before
  Read-All
  if ($done -and -not $script:Blind -and $script:Bad -eq 0) {
    Save-Lines "$folder\done" @([string]$Given.TOKEN)
    Write-Acted $Given.REMEDY 1 $script:Held $false
    return
  }
  if ($done) { Write-Refused 'tool' $Given.REMEDY }
  if ([string](Get-Before) -eq $before) {
    [System.IO.File]::Delete("$folder\record")
    [System.IO.Directory]::Delete($folder)
  }
  Write-Acted $Given.REMEDY 0 $script:Held $false
}

function Invoke-Remedy {
  Read-All
  Read-Records
  if ($script:Blind) { Write-NotDone 'permission' $script:Blind; return }
  if ($script:Bad -eq 0) { Write-Acted $Given.REMEDY 0 $script:Held ($script:Held -eq 0); return }
  if (-not (Open-Vault) -or -not (Open-Lock)) { Write-Acted $Given.REMEDY 0 $script:Held $false; return }
  try {
    Read-All
    if ($script:Bad -gt 0 -and -not $script:Blind) { Invoke-Act } else { Write-Acted $Given.REMEDY 0 $script:Held $false }
  } finally { Close-Lock }
}
