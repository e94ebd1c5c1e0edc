# Removes the update; it is gone with the next start. What was removed comes back only by a new installation.

function Get-Before {
  return @($script:Items | Where-Object { $_.State -eq 'bad' } | ForEach-Object { $_.Name }) -join "`n"
}

function Remove-Package([string]$Name) {
  $null = Remove-WindowsPackage -Online -PackageName $Name -NoRestart -WarningAction SilentlyContinue
}

function Invoke-Do([string]$Before) {
  foreach ($name in $Before.Split([char]10)) {
    try { Remove-Package $name } catch {
      Write-Refused 'tool' $name
      return $false
    }
  }
  Write-Line '{"record":"note","what":"restart","detail_hex":""}'
  return $true
}

function Invoke-Back([string]$Was) {
  Write-Refused 'unsupported' $Was
  return $false
}
