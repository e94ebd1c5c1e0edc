# Calling the system's own tools, and saying aloud what came of it.

# Runs the words with no input; sets SAID to the end of what they print.
fr_call() {
  SAID=$("$@" 2>&1 </dev/null) && return 0
  fr_code=$?
  SAID=$(printf '%s' "$SAID" | tail -c 200)
  return "$fr_code"
}

fr_note() {
  fr_hex "${2:-}"
  printf '{"record":"note","what":"%s","detail_hex":"%s"}\n' "$1" "$HEX"
}
