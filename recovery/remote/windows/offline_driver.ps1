# The driver, in the hive of the volume.

function Open-Volume {
  Open-Hive
}

function Close-Volume {
  Close-Hive
}

function Get-ServiceKey {
  return (Get-ControlSet) + '\Services\' + $Given.SERVICE
}

# The registry names the drive as the system that does not run does, and this one may name its own Windows.
function Get-DriverFile {
  $path = [string](Get-Registry (Get-ServiceKey) 'ImagePath')
  if ($path -eq '') { return "$Volume\Windows\System32\drivers\" + $Given.NAME }
  $plain = $path -replace '\A\\\?\?\\', ''
  $plain = $plain -replace '\A\\SystemRoot\\', "$Volume\Windows\"
  if ($plain -match '\A[Ss]ystem32\\') { return "$Volume\Windows\$plain" }
  return $plain -replace '\A[A-Za-z]:', $Volume
}
