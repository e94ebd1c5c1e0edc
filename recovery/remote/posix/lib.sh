# Shared by every script. sh only: busybox ash and dash run it, with the tools of busybox.
# Functions that give a text set a variable named in capitals: a command substitution would cost a process, and
# every process costs a moment of a boot window. Names from the disk leave as hex, never as themselves.

NL='
'
IFS=$NL
# What the login gave comes first; non-interactive logins often leave out where system tools are.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
MOST_FILES=500
MOST_MANIFESTS=200

# Sets HEX to the bytes of $1.
fr_hex() {
  IFS=" $NL"
  # shellcheck disable=SC2046 # od's numbers are meant to become words
  set -- $(printf '%s' "$1" | od -An -v -tx1)
  IFS=
  HEX="$*"
  IFS=$NL
}

# Sets OCTAL to $1 as `printf %b` takes it.
fr_octal() {
  IFS=" $NL"
  # shellcheck disable=SC2046
  set -- $(printf '%s' "$1" | od -An -v -to1)
  IFS=$NL
  OCTAL=
  for fr_byte in "$@"; do OCTAL=$OCTAL'\0'$fr_byte; done
}

# Sets PLAIN to the text behind the octal $1, with line ends at its end kept.
fr_plain() {
  PLAIN=$(printf '%b.' "$1")
  PLAIN=${PLAIN%.}
}

# Sets SHA to the digest of the file $1, or to nothing.
fr_sha() {
  SHA=$(sha256sum <"$1" 2>/dev/null) || SHA=
  SHA=${SHA%% *}
}

# Sets STAT to what the format $1 says of $2, or to nothing. Links are not followed.
fr_stat() {
  STAT=$(stat -c "$1" "$2" 2>/dev/null) || STAT=
}

fr_trouble() {
  fr_hex "${2:-}"
  printf '{"record":"trouble","reason":"%s","detail_hex":"%s"}\n' "$1" "$HEX"
}

fr_refused() {
  fr_hex "${2:-}"
  printf '{"record":"refused","reason":"%s","path_hex":"%s"}\n' "$1" "$HEX"
}

fr_acted() {
  printf '{"record":"acted","action":"%s","files":%s,"already":%s,"nothing":%s}\n' "$1" "$2" "$3" "${4:-false}"
}

fr_moved() {
  fr_hex "$1"
  fr_from=$HEX
  fr_hex "$2"
  printf '{"record":"moved","from_hex":"%s","to_hex":"%s","sha256":"%s","size":%s}\n' "$fr_from" "$HEX" "$3" "$4"
}

fr_end() {
  printf '{"record":"end","token":"%s","exit":%s}\n' "$TOKEN" "${1:-0}"
}

# Whether one of the programs $@ is not there; says which. Their failures would look like findings.
fr_missing() {
  for fr_name in "$@"; do
    if ! command -v "$fr_name" >/dev/null 2>&1; then fr_trouble "missing_$fr_name"; return 0; fi
  done
  return 1
}

# Sets FOUND to the program $1 as the search path has it, or to nothing. A shell may have an applet of that name
# built in, which would pass over what stands first in the path.
fr_find() {
  FOUND=
  IFS=:
  for fr_dir in $PATH; do
    if [ -x "$fr_dir/$1" ] && [ ! -d "$fr_dir/$1" ]; then FOUND=$fr_dir/$1; break; fi
  done
  IFS=$NL
}

# Brings a file or folder to the disk. Old busybox knows only the sync of everything.
fr_flush() {
  sync "$1" 2>/dev/null || sync
}

# The line end first: a login script may have left a line open.
fr_boot() {
  LC_ALL=C
  export LC_ALL
  BOOT_ID='' BTIME=null UPTIME=null NOW=0
  { read -r BOOT_ID </proc/sys/kernel/random/boot_id; } 2>/dev/null
  case $BOOT_ID in *[!0-9a-f-]*) BOOT_ID= ;; esac
  { IFS=' ' read -r UPTIME fr_rest </proc/uptime; } 2>/dev/null
  case $UPTIME in '' | *[!0-9.]*) UPTIME=null ;; esac
  while IFS=' ' read -r fr_key fr_value fr_rest; do
    if [ "$fr_key" = btime ]; then BTIME=$fr_value; break; fi
  done 2>/dev/null </proc/stat
  case $BTIME in '' | *[!0-9]*) BTIME=null ;; esac
  NOW=$(date -u +%s)
  case $NOW in '' | *[!0-9]*) NOW=null ;; esac
  printf '\n{"record":"boot","boot_id":"%s","boot_time":%s,"uptime":%s,"clock":%s}\n' \
    "$BOOT_ID" "$BTIME" "$UPTIME" "$NOW"
}

fr_system() {
  fr_hex "$(uname -sr)"
  fr_release=$HEX
  fr_hex "$(uname -n)"
  printf '{"record":"system","os":"linux","release_hex":"%s","hostname_hex":"%s"}\n' "$fr_release" "$HEX"
}

# Whether the clock is near enough to the controller's for file times to be believed. Two seconds go on the way.
fr_clock_ok() {
  if [ -z "$GOOD_FROM$BAD_FROM" ] || [ -z "$CONTROLLER_CLOCK" ]; then return 0; fi
  if [ "$NOW" = null ]; then return 1; fi
  fr_off=$((NOW - CONTROLLER_CLOCK))
  if [ "$fr_off" -lt 0 ]; then fr_off=$((0 - fr_off)); fi
  if [ "$MARGIN" -lt 2 ]; then [ "$fr_off" -le 2 ]; else [ "$fr_off" -le "$MARGIN" ]; fi
}

# Sets STATE, SIZE, MTIME and HEAD of $1 by the profile's rule, and BLIND to the reason where it cannot be read.
fr_state() {
  SIZE=0 MTIME=0 HEAD=
  if [ -L "$1" ]; then STATE='link'; return; fi
  if [ -d "$1" ]; then STATE=directory; return; fi
  if [ ! -f "$1" ]; then STATE=other; return; fi
  fr_stat '%s %Y' "$1"
  if [ -z "$STAT" ] || [ ! -r "$1" ]; then STATE=other BLIND=permission; return; fi
  SIZE=${STAT% *} MTIME=${STAT#* }
  if [ -n "$HEADER" ]; then
    IFS=" $NL"
    # shellcheck disable=SC2046
    set -- $(od -An -v -tx1 -N "$((${#HEADER} / 2))" "$1" 2>/dev/null)
    IFS=
    HEAD="$*"
    IFS=$NL
    if [ "${#HEAD}" -lt "${#HEADER}" ] && [ "$SIZE" -ge "$((${#HEADER} / 2))" ]; then
      STATE=other BLIND=unreadable
      return
    fi
    if [ "$HEAD" != "$HEADER" ]; then STATE=foreign; return; fi
  fi
  if [ -n "$GOOD_FROM" ] && [ "$MTIME" -ge "$GOOD_FROM" ]; then STATE=good; return; fi
  if [ -n "$BAD_FROM" ] && [ "$MTIME" -lt "$((BAD_FROM - MARGIN))" ]; then STATE=old; return; fi
  STATE=bad
}

# Whether it can be seen what $1 holds; a folder that is not there can be seen to be missing.
fr_visible() {
  fr_up=$1
  while [ ! -d "$fr_up" ]; do
    fr_up=${fr_up%/*}
    if [ -z "$fr_up" ]; then fr_up=/; fi
  done
  if [ "$fr_up" = "$1" ]; then [ -r "$1" ] && [ -x "$1" ]; else [ -x "$fr_up" ]; fi
}

# Lists the artifact's files and the folder. Where that cannot be done whole, no folder is claimed, but trouble.
fr_listing() {
  BAD=0 GOOD=0 BLIND='' fr_seen=0
  if fr_missing od sha256sum stat; then return; fi
  if ! fr_visible "$DIRECTORY"; then fr_trouble permission "$DIRECTORY"; return; fi
  # shellcheck disable=SC2231 # the pattern is meant to be expanded
  for fr_file in "$DIRECTORY"/$PATTERN; do
    if [ ! -e "$fr_file" ] && [ ! -L "$fr_file" ]; then continue; fi
    fr_seen=$((fr_seen + 1))
    if [ "$fr_seen" -gt "$MOST_FILES" ]; then fr_trouble too_many_files "$DIRECTORY"; return; fi
    fr_state "$fr_file"
    SHA=
    case $STATE in
      bad) BAD=$((BAD + 1)) && fr_sha "$fr_file" ;;
      good) GOOD=$((GOOD + 1)) ;;
    esac
    fr_hex "$fr_file"
    printf '{"record":"file","path_hex":"%s","state":"%s","size":%s,"mtime":%s,"sha256":"%s","header":"%s"}\n' \
      "$HEX" "$STATE" "$SIZE" "$MTIME" "$SHA" "$HEAD"
  done
  if [ -n "$BLIND" ]; then fr_trouble "$BLIND" "$DIRECTORY"; return; fi
  fr_manifests
  fr_exists=false fr_bad=false
  if [ -d "$DIRECTORY" ]; then fr_exists=true; fi
  if [ "$BAD" -gt 0 ] && [ "$GOOD" -eq 0 ]; then fr_bad=true; fi
  fr_hex "$DIRECTORY"
  printf '{"record":"folder","path_hex":"%s","exists":%s,"bad":%s,"quarantined":%s}\n' \
    "$HEX" "$fr_exists" "$fr_bad" "$HELD"
}

# Whether $1 is a whole manifest of this artifact. Sets ENTRIES to the number of its files, HERE to those in quarantine.
# A manifest is a line that says what it is for, one line a file, and a line that counts them:
# number, sha256, size, mtime, mode, owner, path in octal.
fr_manifest() {
  ENTRIES=0 HERE=0
  if [ -L "$1" ] || [ ! -f "$1" ]; then return 1; fi
  fr_whole=1 fr_line=0
  while IFS=' ' read -r fr_number fr_sum fr_rest; do
    fr_line=$((fr_line + 1))
    if [ "$fr_line" -eq 1 ]; then
      if [ "$fr_number $fr_sum $fr_rest" != "fleet-recovery 1 $ARTIFACT" ]; then return 1; fi
      continue
    fi
    if [ "$fr_number" = end ]; then
      if [ "$fr_sum" = "$ENTRIES" ]; then fr_whole=0; fi
      break
    fi
    case $fr_number in '' | *[!0-9]*) return 1 ;; esac
    ENTRIES=$((ENTRIES + 1))
    if [ -f "${1%/*}/$fr_number.file" ]; then HERE=$((HERE + 1)); fi
  done <"$1"
  return "$fr_whole"
}

# Prints this artifact's manifests; sets HELD to the number of its files in quarantine.
fr_manifests() {
  HELD=0 fr_found=0
  if [ -z "$QUARANTINE" ] || [ ! -O "$QUARANTINE" ]; then return; fi
  for fr_each in "$QUARANTINE"/*/manifest; do
    if ! fr_manifest "$fr_each"; then continue; fi
    fr_dir=${fr_each%/manifest}
    fr_name=${fr_dir##*/}
    case $fr_name in *[!A-Za-z0-9_-]*) continue ;; esac
    HELD=$((HELD + HERE)) fr_found=$((fr_found + 1)) fr_undone=false
    if [ -f "$fr_dir/undone" ]; then fr_undone=true; fi
    if [ "$fr_found" -le "$MOST_MANIFESTS" ]; then
      printf '{"record":"manifest","intent":"%s","files":%s,"undone":%s}\n' "$fr_name" "$HERE" "$fr_undone"
    fi
  done
  if [ "$fr_found" -gt "$MOST_MANIFESTS" ]; then fr_trouble too_many_manifests "$QUARANTINE"; fi
}

# Sets MARK_DIR to a folder of ours that a restart, or the boot id in the mark, makes void.
fr_mark_dir() {
  MARK_DIR=
  for fr_base in /run /dev/shm /tmp; do
    if [ -d "$fr_base" ] && [ -w "$fr_base" ]; then MARK_DIR=$fr_base/fleet-recovery; return; fi
  done
}

# Sets MARK to the intent of a restart that was asked for in this boot, MARK_AGE to the seconds since.
fr_mark() {
  MARK='' MARK_AGE=0
  fr_mark_dir
  fr_at=$MARK_DIR/reboot-$BOOT_ID
  if [ -z "$BOOT_ID" ] || [ -L "$MARK_DIR" ] || [ -L "$fr_at" ] || [ ! -f "$fr_at" ] || [ ! -O "$fr_at" ]; then
    return
  fi
  IFS=' ' read -r MARK fr_marked fr_up <"$fr_at"
  case $MARK in *[!A-Za-z0-9_-]*) MARK= ;; esac
  if [ "$fr_marked" != "$BOOT_ID" ]; then MARK=; fi
  case $fr_up in '' | *[!0-9]*) fr_up=0 ;; esac
  if [ "$UPTIME" != null ]; then MARK_AGE=$((${UPTIME%%.*} - fr_up)); fi
  if [ -n "$MARK" ]; then printf '{"record":"reboot_mark","intent":"%s"}\n' "$MARK"; fi
}
