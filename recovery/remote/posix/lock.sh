# Where quarantined files are kept, and the lock that keeps two acts on one host apart.

# Makes the quarantine folder if need be, and refuses one that is not ours alone.
fr_vault() {
  umask 077
  if [ -L "$QUARANTINE" ]; then fr_refused link "$QUARANTINE"; return 1; fi
  if ! mkdir -p "$QUARANTINE" 2>/dev/null || [ ! -d "$QUARANTINE" ] || [ ! -O "$QUARANTINE" ]; then
    fr_refused permission "$QUARANTINE"
    return 1
  fi
  chmod 700 "$QUARANTINE" || { fr_refused permission "$QUARANTINE"; return 1; }
}

# Sets BIRTH to when the process $1 began, in ticks since the boot, or to nothing.
fr_birth() {
  BIRTH=
  { IFS= read -r fr_line <"/proc/$1/stat"; } 2>/dev/null || return 0
  IFS=' '
  # shellcheck disable=SC2086 # the numbers behind the name, which may hold anything
  set -- ${fr_line##*) }
  IFS=$NL
  BIRTH=${20}
}

# Whether the lock's holder, in the file $1, has ended. One that has not been written yet counts as live.
fr_ended() {
  fr_holder='' fr_since='' fr_in=''
  { IFS=' ' read -r fr_holder fr_since fr_in <"$1"; } 2>/dev/null
  case $fr_holder in '' | *[!0-9]*) return 1 ;; esac
  fr_birth "$fr_holder"
  [ "$fr_in" != "$BOOT_ID" ] || [ -z "$BIRTH" ] || [ "$BIRTH" != "$fr_since" ]
}

# Takes the lock, or the one of a process or a boot that has ended. Fails when a live one holds it.
fr_lock() {
  LOCK=$QUARANTINE/.lock
  fr_birth "$$"
  fr_mine="$$ $BIRTH $BOOT_ID"
  for fr_try in 1 2 3 4; do
    if (set -C; printf '%s\n' "$fr_mine" >"$LOCK") 2>/dev/null; then return 0; fi
    if fr_ended "$LOCK"; then
      # Only one gets the old lock by its rename, and looks again whether it is the old one that it got.
      if mv "$LOCK" "$LOCK.$$" 2>/dev/null && ! fr_ended "$LOCK.$$"; then ln "$LOCK.$$" "$LOCK" 2>/dev/null; fi
      rm -f "$LOCK.$$"
    elif [ "$fr_try" -lt 4 ]; then
      sleep 1
    fi
  done
  # A machine that went down while the lock was written leaves it empty.
  if [ -f "$LOCK" ] && [ ! -s "$LOCK" ]; then rm -f "$LOCK"; fi
  fr_refused busy "$QUARANTINE"
  return 1
}

fr_unlock() {
  rm -f "$LOCK"
}

# Whether something can be taken back: says why not, and has the lock where it can.
fr_may_undo() {
  if [ -L "$QUARANTINE" ]; then fr_refused link "$QUARANTINE"; fr_acted undo 0 0; return 1; fi
  if ! fr_visible "$QUARANTINE"; then fr_refused permission "$QUARANTINE"; fr_acted undo 0 0; return 1; fi
  if [ ! -d "$QUARANTINE" ]; then fr_acted undo 0 0 true; return 1; fi
  if ! fr_vault || ! fr_lock; then fr_acted undo 0 0; return 1; fi
}

# What every undo does around its own `fr_undo`. A controller that goes away must not leave the work half done.
fr_undo_and_list() {
  trap '' HUP PIPE
  fr_boot
  fr_undo
  fr_system
  fr_listing
  fr_mark
  fr_end 0
}
