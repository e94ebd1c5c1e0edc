# The definitions of Microsoft Defender, by their version.

function Read-Items {
  $status = @(Get-Instances 'MSFT_MpComputerStatus' '' 'root/Microsoft/Windows/Defender')
  # A product that is not there has no bad definitions; one that does not answer may have.
  if (-not $script:Answered) { throw 'MSFT_MpComputerStatus does not answer' }
  if ($status.Count -ne 1) { return }
  $script:Exists = $true
  $version = [string]$status[0].AntivirusSignatureVersion
  Add-Item $Given.NAME (Get-Judgement $version) $version ''
}
