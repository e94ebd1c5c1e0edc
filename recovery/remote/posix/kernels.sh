# The kernels that are installed, and the one that the boot loader starts next. That one decides: what runs now, runs.
# ROOT is where the system's folders stand; empty on a running system.

# Sets LOADER to grubby, grub, systemd-boot or nothing, and what belongs to it: GRUB_CFG, GRUB_ENV or ENTRIES.
fr_loader() {
  LOADER='' GRUB_CFG='' GRUB_ENV='' ENTRIES=
  if fr_has grubby; then LOADER=grubby; return; fi
  for fr_dir in "$ROOT/boot/grub" "$ROOT/boot/grub2"; do
    if [ -r "$fr_dir/grub.cfg" ]; then LOADER=grub GRUB_CFG=$fr_dir/grub.cfg GRUB_ENV=$fr_dir/grubenv; return; fi
  done
  if ! fr_has bootctl; then return; fi
  for fr_dir in "$ROOT/efi" "$ROOT/boot/efi" "$ROOT/boot"; do
    if [ -d "$fr_dir/loader/entries" ]; then LOADER=systemd-boot ENTRIES=$fr_dir/loader/entries; return; fi
  done
}

# Sets ENTRY to what grub takes next: asked for once, saved, or its configuration's own default.
fr_grub_entry() {
  ENTRY='' fr_next='' fr_saved=
  if fr_first grub-editenv grub2-editenv; then
    for fr_line in $("$FOUND" "$GRUB_ENV" list 2>/dev/null); do
      case $fr_line in
        next_entry=*) fr_next=${fr_line#*=} ;;
        saved_entry=*) fr_saved=${fr_line#*=} ;;
      esac
    done
  fi
  SAVES=no
  # shellcheck disable=SC2016 # grub's variable, not the shell's
  if grep -q 'set default="${saved_entry}"' "$GRUB_CFG"; then SAVES=yes ENTRY=$fr_saved; fi
  if [ "$SAVES" = no ]; then
    ENTRY=$(awk '/^[ \t]*set default="[^$"]*"/ { sub(/^[^"]*"/, ""); sub(/".*/, ""); found = $0 }
      END { print found }' "$GRUB_CFG")
  fi
  if [ -n "$fr_next" ]; then ENTRY=$fr_next; fi
}

# Sets DEFAULT to the version that the entry $1 of grub starts: an id or a title, or the first entry for 0 or nothing.
fr_grub_version() {
  fr_want=${1##*>}
  if [ "$fr_want" = 0 ]; then fr_want=; fi
  DEFAULT=$(FR_WANT=$fr_want awk '
    BEGIN { want = ENVIRON["FR_WANT"]; quote = sprintf("%c", 39) }
    /^[ \t]*menuentry[ \t]/ {
      hit = want == "" ? !seen : index($0, quote want quote) || index($0, "\"" want "\"")
      seen = 1
    }
    hit && $1 ~ /^linux/ { name = $2; if (sub(/.*vmlinu[xz]-/, "", name)) print name; exit }' "$GRUB_CFG")
}

# Sets ENTRY to the file of the entry that systemd-boot takes next.
fr_systemd_entry() {
  ENTRY=
  fr_vars=$ROOT/sys/firmware/efi/efivars
  for fr_name in LoaderEntryOneShot LoaderEntryDefault; do
    fr_var=$fr_vars/$fr_name-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
    if [ -r "$fr_var" ]; then
      ENTRY=$(tail -c +5 "$fr_var" | tr -d '\000')
      if [ -n "$ENTRY" ]; then return; fi
    fi
  done
  ENTRY=$(awk '$1 == "default" && $2 !~ /[*?]/ { print $2; exit }' "${ENTRIES%/entries}/loader.conf" 2>/dev/null) \
    || ENTRY=
}

# Sets DEFAULT to the version of the entry $1 of systemd-boot, or of the newest one.
fr_systemd_version() {
  DEFAULT=
  for fr_file in "$ENTRIES"/*.conf; do
    if [ -f "$fr_file" ] && { [ -z "$1" ] || [ "${fr_file##*/}" = "${1%.conf}.conf" ]; }; then
      fr_entry_version "$fr_file"
      DEFAULT=$(printf '%s\n%s\n' "$DEFAULT" "$OF_ENTRY" | sort -V | tail -n 1)
    fi
  done
}

fr_entry_version() {
  OF_ENTRY=$(awk '$1 == "version" { print $2; exit }' "$1")
}

# Sets DEFAULT to the version of the kernel that is started next, or to nothing when that cannot be told.
fr_default() {
  DEFAULT='' ENTRY='' SAVES=
  fr_loader
  case $LOADER in
    grubby)
      fr_find grubby
      ENTRY=$("$FOUND" --default-kernel 2>/dev/null)
      case $ENTRY in *vmlinu[xz]-*) DEFAULT=${ENTRY##*/vmlinu?-} ;; esac
      ;;
    grub) fr_grub_entry && fr_grub_version "$ENTRY" ;;
    systemd-boot) fr_systemd_entry && fr_systemd_version "$ENTRY" ;;
  esac
}

# Whether what makes the kernels bad is on this host at all.
fr_concerned() {
  if [ -n "$MODULE" ] && [ ! -d "$ROOT/sys/module/$MODULE" ]; then return 1; fi
  if [ -z "$PACKAGE" ]; then return 0; fi
  if fr_has dpkg-query; then
    # shellcheck disable=SC2016 # the field is dpkg-query's own
    case $("$FOUND" -W -f '${db:Status-Abbrev}' "$PACKAGE" 2>/dev/null) in ?i*) return 0 ;; esac
  fi
  fr_has rpm && "$FOUND" -q "$PACKAGE" >/dev/null 2>&1
}

fr_look() {
  if fr_missing awk grep sort tail tr; then BLIND=unreadable; return; fi
  RUNNING=$(uname -r) fr_is_concerned=1
  fr_default
  fr_concerned || fr_is_concerned=0
  if [ -z "$DEFAULT" ] && [ "$fr_is_concerned" -eq 1 ]; then fr_trouble boot_loader_unknown "$LOADER"; BLIND=unreadable; return; fi
  for fr_image in "$ROOT"/boot/vmlinu?-*; do
    if [ ! -f "$fr_image" ]; then continue; fi
    fr_version=${fr_image##*/vmlinu?-} fr_word=
    if [ ! -d "$ROOT/lib/modules/$fr_version" ]; then continue; fi
    fr_judge "$fr_version"
    if [ "$fr_is_concerned" -eq 0 ] && [ "$STATE" = bad ]; then STATE=other; fi
    if [ "$fr_version" = "$RUNNING" ]; then fr_word=running; fi
    if [ "$fr_version" = "$DEFAULT" ]; then
      fr_word=${fr_word:+$fr_word, }default EXISTS=true
      if [ "$STATE" = bad ]; then BAD=1; fi
    fi
    fr_item linux "$STATE" "$fr_version" "$fr_word"
  done
}
