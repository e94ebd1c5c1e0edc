# Puts a good copy of a missing file in its place, from a folder of the host itself.

# Where a copy stands until it is proven.
ASIDE=.fleet-recovery-copy

# Sets COPY to the first good copy, or to nothing.
fr_copy() {
  COPY=
  set -f
  for fr_folder in $COPIES; do
    set +f
    fr_file=$fr_folder/$PATTERN
    if [ -L "$fr_file" ] || [ ! -f "$fr_file" ]; then continue; fi
    fr_sha "$fr_file"
    if [ -n "$SHA" ] && fr_is_good "$SHA"; then COPY=$fr_file; return; fi
  done
  set +f
}

# What there was is nothing; the record keeps the digest of what comes in its place.
fr_before() {
  fr_copy
  BEFORE=$SHA
}

fr_do() {
  fr_to=$DIRECTORY/$PATTERN fr_aside=$DIRECTORY/$ASIDE
  if [ -z "$COPY" ]; then fr_refused unavailable "$COPIES"; return 1; fi
  if [ ! -d "$DIRECTORY" ]; then fr_refused missing "$DIRECTORY"; return 1; fi
  rm -f "$fr_aside"
  if ! cp -p "$COPY" "$fr_aside" 2>/dev/null; then rm -f "$fr_aside"; fr_refused space "$fr_to"; return 1; fi
  fr_flush "$fr_aside"
  fr_sha "$fr_aside"
  if [ "$SHA" != "$BEFORE" ]; then rm -f "$fr_aside"; fr_refused hash "$COPY"; return 1; fi
  # Never over something that has come there since.
  if ! { ln "$fr_aside" "$fr_to" 2>/dev/null || mv -n "$fr_aside" "$fr_to" 2>/dev/null; }; then
    rm -f "$fr_aside"
    fr_refused permission "$fr_to"
    return 1
  fi
  rm -f "$fr_aside"
  fr_flush "$DIRECTORY"
}

# Takes away only the very file that was put there.
fr_take_back() {
  fr_to=$DIRECTORY/$PATTERN
  if [ ! -e "$fr_to" ] && [ ! -L "$fr_to" ]; then return 0; fi
  SHA=
  if [ -f "$fr_to" ] && [ ! -L "$fr_to" ]; then fr_sha "$fr_to"; fi
  if [ "$SHA" != "$1" ]; then fr_refused changed "$fr_to"; return 1; fi
  if ! mv "$fr_to" "$FOLDER/1.file" 2>/dev/null; then fr_refused permission "$fr_to"; return 1; fi
  fr_flush "$DIRECTORY"
}
