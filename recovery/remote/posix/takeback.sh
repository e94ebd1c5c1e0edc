# Takes back what a remedy without files has done. The remedy's part gives `fr_take_back`, which makes it as WAS says.

# Marks every record as undone, the newest one with the number of acts that were taken back.
fr_mark_undone() {
  for fr_each in "$QUARANTINE"/*/record; do
    fr_dir=${fr_each%/record}
    if ! fr_record "$fr_each" || [ -f "$fr_dir/undone" ]; then continue; fi
    fr_number=0
    if [ "$fr_each" = "$LATEST" ]; then fr_number=1; fi
    printf '%s %s\n' "$TOKEN" "$fr_number" >"$fr_dir/undone.new"
    fr_flush "$fr_dir/undone.new"
    mv -f "$fr_dir/undone.new" "$fr_dir/undone"
    fr_flush "$fr_dir"
  done
}

# Sets BACK to the number of acts that this very intent has taken back before.
fr_back_already() {
  BACK=0
  for fr_each in "$QUARANTINE"/*/undone; do
    if [ ! -f "$fr_each" ] || ! fr_record "${fr_each%/undone}/record"; then continue; fi
    IFS=' ' read -r fr_by fr_number <"$fr_each"
    if [ "$fr_by" = "$TOKEN" ]; then BACK=$((BACK + fr_number)); fi
  done
}

# Of several records the newest one tells what there was before.
fr_undo_act() {
  BAD=1
  fr_back_already
  fr_records >/dev/null
  if [ -z "$LATEST" ]; then
    if [ "$BACK" -gt 0 ]; then fr_acted undo 0 "$BACK"; else fr_acted undo 0 0 true; fi
    return
  fi
  fr_record "$LATEST"
  FOLDER=${LATEST%/record}
  fr_plain "$WAS"
  SAID=
  if ! fr_take_back "$PLAIN"; then fr_acted undo 0 "$BACK"; return; fi
  fr_mark_undone
  fr_acted undo 1 "$BACK"
}

fr_undo() {
  if ! fr_may_undo; then return; fi
  fr_undo_act
  fr_unlock
}

fr_main() {
  fr_undo_and_list
}
