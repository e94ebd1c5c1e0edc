# Puts quarantined files back exactly where and as they were.

# Whether $1 is a path that this artifact's files can have: directly in its folder.
fr_in_place() {
  case $1 in "$DIRECTORY"/*) ;; *) return 1 ;; esac
  case ${1#"$DIRECTORY"/} in */* | '' | . | ..) return 1 ;; esac
}

# Whether the path $1 is the file of digest $2 and time $3.
fr_is_back() {
  if [ -L "$1" ] || [ ! -f "$1" ]; then return 1; fi
  fr_stat %Y "$1"
  fr_sha "$1"
  [ "$SHA" = "$2" ] && [ "$STAT" = "$3" ]
}

# Where a copy from another file system stands until it is proven.
ASIDE=.fleet-recovery-undo

# Gives the path $1 to what is in $2 without ever writing over something that is there.
fr_put() {
  if ln "$2" "$1" 2>/dev/null; then rm -f "$2"; return; fi
  if [ -e "$1" ] || [ -L "$1" ]; then return 3; fi
  fr_stat %d "$DIRECTORY"
  fr_device=$STAT
  fr_stat %d "$2"
  if [ "$fr_device" = "$STAT" ]; then mv -n "$2" "$1" 2>/dev/null && [ ! -e "$2" ]; return; fi
  fr_aside=$DIRECTORY/$ASIDE
  if ! cp -p "$2" "$fr_aside" 2>/dev/null; then rm -f "$fr_aside"; return 2; fi
  fr_flush "$fr_aside"
  fr_sha "$fr_aside"
  if [ "$SHA" != "$3" ] || ! { ln "$fr_aside" "$1" 2>/dev/null || mv -n "$fr_aside" "$1" 2>/dev/null; }; then
    rm -f "$fr_aside"
    return 2
  fi
  rm -f "$fr_aside" "$2"
}

# Gives the path $1 the time $2, mode $3 and owner $4, where a copy has lost them.
fr_dress() {
  fr_stat '%Y %a %u:%g' "$1"
  if [ "$STAT" = "$2 $3 $4" ]; then return 0; fi
  chown "$4" "$1" 2>/dev/null
  chmod "$3" "$1" 2>/dev/null
  touch -d "@$2" "$1" 2>/dev/null
  fr_stat '%Y %a %u:%g' "$1"
  [ "$STAT" = "$2 $3 $4" ]
}

fr_left() {
  fr_refused "$1" "$2"
  LEFT=$((LEFT + 1))
}

# Puts back what the entry $1 (digest $2, size $3, time $4, mode $5, owner $6, path $7) says.
fr_restore() {
  fr_held=$FOLDER/$1.file
  if ! fr_in_place "$7"; then fr_left unsupported "$7"; return; fi
  if fr_is_back "$7" "$2" "$4"; then rm -f "$fr_held"; BACK=$((BACK + 1)); return; fi
  if [ -L "$fr_held" ] || [ ! -f "$fr_held" ]; then fr_left missing "$7"; return; fi
  if [ -e "$7" ] || [ -L "$7" ]; then fr_left exists "$7"; return; fi
  fr_sha "$fr_held"
  if [ "$SHA" != "$2" ]; then fr_left hash "$7"; return; fi
  fr_put "$7" "$fr_held" "$2"
  case $? in
    0) ;;
    2) fr_left space "$7"; return ;;
    3) fr_left exists "$7"; return ;;
    *) fr_left permission "$7"; return ;;
  esac
  if ! fr_dress "$7" "$4" "$5" "$6"; then fr_left permission "$7"; return; fi
  RESTORED=$((RESTORED + 1))
  fr_moved "$fr_held" "$7" "$2" "$3"
}

# Undoes the manifest in the folder $1, and marks it when nothing of it is left.
fr_undo_one() {
  FOLDER=$1 LEFT=0 fr_before=$((RESTORED + BACK))
  if [ -e "$DIRECTORY/$ASIDE" ] || [ -L "$DIRECTORY/$ASIDE" ]; then rm -f "$DIRECTORY/$ASIDE"; fi
  while IFS=' ' read -r fr_number fr_sum fr_size fr_mtime fr_mode fr_owner fr_path; do
    case $fr_number in fleet-recovery) continue ;; end) break ;; esac
    fr_plain "$fr_path"
    fr_restore "$fr_number" "$fr_sum" "$fr_size" "$fr_mtime" "$fr_mode" "$fr_owner" "$PLAIN" </dev/null
  done <"$FOLDER/manifest"
  fr_flush "$DIRECTORY"
  if [ "$LEFT" -gt 0 ]; then return; fi
  printf '%s %s\n' "$TOKEN" "$((RESTORED + BACK - fr_before))" >"$FOLDER/undone.new"
  fr_flush "$FOLDER/undone.new"
  mv -f "$FOLDER/undone.new" "$FOLDER/undone"
  fr_flush "$FOLDER"
}

fr_undo_all() {
  RESTORED=0 BACK=0 fr_known=0
  for fr_each in "$QUARANTINE"/*/manifest; do
    fr_dir=${fr_each%/manifest}
    if [ -L "$fr_dir" ] || ! fr_manifest "$fr_each"; then continue; fi
    if [ -f "$fr_dir/undone" ]; then
      IFS=' ' read -r fr_by fr_number <"$fr_dir/undone"
      if [ "$fr_by" = "$TOKEN" ]; then BACK=$((BACK + fr_number)); fi
      continue
    fi
    fr_known=$((fr_known + 1))
    if [ ! -d "$DIRECTORY" ]; then fr_refused missing "$DIRECTORY"; continue; fi
    fr_undo_one "$fr_dir"
  done
  fr_nothing=false
  if [ "$((RESTORED + BACK + fr_known))" -eq 0 ]; then fr_nothing=true; fi
  fr_acted undo "$RESTORED" "$BACK" "$fr_nothing"
}

fr_undo() {
  if fr_missing chmod chown cp ln mkdir mv od rm sha256sum stat sync touch; then return; fi
  if [ -L "$DIRECTORY" ]; then fr_refused link "$DIRECTORY"; fr_acted undo 0 0; return; fi
  if ! fr_may_undo; then return; fi
  fr_undo_all
  fr_unlock
}

fr_main() {
  fr_undo_and_list
}
