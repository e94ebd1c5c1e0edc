# Rolls the definitions back to the set before, by the product's own command (Microsoft: MpCmdRun). Updates bring the
# newest set again: what was rolled back is not kept.

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
  $start = New-Object System.Diagnostics.ProcessStartInfo
  $start.FileName = Get-Tool
  $start.Arguments = '-RemoveDefinitions -All'
  $start.UseShellExecute = $false
  $start.RedirectStandardOutput = $true
  try {
    $process = [System.Diagnostics.Process]::Start($start)
    $null = $process.StandardOutput.ReadToEndAsync()
    if (-not $process.WaitForExit(180000) -or $process.ExitCode -ne 0) { Write-Refused 'tool' $start.FileName; return $false }
  } catch { Write-Refused 'unsupported' $start.FileName; return $false }
  Write-Line '{"record":"note","what":"not_held","detail_hex":""}'
  return $true
}

function Invoke-Back([string]$Was) {
  Write-Refused 'unsupported' $Was
  return $false
}
