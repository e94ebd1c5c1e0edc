# Makes the boot loader start an older kernel from now on. The machine is not restarted, and no kernel is removed.

# Where grub's own configuration is changed, in a file of ours that undo takes away.
fr_drop_in() {
  DROP_IN=$ROOT/etc/default/grub.d/zz-fleet-recovery.cfg
}

fr_before() {
  fr_default
  BEFORE="$LOADER $ENTRY"
}

# Sets TARGET to the newest installed kernel that is not bad: a good one, or one older than the one that is started.
fr_target() {
  TARGET='' fr_good=
  for fr_image in "$ROOT"/boot/vmlinu?-*; do
    fr_version=${fr_image##*/vmlinu?-}
    if [ ! -f "$fr_image" ] || [ ! -d "$ROOT/lib/modules/$fr_version" ]; then continue; fi
    fr_judge "$fr_version"
    if [ "$STATE" = good ]; then
      fr_good=$(printf '%s\n%s\n' "$fr_good" "$fr_version" | sort -V | tail -n 1)
    elif [ "$STATE" = other ] && fr_is_older "$fr_version" "$DEFAULT"; then
      TARGET=$(printf '%s\n%s\n' "$TARGET" "$fr_version" | sort -V | tail -n 1)
    fi
  done
  if [ -n "$fr_good" ]; then TARGET=$fr_good; fi
}

fr_is_older() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# Sets ENTRY to grub's path to the entry of the version $1: its submenu's id, >, its own. Not a recovery entry.
fr_grub_path() {
  ENTRY=$(FR_WANT=$1 awk '
    BEGIN { want = ENVIRON["FR_WANT"]; quote = sprintf("%c", 39) }
    /^[ \t]*(submenu|menuentry)[ \t]/ {
      count = split($0, parts, quote)
      id = count > 2 ? parts[count - 1] : ""
      if ($1 == "submenu") { menu = id ">" } else { entry = id; skip = index(tolower($0), "recovery") }
    }
    !skip && $1 ~ /^linux/ && $2 ~ /vmlinu[xz]-/ {
      name = $2
      sub(/.*vmlinu[xz]-/, "", name)
      if (name == want) { print menu entry; exit }
    }
    /^}/ { menu = "" }' "$GRUB_CFG")
  # The entry gets into a file that a shell reads.
  case $ENTRY in '' | *[!A-Za-z0-9._\>:+-]*) ENTRY=; return 1 ;; esac
}

# Lets grub write its configuration anew.
fr_grub_write() {
  if fr_has update-grub; then fr_call "$FOUND"; return; fi
  fr_first grub-mkconfig grub2-mkconfig && fr_call "$FOUND" -o "$GRUB_CFG"
}

fr_set_grub() {
  if [ "$SAVES" = yes ]; then
    fr_first grub-set-default grub2-set-default && fr_call "$FOUND" --boot-directory="$ROOT/boot" "$1"
    return
  fi
  fr_drop_in
  if [ ! -d "${DROP_IN%/*}" ]; then SAID="no ${DROP_IN%/*}"; return 1; fi
  printf "GRUB_DEFAULT='%s'\n" "$1" >"$DROP_IN" || return 1
  fr_flush "$DROP_IN"
  fr_grub_write && return 0
  rm -f "$DROP_IN"
  return 1
}

# Sets ENTRY to the name of systemd-boot's entry for the version $1.
fr_systemd_path() {
  for fr_file in "$ENTRIES"/*.conf; do
    if [ -f "$fr_file" ] && fr_entry_version "$fr_file" && [ "$OF_ENTRY" = "$1" ]; then
      ENTRY=${fr_file##*/}
      return 0
    fi
  done
  return 1
}

fr_do() {
  fr_target
  if [ -z "$TARGET" ]; then fr_refused unavailable "$DEFAULT"; return 1; fi
  case $LOADER in
    grubby) fr_find grubby && fr_call "$FOUND" --set-default="$ROOT/boot/vmlinuz-$TARGET" ;;
    grub) fr_grub_path "$TARGET" && fr_set_grub "$ENTRY" ;;
    systemd-boot) fr_systemd_path "$TARGET" && fr_find bootctl && fr_call "$FOUND" set-default "$ENTRY" ;;
    *) fr_refused unsupported "$LOADER"; return 1 ;;
  esac || { fr_refused tool "$SAID"; return 1; }
  fr_note restart "$TARGET"
}

# Gives the boot loader back the entry that it had: $1 is the loader's name and the entry.
fr_take_back() {
  fr_default
  fr_old=${1#* }
  if [ "${1%% *}" != "$LOADER" ]; then fr_refused changed "$LOADER"; return 1; fi
  if [ "$ENTRY" = "$fr_old" ]; then return 0; fi
  case $LOADER in
    grubby) fr_find grubby && fr_call "$FOUND" --set-default="$fr_old" ;;
    systemd-boot) fr_find bootctl && fr_call "$FOUND" set-default "$fr_old" ;;
    grub)
      fr_drop_in
      if [ "$SAVES" = yes ]; then fr_set_grub "$fr_old"; else rm -f "$DROP_IN" && fr_grub_write; fi
      ;;
  esac || { fr_refused tool "$SAID"; return 1; }
}
