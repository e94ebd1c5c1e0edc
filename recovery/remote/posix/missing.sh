# A good file that the bad update took away.

# Whether the digest $1 is that of a good copy; where the profile names none, every file is.
fr_is_good() {
  if [ -z "$HASHES" ]; then return 0; fi
  case $NL$HASHES$NL in *"$NL$1$NL"*) return 0 ;; esac
  return 1
}

fr_look() {
  if fr_missing sha256sum; then BLIND=unreadable; return; fi
  fr_at=$DIRECTORY/$PATTERN SHA='' STATE=missing
  if ! fr_visible "$DIRECTORY"; then fr_trouble permission "$DIRECTORY"; BLIND=unreadable; return; fi
  if [ -f "$fr_at" ] && [ ! -L "$fr_at" ]; then
    EXISTS=true STATE=other
    fr_sha "$fr_at"
    if [ -z "$SHA" ]; then fr_trouble permission "$fr_at"; BLIND=unreadable; return; fi
    if fr_is_good "$SHA"; then STATE=good; fi
  elif [ -e "$fr_at" ] || [ -L "$fr_at" ]; then
    STATE=other
  else
    BAD=1
  fi
  fr_item "$fr_at" "$STATE" "" "$SHA"
}
