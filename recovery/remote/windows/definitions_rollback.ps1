# Rolls the definitions back to the set before, by the product's own command (Microsoft: MpCmdRun). Updates bring the
# newest set again: what was rolled back is not kept.

$RollbackSeconds = 180

function Get-Before {
  return @($script:Items | ForEach-Object { $_.Version }) -join ' '
}

function Get-Tool {
  $base = [Environment]::GetEnvironmentVariable('ProgramData') + '\Microsoft\Windows Defender\Platform'
  $found = @()
  if ([System.IO.Directory]::Exists($base)) {
    $found = @([System.IO.Directory]::GetDirectories($base) | Where-Object { [System.IO.File]::Exists("$_\MpCmdRun.exe") } |
      Sort-Object -Descending -Property { [version](([System.IO.Path]::GetFileName($_) -replace '-', '.') -replace '\A(\d+(\.\d+){1,3}).*', '$1') })
  }
  if ($found.Count -gt 0) { return $found[0] + '\MpCmdRun.exe' }
  return [Environment]::GetEnvironmentVariable('ProgramFiles') + '\Windows Defender\MpCmdRun.exe'
}

function Invoke-Do([string]$Before) {
  $tool = Get-Tool
  $code = Invoke-Tool $tool '-RemoveDefinitions -All' $RollbackSeconds
  if ($code -eq -2) { Write-Refused 'unsupported' $tool; return $false }
  if ($code -ne 0) { Write-Refused 'tool' $tool; return $false }
  Write-Line '{"record":"note","what":"not_held","detail_hex":""}'
  return $true
}

function Invoke-Back([string]$Was) {
  Write-Refused 'unsupported' $Was
  return $false
}
