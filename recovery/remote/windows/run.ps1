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

# Starts to read a stream to its end, keeping only the start: a command must not stop because nobody reads.
function Read-Start($Stream) {
  $kept = New-Object System.IO.MemoryStream
  $buffer = New-Object byte[] 8192
  while (($got = $Stream.Read($buffer, 0, $buffer.Length)) -gt 0) {
    $left = [Math]::Min($got, $MostBytes - $kept.Length)
    if ($left -gt 0) { $kept.Write($buffer, 0, $left) }
  }
  return [BitConverter]::ToString($kept.ToArray()).Replace('-', '').ToLowerInvariant()
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
  $errors = $process.StandardError.ReadToEndAsync()
  $out = Read-Start $process.StandardOutput.BaseStream
  $process.WaitForExit()
  $said = $errors.Result
  if ($said.Length -gt $MostBytes / 4) { $said = $said.Substring(0, $MostBytes / 4) }
  Write-Line ('{"record":"printed","exit":' + $process.ExitCode + ',"stdout_hex":"' + $out + '","stderr_hex":"' + (Get-Hex $said) + '"}')
}

try { Invoke-Words } catch { Write-Trouble 'not_started' ([string]$_.Exception.HResult) }
Write-End
