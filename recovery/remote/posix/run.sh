# An operator's own command, as a list of words. Of each of its outputs 64 KiB are kept.

# Sets HEX to the start of the file $1.
fr_hex_of() {
  HEX=$(head -c 65536 "$1" | od -An -v -tx1 | tr -d ' \n')
}

# Runs the words. What is over the bound is read and dropped, so that the command does not fail for it.
fr_exec() {
  fr_work=$(mktemp -d) || { fr_trouble no_temporary_folder; return; }
  {
    { "$@" 2>&3 3>&- </dev/null; printf '%s' "$?" >"$fr_work/code"; } | fr_keep "$fr_work/out"
  } 3>&1 | fr_keep "$fr_work/err"
  fr_hex_of "$fr_work/out"
  fr_out=$HEX
  fr_hex_of "$fr_work/err"
  fr_code=255
  read -r fr_code <"$fr_work/code"
  printf '{"record":"printed","exit":%s,"stdout_hex":"%s","stderr_hex":"%s"}\n' "${fr_code:-255}" "$fr_out" "$HEX"
  rm -rf "$fr_work"
}

fr_keep() {
  head -c 65536 >"$1"
  cat >/dev/null
}

fr_main() {
  printf '\n'
  fr_argv
  fr_end 0
}
