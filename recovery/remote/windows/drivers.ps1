# The driver of the profile: bad where its file is of a bad version or hash and it would be loaded at the next start.

function Get-ServiceKey {
  return 'SYSTEM\CurrentControlSet\Services\' + $Given.SERVICE
}

function Get-DriverFile {
  $path = [string](Get-Registry (Get-ServiceKey) 'ImagePath')
  $windows = [Environment]::GetEnvironmentVariable('SystemRoot')
  if ($path -eq '') { return "$windows\System32\drivers\" + $Given.NAME }
  $plain = $path -replace '\A\\\?\?\\', ''
  $plain = $plain -replace '\A\\SystemRoot\\', "$windows\"
  if ($plain -match '\A[Ss]ystem32\\') { $plain = "$windows\$plain" }
  return $plain
}

function Read-Items {
  # Raises where the key may not be read, which is not the same as that there is none.
  $opened = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey((Get-ServiceKey))
  if ($null -eq $opened) { return }
  $script:Exists = $true
  $start = [int]$opened.GetValue('Start', 0)
  $opened.Close()
  $file = Get-DriverFile
  if (-not [System.IO.File]::Exists($file)) { return }
  $version = [string][System.Diagnostics.FileVersionInfo]::GetVersionInfo($file).FileVersion
  $sha = Get-Sha $file
  $state = Get-Judgement $version
  if ($Given.HASHES -and $state -ne 'good') {
    if ($sha -eq '') { throw "$file cannot be read" }
    $state = if (([string]$Given.HASHES).Split([char]10) -contains $sha) { 'bad' } else { 'other' }
  }
  if ($start -eq 4 -and $state -eq 'bad') { $state = 'disabled' }
  Add-Item $Given.NAME $state $version "start $start, sha256 $sha"
}
