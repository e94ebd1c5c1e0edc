# What the system has on record of crashes and restarts: events as the XML that the log holds, so that nothing in the
# system's language is read, and the headers of the newest dumps.

$MostEvents = 64
$MostEventBytes = 16384
$MostEventSeconds = 30
$MostDumps = 20
$MostHeads = 4
$HeadBytes = 8192

function Write-Events {
  $since = 0.0
  if ($Given.SINCE) { $since = [double]$Given.SINCE - 86400.0 }
  $from = $Epoch.AddSeconds([Math]::Max(0.0, $since)).ToString("yyyy-MM-dd'T'HH:mm:ss'.000Z'", $Invariant)
  $kinds = @(
    "(Provider[@Name='Microsoft-Windows-WER-SystemErrorReporting'] and EventID=1001)",
    "(Provider[@Name='Microsoft-Windows-Kernel-Power'] and EventID=41)",
    "(Provider[@Name='EventLog'] and EventID=6008)",
    "(Provider[@Name='User32'] and EventID=1074)",
    "(Provider[@Name='volmgr'] and (EventID=46 or EventID=161))",
    "(Provider[@Name='Microsoft-Windows-Kernel-General'] and (EventID=12 or EventID=13))"
  )
  $path = "*[System[(" + ($kinds -join ' or ') + ") and TimeCreated[@SystemTime>='" + $from + "']]]"
  try {
    $query = New-Object System.Diagnostics.Eventing.Reader.EventLogQuery 'System', ([System.Diagnostics.Eventing.Reader.PathType]::LogName), $path
    $query.ReverseDirection = $true
    $reader = New-Object System.Diagnostics.Eventing.Reader.EventLogReader $query
    # Of a log of gigabytes all would be searched for the last few events.
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    for ($number = 0; $number -lt $MostEvents; $number++) {
      $left = $MostEventSeconds - $clock.Elapsed.TotalSeconds
      $record = $reader.ReadEvent([TimeSpan]::FromSeconds([Math]::Max(0.1, $left)))
      if ($null -eq $record) { break }
      $bytes = $Utf8.GetBytes($record.ToXml())
      if ($bytes.Length -gt $MostEventBytes) { continue }
      Write-Line ('{"record":"event","xml_base64":"' + [Convert]::ToBase64String($bytes) + '"}')
    }
    $reader.Dispose()
  } catch { Write-Trouble 'event_log' 'System' }
}

# Where the system was told to put its dumps, or where it puts them by itself.
function Get-CrashSetting([string]$Name, [string]$Usual) {
  $told = [string](Get-Registry 'SYSTEM\CurrentControlSet\Control\CrashControl' $Name)
  if ($told -eq '') { return $Usual }
  return [Environment]::ExpandEnvironmentVariables($told)
}

function Write-Dumps {
  $windows = [Environment]::GetEnvironmentVariable('SystemRoot')
  $whole = Get-CrashSetting 'DumpFile' "$windows\MEMORY.DMP"
  $small = Get-CrashSetting 'MinidumpDir' "$windows\Minidump"
  $paths = @($whole | Where-Object { [System.IO.File]::Exists($_) })
  try { $paths += @([System.IO.Directory]::GetFiles($small, '*.dmp')) } catch { $null = $_ }
  $newest = @($paths | Sort-Object -Descending -Property { [System.IO.File]::GetLastWriteTimeUtc($_) } |
    Select-Object -First $MostDumps)
  $number = 0
  foreach ($path in $newest) {
    $number += 1
    $head = ''
    try {
      if ($number -le $MostHeads) { $head = [Convert]::ToBase64String((Get-Head $path $HeadBytes)) }
      $size = (New-Object System.IO.FileInfo $path).Length
      $time = Get-Seconds ([System.IO.File]::GetLastWriteTimeUtc($path))
    } catch { continue }
    Write-Line ('{"record":"dump","path_hex":"' + (Get-Hex $path) + '","size":' + $size + ',"mtime":' + (Get-Value $time) +
      ',"head_base64":"' + $head + '"}')
  }
}
