# Lists what is not files of a folder, in place of the folder's listing. A part for each kind gives `fr_look`, which
# prints the items and sets EXISTS, BAD (the number of bad ones) and, where it could not look at all of it, BLIND.

# Whether the program $1 is there; sets FOUND to its path.
fr_has() {
  fr_find "$1"
  [ -n "$FOUND" ]
}

# Sets FOUND to the path of the first of the programs $@ that is there, or to nothing.
fr_first() {
  for fr_tool in "$@"; do
    if fr_has "$fr_tool"; then return 0; fi
  done
  return 1
}

# Whether the text $1 fits one of the patterns in the list $2.
fr_fits() {
  set -f
  for fr_glob in $2; do
    # shellcheck disable=SC2254 # the pattern is meant as one
    case $1 in $fr_glob) set +f; return 0 ;; esac
  done
  set +f
  return 1
}

# Sets STATE to what the profile says of the version $1. Good ones win; without bad ones every version is bad.
fr_judge() {
  STATE=other
  if fr_fits "$1" "$GOOD_VERSIONS"; then STATE=good; return; fi
  if [ -z "$BAD_VERSIONS" ] || fr_fits "$1" "$BAD_VERSIONS"; then STATE=bad; fi
}

# Prints the item $1 in the state $2, with its version $3 and a word on it $4.
fr_item() {
  fr_hex "$1"
  fr_of=$HEX
  fr_hex "$3"
  fr_in=$HEX
  fr_hex "$4"
  printf '{"record":"item","name_hex":"%s","state":"%s","version_hex":"%s","detail_hex":"%s"}\n' \
    "$fr_of" "$2" "$fr_in" "$HEX"
}

fr_listing() {
  BAD=0 BLIND='' EXISTS=false
  fr_look
  if [ -n "$BLIND" ]; then return; fi
  fr_records
  fr_bad=false
  if [ "$BAD" -gt 0 ]; then fr_bad=true; fi
  fr_hex "$NAME"
  printf '{"record":"artifact","kind":"%s","name_hex":"%s","exists":%s,"bad":%s,"kept":%s}\n' \
    "$KIND" "$HEX" "$EXISTS" "$fr_bad" "$HELD"
}

# Whether $1 is a whole record of an act on this artifact. Sets WAS to what there was before, in octal.
# A record is a line that says what it is for, one that says what there was, and one that ends it.
fr_record() {
  WAS=
  if [ -L "$1" ] || [ ! -f "$1" ]; then return 1; fi
  {
    IFS= read -r fr_first
    IFS=' ' read -r fr_key WAS
    IFS= read -r fr_last
  } <"$1"
  [ "$fr_first" = "fleet-recovery 1 $ARTIFACT" ] && [ "$fr_key" = was ] && [ "$fr_last" = end ]
}

# Prints this artifact's records as manifests; sets HELD to the number of acts that stand, LATEST to the newest one.
# An act that did not come to its end was carried out if nothing is bad now: else its record would have gone again.
fr_records() {
  HELD=0 LATEST='' fr_found=0
  if [ -z "$QUARANTINE" ]; then return; fi
  for fr_each in "$QUARANTINE"/*/record; do
    if ! fr_record "$fr_each"; then continue; fi
    fr_dir=${fr_each%/record}
    fr_name=${fr_dir##*/}
    case $fr_name in *[!A-Za-z0-9_-]*) continue ;; esac
    fr_found=$((fr_found + 1)) fr_undone=false fr_done=0
    if [ -f "$fr_dir/done" ] || [ "$BAD" -eq 0 ]; then fr_done=1; fi
    # shellcheck disable=SC3013 # dash and busybox know -nt
    if [ -f "$fr_dir/undone" ]; then
      fr_undone=true fr_done=0
    elif [ -z "$LATEST" ] || [ "$fr_each" -nt "$LATEST" ]; then
      LATEST=$fr_each
    fi
    HELD=$((HELD + fr_done))
    if [ "$fr_found" -le "$MOST_MANIFESTS" ]; then
      printf '{"record":"manifest","intent":"%s","files":%s,"undone":%s}\n' "$fr_name" "$fr_done" "$fr_undone"
    fi
  done
  if [ "$fr_found" -gt "$MOST_MANIFESTS" ]; then fr_trouble too_many_manifests "$QUARANTINE"; fi
}
