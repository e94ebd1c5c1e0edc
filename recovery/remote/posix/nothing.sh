# Nothing on the disk is bad: only the key is missing.

fr_look() {
  EXISTS=false
}
