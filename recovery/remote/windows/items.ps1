# What is not files of a folder: packages, drivers, definitions, a missing file. A part for each kind gives Read-Items,
# which sets Items, and Blind where it could not look at all of it.

function Read-Settings {
  Read-Places
}

# Whether the text fits one of the patterns in the list, one a line; * and ? only.
function Test-Fits([string]$Text, [string]$Patterns) {
  foreach ($pattern in $Patterns.Split([char]10)) {
    if (-not $pattern) { continue }
    $glob = [regex]::Escape($pattern.Replace('[[]', '[')).Replace('\*', '.*').Replace('\?', '.')
    if ([regex]::IsMatch($Text, "\A$glob\z", 'IgnoreCase, Singleline, CultureInvariant')) { return $true }
  }
  return $false
}

# What the profile says of a version. Good ones win; without bad ones every version is bad.
function Get-Judgement([string]$Version) {
  if (Test-Fits $Version $Given.GOOD_VERSIONS) { return 'good' }
  if (-not $Given.BAD_VERSIONS -or (Test-Fits $Version $Given.BAD_VERSIONS)) { return 'bad' }
  return 'other'
}

function Add-Item([string]$Name, [string]$State, [string]$Version, [string]$Detail) {
  $script:Items += @{ Name = $Name; State = $State; Version = $Version; Detail = $Detail }
}

function Read-All {
  $script:Items = @()
  $script:Blind = ''
  $script:Exists = $false
  try { Read-Items } catch { $script:Blind = [string]$_.Exception.Message }
  $script:Bad = @($script:Items | Where-Object { $_.State -eq 'bad' -or $_.State -eq 'missing' }).Count
}

function Write-Listing {
  Read-All
  foreach ($item in $script:Items) {
    Write-Line ('{"record":"item","name_hex":"' + (Get-Hex $item.Name) + '","state":"' + $item.State + '","version_hex":"' +
      (Get-Hex $item.Version) + '","detail_hex":"' + (Get-Hex $item.Detail) + '"}')
  }
  if ($script:Blind) { Write-Trouble 'permission' $script:Blind; return }
  Read-Records
  foreach ($record in $script:Records) {
    Write-Line ('{"record":"manifest","intent":"' + $record.Intent + '","files":' + $record.Done + ',"undone":' +
      (Get-Value $record.Undone) + '}')
  }
  Write-Line ('{"record":"artifact","kind":"' + $Given.KIND + '","name_hex":"' + (Get-Hex $Given.NAME) + '","exists":' +
    (Get-Value $script:Exists) + ',"bad":' + (Get-Value ($script:Bad -gt 0)) + ',"kept":' + $script:Held + '}')
}

# The records of acts on this artifact: a line that says what it is for, one that says what there was, one that ends
# it. Sets Held to the number of acts that stand, Latest to the newest one that is not undone.
function Read-Records {
  $script:Records = @()
  $script:Held = 0
  $script:Latest = $null
  if (-not [System.IO.Directory]::Exists($Vault)) { return }
  try { $folders = @([System.IO.Directory]::GetDirectories($Vault) | Sort-Object) } catch { return }
  foreach ($folder in $folders) {
    $path = "$folder\record"
    if ([System.IO.Path]::GetFileName($folder) -notmatch '\A[A-Za-z0-9_-]{1,64}\z') { continue }
    if (-not [System.IO.File]::Exists($path) -or (Test-Link $path) -or (Test-Link $folder)) { continue }
    try {
      $lines = [System.IO.File]::ReadAllText($path, $Utf8).Split([char]10)
      $was = [System.Text.Encoding]::Unicode.GetString([Convert]::FromBase64String($lines[1]))
    } catch { continue }
    if ($lines.Length -lt 3 -or $lines[0] -ne "fleet-recovery 1 $($Given.ARTIFACT)" -or $lines[2] -ne 'end') { continue }
    $undone = [System.IO.File]::Exists("$folder\undone")
    $done = if ([System.IO.File]::Exists("$folder\done") -and -not $undone) { 1 } else { 0 }
    $record = @{ Intent = [System.IO.Path]::GetFileName($folder); Folder = $folder; Done = $done; Undone = $undone
      Was = $was; At = [System.IO.File]::GetLastWriteTimeUtc($path) }
    $script:Records += $record
    $script:Held += $done
    if (-not $undone -and ($null -eq $script:Latest -or $record.At -gt $script:Latest.At)) { $script:Latest = $record }
  }
}
