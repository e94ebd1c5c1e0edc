# Carries out a remedy that moves no files: looked at anew and done here in one go, written down before it is done.
# A part for each remedy gives `fr_before`, which sets BEFORE to what there is, and `fr_do`, which says why it did not.

# Writes down what there was, durable before anything is changed.
fr_write_down() {
  fr_octal "$BEFORE"
  printf 'fleet-recovery 1 %s\nwas %s\nend\n' "$ARTIFACT" "$OCTAL" >"$FOLDER/record.new" || return 1
  # Read back: a full disk does not always say so.
  fr_record "$FOLDER/record.new" || return 1
  fr_flush "$FOLDER/record.new"
  mv -f "$FOLDER/record.new" "$FOLDER/record" || return 1
  fr_flush "$FOLDER"
  fr_flush "$QUARANTINE"
}

fr_refuse_act() {
  fr_refused "$1" "$2"
  fr_acted "$REMEDY" 0 "$HELD"
}

# Does it, and looks whether it is so. Where it is not, the record goes again: nothing stands of it.
fr_act() {
  FOLDER=$QUARANTINE/$TOKEN
  if [ -L "$FOLDER" ]; then fr_refuse_act link "$FOLDER"; return; fi
  if [ -f "$FOLDER/undone" ]; then fr_refuse_act exists "$FOLDER"; return; fi
  if ! mkdir -p "$FOLDER" 2>/dev/null; then fr_refuse_act permission "$FOLDER"; return; fi
  fr_before
  if ! fr_write_down; then
    rm -f "$FOLDER/record.new"
    rmdir "$FOLDER" 2>/dev/null
    fr_refuse_act space "$FOLDER"
    return
  fi
  if fr_do; then
    BAD=0 BLIND='' EXISTS=false
    fr_look >/dev/null
    if [ -z "$BLIND" ] && [ "$BAD" -eq 0 ]; then
      : >"$FOLDER/done"
      fr_flush "$FOLDER"
      fr_acted "$REMEDY" 1 "$HELD"
      return
    fi
    fr_refused tool "$SAID"
  fi
  fr_before_again=$BEFORE
  fr_before
  if [ "$BEFORE" = "$fr_before_again" ]; then
    rm -f "$FOLDER/record"
    rmdir "$FOLDER" 2>/dev/null
  fi
  fr_acted "$REMEDY" 0 "$HELD"
}

fr_remedy() {
  if fr_missing chmod mkdir mv od rm rmdir sync tail; then return; fi
  HELD=0 BAD=0 BLIND='' EXISTS=false SAID=
  fr_look >/dev/null
  fr_records >/dev/null
  if [ -z "$BLIND" ] && [ "$BAD" -eq 0 ]; then
    if [ "$HELD" -gt 0 ]; then fr_acted "$REMEDY" 0 "$HELD"; else fr_acted "$REMEDY" 0 0 true; fi
    return
  fi
  if [ -n "$BLIND" ]; then fr_refuse_act permission; return; fi
  if ! fr_vault || ! fr_lock; then fr_acted "$REMEDY" 0 "$HELD"; return; fi
  BAD=0
  fr_look >/dev/null
  if [ "$BAD" -gt 0 ]; then fr_act; else fr_acted "$REMEDY" 0 "$HELD"; fi
  fr_unlock
}

fr_main() {
  # A controller that goes away must not leave the work half done.
  trap '' HUP PIPE
  fr_boot
  fr_remedy
  fr_report
}
