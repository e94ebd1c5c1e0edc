# Removes the package, and never another one with it. Needs no network.

fr_before() {
  fr_versions "$NAME"
  BEFORE=$FOUND
}

fr_do() {
  if [ "$MANAGER" = dpkg ]; then
    fr_call env DEBIAN_FRONTEND=noninteractive PATH="${DPKG%/*}:$PATH" "$DPKG" ${ROOT:+--root="$ROOT"} --remove "$NAME" && return 0
  else
    fr_find rpm
    fr_call "$FOUND" ${ROOT:+--root="$ROOT"} -e "$NAME" && return 0
  fi
  case $SAID in
    *"depends on"* | *"dependency problems"* | *"is needed by"*) fr_refused needed "$SAID" ;;
    *) fr_refused tool "$SAID" ;;
  esac
  return 1
}
