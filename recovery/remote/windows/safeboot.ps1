# Safe Mode for the volume's Windows, in the boot settings of this machine, or in the file STORE of a disk at a helper
# machine. What was set before is not read, since the tool tells it in words: taken back is always cleared.

$SafeBoot = 'fleet-recovery 1 safeboot'

# Domain controllers have a mode of their own, in which the directory does not start.
function Get-Mode {
  Open-Hive
  try {
    $directory = Get-Registry ((Get-ControlSet) + '\Services\NTDS\Parameters') 'DSA Database file'
  } finally { Close-Hive }
  if ($null -ne $directory) { return 'dsrepair' }
  return 'network'
}

function Invoke-Bcd([string]$Words) {
  $store = Get-Given 'STORE'
  if ($store -eq '') { return Invoke-Tool 'bcdedit.exe' $Words }
  if ($store -notmatch '\A[A-Za-z]:\\[A-Za-z0-9 ._\\-]+\z') { Stop-Here 'not_a_store' }
  return Invoke-Tool 'bcdedit.exe' "/store `"$store`" $Words"
}

function Set-SafeBoot {
  $folder = $Vault + '\' + $Given.TOKEN
  if ((Test-Link $folder) -or [System.IO.File]::Exists("$folder\undone")) { Write-Refused 'exists' $folder; Write-Acted 'safeboot_set' 0 0 $false; return }
  $mode = Get-Mode
  $null = [System.IO.Directory]::CreateDirectory($folder)
  Save-Lines "$folder\record" @($SafeBoot, (Get-Base64 ''), 'end')
  if ((Invoke-Bcd "/set {default} safeboot $mode") -ne 0) {
    [System.IO.File]::Delete("$folder\record")
    [System.IO.Directory]::Delete($folder)
    Write-Refused 'tool' 'bcdedit.exe'
    Write-Acted 'safeboot_set' 0 0 $false
    return
  }
  Save-Lines "$folder\done" @([string]$Given.TOKEN)
  Write-Line '{"record":"note","what":"restart","detail_hex":""}'
  Write-Acted 'safeboot_set' 1 0 $false
}

# The tool fails where nothing is set, as it does where it cannot read: which it is tells whether it can list.
function Clear-SafeBoot {
  $cleared = (Invoke-Bcd '/deletevalue {default} safeboot') -eq 0
  if (-not $cleared -and (Invoke-Bcd '/enum {default}') -ne 0) {
    Write-Refused 'tool' 'bcdedit.exe'
    Write-Acted 'safeboot_clear' 0 0 $false
    return
  }
  foreach ($folder in @([System.IO.Directory]::GetDirectories($Vault))) {
    $path = "$folder\record"
    if ((Test-Link $folder) -or -not [System.IO.File]::Exists($path) -or [System.IO.File]::Exists("$folder\undone")) { continue }
    if ([System.IO.File]::ReadAllText($path, $Utf8).Split([char]10)[0] -eq $SafeBoot) {
      Save-Lines "$folder\undone" @([string]$Given.TOKEN + ' 1')
    }
  }
  Write-Acted 'safeboot_clear' ([int]$cleared) ([int](-not $cleared)) $false
}
