# An operator's own command, as a list of words. Of each of its outputs 64 KiB are kept.

# Prints the start of its input as the member $1 of a record, once the input has ended. What is over the bound is read
# and dropped, so that the command does not fail for it.
fr_keep() {
  IFS=" $NL"
  # shellcheck disable=SC2046 # od's numbers are meant to become words
  set -- "$1" $(od -An -v -tx1 -N 65536)
  IFS=
  if [ "$#" -gt 65536 ]; then cat >/dev/null; fi
  fr_member=$1
  shift
  printf ',"%s":"%s"' "$fr_member" "$*"
  IFS=$NL
}

# Runs the words in a shell of their own, which may end itself. The parts of the record come one after the other: each
# ends when its reader has seen the end of what is written by those before it.
fr_exec() {
  {
    {
      {
        ("$@") 2>&3 3>&- 4>&- </dev/null
        printf '{"record":"printed","exit":%s' "$?" >&4
      } | fr_keep stdout_hex >&4
    } 3>&1 | fr_keep stderr_hex
    printf '}\n'
  } 4>&1
}

fr_main() {
  printf '\n'
  fr_argv
  fr_end 0
}
