# The packages of the volume's component store, as `dism /image` has them. It loads the volume's hives itself.

function Open-Volume {
  $null = $Volume
}

function Close-Volume {
  $null = $Volume
}

function Get-Packages {
  return @(Get-WindowsPackage -Path "$Volume\")
}

function Remove-Package([string]$Name) {
  $null = Remove-WindowsPackage -Path "$Volume\" -PackageName $Name -NoRestart -WarningAction SilentlyContinue
}
