# An operator's own command, as a list of words. Of each of its outputs 64 KiB are kept.

$MostBytes = 65536

# One word as programs split their command line (Microsoft: parsing C++ command-line arguments).
function Get-Quoted([string]$Word) {
  if ($Word -ne '' -and $Word -notmatch '[\s"]') { return $Word }
  $escaped = $Word -replace '(\\*)"', '$1$1\"'
  $escaped = $escaped -replace '(\\+)\z', '$1$1'
  return '"' + $escaped + '"'
}

function Get-Word([string]$Hex) {
  $bytes = New-Object byte[] ($Hex.Length / 2)
  for ($place = 0; $place -lt $bytes.Length; $place++) { $bytes[$place] = [Convert]::ToByte($Hex.Substring(2 * $place, 2), 16) }
  return $Utf8.GetString($bytes)
}

# Reads streams side by side to their ends, as hex, keeping only the start of each: a command must not stop because
# nobody reads, and what it prints must not fill the memory.
function Read-Starts([object[]]$Streams) {
  $buffers = New-Object 'object[]' $Streams.Length
  $kept = New-Object 'object[]' $Streams.Length
  $reads = New-Object 'object[]' $Streams.Length
  $places = @()
  for ($place = 0; $place -lt $Streams.Length; $place++) {
    $places += $place
    $buffers[$place] = New-Object byte[] 8192
    $kept[$place] = New-Object System.IO.MemoryStream
    $reads[$place] = $Streams[$place].ReadAsync($buffers[$place], 0, 8192)
  }
  while ($places.Length -gt 0) {
    $tasks = [System.Threading.Tasks.Task[]]@($places | ForEach-Object { $reads[$_] })
    $place = $places[[System.Threading.Tasks.Task]::WaitAny($tasks)]
    $got = $reads[$place].Result
    if ($got -eq 0) { $places = @($places | Where-Object { $_ -ne $place }); continue }
    $left = [Math]::Min($got, $MostBytes - $kept[$place].Length)
    if ($left -gt 0) { $kept[$place].Write($buffers[$place], 0, $left) }
    $reads[$place] = $Streams[$place].ReadAsync($buffers[$place], 0, 8192)
  }
  return @($kept | ForEach-Object { [BitConverter]::ToString($_.ToArray()).Replace('-', '').ToLowerInvariant() })
}

function Invoke-Words {
  $words = @(([string]$Given.ARGV).Split(' ') | ForEach-Object { Get-Word $_ })
  $start = New-Object System.Diagnostics.ProcessStartInfo
  $start.FileName = $words[0]
  $start.Arguments = (@($words | Select-Object -Skip 1 | ForEach-Object { Get-Quoted $_ }) -join ' ')
  $start.UseShellExecute = $false
  $start.RedirectStandardInput = $true
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  $process = [System.Diagnostics.Process]::Start($start)
  $process.StandardInput.Close()
  $said = @(Read-Starts @($process.StandardOutput.BaseStream, $process.StandardError.BaseStream))
  $process.WaitForExit()
  Write-Line ('{"record":"printed","exit":' + $process.ExitCode + ',"stdout_hex":"' + $said[0] + '","stderr_hex":"' + $said[1] + '"}')
}

try { Invoke-Words } catch { Write-Trouble 'not_started' ([string]$_.Exception.HResult) }
Write-End
