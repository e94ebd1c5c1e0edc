# The definitions of Microsoft Defender, by their version.

function Read-Items {
  $status = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/Defender' -ClassName MSFT_MpComputerStatus -OperationTimeoutSec $MostSeconds -ErrorAction Stop)
  if ($status.Count -ne 1) { return }
  $script:Exists = $true
  $version = [string]$status[0].AntivirusSignatureVersion
  Add-Item $Given.NAME (Get-Judgement $version) $version ''
}
