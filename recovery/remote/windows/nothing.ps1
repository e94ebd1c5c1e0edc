# Nothing on the disk is bad: only the key is missing.

function Read-Items {
  $script:Exists = $false
}
