# Moves the bad files of a bad folder away: checked and done here in one go, written down before it is done.
# Killed at any point it leaves a state that the same intent completes and that undo puts back.

# Whether the file with the digest $1 and the path (hex) $2 is one that triage saw, where it is known what it saw.
# A path that could not be shown as it is was sent in another spelling, so a digest that triage saw is enough for it.
fr_judged() {
  if [ -z "$EXPECT" ]; then return 0; fi
  case " $EXPECT " in
    *" $2:$1 "*) return 0 ;;
    *" $2:"*) return 1 ;;
    *":$1 "*) return 0 ;;
  esac
  return 1
}

# Whether the path $3 still holds the very file that is in the manifest: it was copied, but its move did not end.
fr_unmoved() {
  if [ -L "$3" ] || [ ! -f "$3" ]; then return 1; fi
  fr_stat %Y "$3"
  fr_sha "$3"
  [ "$STAT" = "$2" ] && [ "$SHA" = "$1" ]
}

# Copies the entries of this intent that were carried out into the new manifest; sets NUMBER to the highest,
# and DROPPED to the number of those that turn out not to have been.
fr_carry_over() {
  NUMBER=0 COUNT=0 DROPPED=0
  if ! fr_manifest "$FOLDER/manifest"; then return 0; fi
  while IFS=' ' read -r fr_number fr_sum fr_size fr_mtime fr_mode fr_owner fr_path; do
    case $fr_number in fleet-recovery) continue ;; end) break ;; esac
    NUMBER=$fr_number
    if [ -e "$FOLDER/$fr_number.file.new" ]; then rm -f "$FOLDER/$fr_number.file.new"; fi
    if [ ! -f "$FOLDER/$fr_number.file" ]; then continue; fi
    fr_plain "$fr_path"
    if fr_unmoved "$fr_sum" "$fr_mtime" "$PLAIN"; then
      rm -f "$FOLDER/$fr_number.file"
      DROPPED=$((DROPPED + 1))
      continue
    fi
    COUNT=$((COUNT + 1))
    printf '%s %s %s %s %s %s %s\n' "$fr_number" "$fr_sum" "$fr_size" "$fr_mtime" "$fr_mode" "$fr_owner" "$fr_path"
  done <"$FOLDER/manifest"
}

# Prints the manifest's line for the bad file $1.
fr_entry() {
  fr_octal "$1"
  fr_stat '%s %Y %a %u:%g' "$1"
  NUMBER=$((NUMBER + 1)) COUNT=$((COUNT + 1))
  printf '%s %s %s %s\n' "$NUMBER" "$SHA" "$STAT" "$OCTAL"
}

# Writes the new manifest for the files $@, durable before anything moves. Refused ones go to the answer (3).
fr_plan() {
  {
    printf 'fleet-recovery 1 %s\n' "$ARTIFACT"
    fr_carry_over
    FIRST=$NUMBER
    for fr_file in "$@"; do
      fr_sha "$fr_file"
      fr_hex "$fr_file"
      if [ -z "$SHA" ]; then fr_refused permission "$fr_file" >&3; continue; fi
      if ! fr_judged "$SHA" "$HEX"; then fr_refused changed "$fr_file" >&3; continue; fi
      fr_entry "$fr_file"
    done
    printf 'end %s\n' "$COUNT"
  } 3>&1 >"$FOLDER/manifest.new"
  # Read back: a full disk does not always say so.
  fr_manifest "$FOLDER/manifest.new" || return 1
  fr_flush "$FOLDER/manifest.new"
  mv -f "$FOLDER/manifest.new" "$FOLDER/manifest" || return 1
  fr_flush "$FOLDER"
  fr_flush "$QUARANTINE"
}

# Moves the path $2 to $1. Another file system takes a copy that is proven before the original goes.
fr_transfer() {
  fr_stat %d "$2"
  fr_device=$STAT
  fr_stat %d "$FOLDER"
  if [ "$fr_device" = "$STAT" ]; then mv "$2" "$1" 2>/dev/null; return; fi
  rm -f "$1.new"
  fr_stat '%i %s %Y %Z' "$2"
  fr_was=$STAT
  if ! cp -p "$2" "$1.new" 2>/dev/null; then rm -f "$1.new"; return 2; fi
  fr_flush "$1.new"
  fr_sha "$1.new"
  if [ "$SHA" != "$3" ]; then rm -f "$1.new"; return 2; fi
  fr_stat '%i %s %Y %Z' "$2"
  if [ "$STAT" != "$fr_was" ]; then rm -f "$1.new"; return 3; fi
  mv "$1.new" "$1" && rm -f "$2" 2>/dev/null && return 0
  rm -f "$1"
  return 1
}

# Carries out entry $1 with digest $2 and size $3 for the path $4.
fr_take() {
  fr_to=$FOLDER/$1.file
  if [ -L "$4" ] || [ ! -f "$4" ]; then fr_refused changed "$4"; return; fi
  fr_transfer "$fr_to" "$4" "$2"
  fr_how=$?
  if [ "$fr_how" -eq 2 ]; then fr_refused space "$4"; return; fi
  if [ "$fr_how" -eq 3 ]; then fr_refused changed "$4"; return; fi
  if [ "$fr_how" -ne 0 ]; then fr_refused permission "$4"; return; fi
  SHA=
  if [ -f "$fr_to" ] && [ ! -L "$fr_to" ]; then fr_sha "$fr_to"; fi
  if [ "$SHA" != "$2" ]; then
    # It was written to between the check and the move: it goes back as it is.
    mv -n "$fr_to" "$4"
    fr_refused changed "$4"
    return
  fi
  MOVED=$((MOVED + 1))
  fr_moved "$4" "$fr_to" "$2" "$3"
}

# Moves what the manifest names above number $1, then strikes out what did not move.
fr_carry_out() {
  PLANNED=0
  while IFS=' ' read -r fr_number fr_sum fr_size fr_mtime fr_mode fr_owner fr_path; do
    case $fr_number in fleet-recovery) continue ;; end) break ;; esac
    if [ "$fr_number" -le "$1" ]; then continue; fi
    PLANNED=$((PLANNED + 1))
    fr_plain "$fr_path"
    fr_take "$fr_number" "$fr_sum" "$fr_size" "$PLAIN" </dev/null
  done <"$FOLDER/manifest"
  fr_flush "$FOLDER"
  fr_flush "$DIRECTORY"
  if [ "$MOVED" -lt "$PLANNED" ]; then fr_strike_out; fi
  fr_manifest "$FOLDER/manifest"
  if [ "$ENTRIES" -eq 0 ]; then rm -f "$FOLDER/manifest" && rmdir "$FOLDER"; fi
}

fr_strike_out() {
  { printf 'fleet-recovery 1 %s\n' "$ARTIFACT"; fr_carry_over; printf 'end %s\n' "$COUNT"; } >"$FOLDER/manifest.new"
  if fr_manifest "$FOLDER/manifest.new"; then
    fr_flush "$FOLDER/manifest.new"
    mv -f "$FOLDER/manifest.new" "$FOLDER/manifest"
    fr_flush "$FOLDER"
  fi
}

# Checks the folder anew and acts on it.
fr_check_and_act() {
  MOVED=0 BAD=0 GOOD=0 OLD=0 BLIND='' fr_seen=0
  set --
  # shellcheck disable=SC2231 # the pattern is meant to be expanded
  for fr_file in "$DIRECTORY"/$PATTERN; do
    if [ ! -e "$fr_file" ] && [ ! -L "$fr_file" ]; then continue; fi
    fr_seen=$((fr_seen + 1))
    if [ "$fr_seen" -gt "$MOST_FILES" ]; then fr_trouble too_many_files "$DIRECTORY"; return; fi
    fr_state "$fr_file"
    case $STATE in
      bad) BAD=$((BAD + 1)) && set -- "$@" "$fr_file" ;;
      good) GOOD=$((GOOD + 1)) ;;
      old) OLD=$((OLD + 1)) ;;
      link | directory) fr_refused "$STATE" "$fr_file" ;;
      foreign) fr_refused header "$fr_file" ;;
      *) fr_refused unsupported "$fr_file" ;;
    esac
  done
  if fr_may_act; then fr_act "$@"; fi
}

# Whether the rules allow to move anything; says why not.
fr_may_act() {
  if [ -n "$BLIND" ]; then fr_refused permission "$DIRECTORY"; fr_acted quarantine 0 "$HELD"; return 1; fi
  if [ "$((BAD + GOOD + OLD))" -gt 0 ] && ! fr_clock_ok; then
    fr_refused clock
    fr_acted quarantine 0 "$HELD"
    return 1
  fi
  if [ "$BAD" -eq 0 ]; then
    if [ "$HELD" -gt 0 ]; then fr_acted quarantine 0 "$HELD"; else fr_acted quarantine 0 0 true; fi
    return 1
  fi
  if [ "$GOOD" -gt 0 ]; then fr_refused not_bad "$DIRECTORY"; fr_acted quarantine 0 "$HELD"; return 1; fi
}

fr_act() {
  FOLDER=$QUARANTINE/$TOKEN
  if [ -L "$FOLDER" ]; then fr_refused link "$FOLDER"; fr_acted quarantine 0 "$HELD"; return; fi
  if [ -f "$FOLDER/undone" ]; then fr_refused exists "$FOLDER"; fr_acted quarantine 0 "$HELD"; return; fi
  # What is no manifest of this artifact names files that a new one would have forgotten.
  if [ -e "$FOLDER/manifest" ] && ! fr_manifest "$FOLDER/manifest"; then
    fr_refused exists "$FOLDER"
    fr_acted quarantine 0 "$HELD"
    return
  fi
  if ! mkdir -p "$FOLDER" 2>/dev/null; then fr_refused permission "$FOLDER"; fr_acted quarantine 0 "$HELD"; return; fi
  if ! fr_plan "$@"; then
    rm -f "$FOLDER/manifest.new"
    rmdir "$FOLDER" 2>/dev/null
    fr_refused space "$FOLDER"
    fr_acted quarantine 0 "$HELD"
    return
  fi
  HELD=$((HELD - DROPPED))
  fr_carry_out "$FIRST"
  fr_acted quarantine "$MOVED" "$HELD"
}

# Whether there is anything of the artifact's name. Nothing is made on a host where nothing is to be done.
fr_any() {
  BAD=0 GOOD=0 OLD=0 BLIND=''
  # shellcheck disable=SC2231
  for fr_file in "$DIRECTORY"/$PATTERN; do
    if [ -e "$fr_file" ] || [ -L "$fr_file" ]; then return 0; fi
  done
  return 1
}

fr_quarantine() {
  HELD=0
  if fr_missing chmod cp mkdir mv od rm rmdir sha256sum stat sync; then return; fi
  if [ -L "$DIRECTORY" ]; then fr_refused link "$DIRECTORY"; fr_acted quarantine 0 0; return; fi
  if ! fr_visible "$DIRECTORY"; then fr_refused permission "$DIRECTORY"; fr_acted quarantine 0 0; return; fi
  if ! fr_any; then
    fr_manifests >/dev/null
    fr_may_act
    return
  fi
  if ! fr_vault || ! fr_lock; then fr_acted quarantine 0 0; return; fi
  fr_manifests >/dev/null
  fr_check_and_act
  fr_unlock
}

fr_main() {
  # A controller that goes away must not leave the work half done.
  trap '' HUP PIPE
  fr_boot
  fr_quarantine
  fr_report
}
