# A Windows that does not run, on the volume VOLUME: a disk at a helper machine, or the machine's own below recovery
# media with PowerShell. What is done is written down on that volume, in the form that its own system reads. Functions
# here and in the parts behind it stand in for those of the same names.

$HiveTries = 20

function Read-Settings {
  $script:Volume = (Get-Given 'VOLUME').ToUpperInvariant()
  $script:Hive = ''
  $script:Directory = ''
  if ($Volume -notmatch '\A[A-Z]:\z') { Stop-Here 'not_a_volume' }
  if ($Volume -eq [Environment]::GetEnvironmentVariable('SystemDrive')) { Stop-Here 'volume_of_the_running_system' }
  if (-not [System.IO.File]::Exists("$Volume\Windows\System32\config\SYSTEM")) { Stop-Here 'no_windows_installation_found' }
  $vault = [Environment]::ExpandEnvironmentVariables((Get-Given 'QUARANTINE')).TrimEnd('\')
  if ($vault -notmatch '\A[A-Za-z]:\\.') { Stop-Here 'no_quarantine' }
  $script:Vault = $Volume + $vault.Substring(2)
  Write-Line ('{"record":"installation","path_hex":"' + (Get-Hex "$Volume\Windows") + '"}')
}

# Loads the volume's SYSTEM hive under a name that nothing else has. It would stay loaded, and its file in use, until
# this machine restarts, so whoever opens it closes it in the end.
function Open-Hive {
  $name = 'FleetRecovery-' + [Guid]::NewGuid().ToString('N')
  if ((Invoke-Tool 'reg.exe' "load HKLM\$name $Volume\Windows\System32\config\SYSTEM") -ne 0) { Stop-Here 'hive_not_loaded' }
  $script:Hive = $name
}

# A key that is not let go of yet keeps the hive loaded.
function Close-Hive {
  for ($try = 0; $script:Hive -ne '' -and $try -lt $HiveTries; $try++) {
    [GC]::Collect()
    [GC]::WaitForPendingFinalizers()
    if ((Invoke-Tool 'reg.exe' "unload HKLM\$Hive") -eq 0) { $script:Hive = ''; return }
    Start-Sleep -Milliseconds 250
  }
  if ($script:Hive -ne '') { Write-Trouble 'hive_left_loaded' "HKLM\$Hive" }
}

# The set of settings that the volume's system starts with (Microsoft: HKLM\SYSTEM\Select).
function Get-ControlSet {
  $current = Get-Registry "$Hive\Select" 'Current'
  if ($null -eq $current) { throw 'Select\Current cannot be read' }
  return "$Hive\ControlSet" + ([int]$current).ToString('000', $Invariant)
}
