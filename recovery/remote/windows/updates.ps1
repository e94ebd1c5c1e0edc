# The Windows update of the profile, as the component store knows it. A cumulative update has no KB number in the name
# of its package, and is told by its version.

function Get-PackageVersion($Package) {
  $name = [string]$Package.PackageName
  return $name.Substring($name.LastIndexOf('~') + 1)
}

function Test-Named($Package) {
  $name = [string]$Package.PackageName
  $kb = [string]$Given.NAME
  if ($name -like "*_for_$kb~*") { return $true }
  if (-not $Given.BAD_VERSIONS -or $name -notlike 'Package_for_RollupFix~*') { return $false }
  $version = Get-PackageVersion $Package
  return Test-Fits $version $Given.BAD_VERSIONS
}

function Get-Packages {
  return @(Get-WindowsPackage -Online)
}

function Read-Items {
  foreach ($package in @(Get-Packages | Where-Object { Test-Named $_ })) {
    $script:Exists = $true
    $version = Get-PackageVersion $package
    $state = switch ([string]$package.PackageState) {
      'Installed' { 'bad' }
      'InstallPending' { 'bad' }
      'UninstallPending' { 'pending' }
      default { 'other' }
    }
    if (Test-Fits $version $Given.GOOD_VERSIONS) { $state = 'good' }
    Add-Item $package.PackageName $state $version ([string]$package.PackageState)
  }
}
