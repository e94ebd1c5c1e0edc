# Asks for a restart, at most once in one boot, and only of the boot that was judged.

# A restart that has not begun after ten minutes was lost, and another intent may ask again.
PATIENCE=600

# Sets REBOOT and SYSTEMCTL to the programs that restart the machine. Fails when there is none.
fr_means() {
  fr_find reboot
  REBOOT=$FOUND
  fr_find systemctl
  SYSTEMCTL=$FOUND
  [ -n "$REBOOT$SYSTEMCTL" ]
}

# Runs on behind the answer.
fr_restart() {
  sleep 1
  if [ -z "$REBOOT" ] || ! "$REBOOT"; then
    if [ -n "$SYSTEMCTL" ]; then "$SYSTEMCTL" reboot; fi
  fi
  # Where no service manager takes the machine down in order, a restart that did not begin is forced.
  fr_init=
  { read -r fr_init </proc/1/comm; } 2>/dev/null
  if [ -z "$REBOOT" ] || [ "$fr_init" = systemd ]; then return; fi
  sleep 10
  fr_now=
  { read -r fr_now </proc/sys/kernel/random/boot_id; } 2>/dev/null
  if [ "$fr_now" = "$BOOT_ID" ]; then sync; "$REBOOT" -f; fi
}

# Writes the mark down. Fails when one is there: of two requests at once only one gets through.
fr_set_mark() {
  fr_at=$MARK_DIR/reboot-$BOOT_ID
  if [ -n "$MARK" ]; then rm -f "$fr_at"; fi
  fr_seconds=0
  if [ "$UPTIME" != null ]; then fr_seconds=${UPTIME%%.*}; fi
  (set -C; printf '%s %s %s\n' "$TOKEN" "$BOOT_ID" "$fr_seconds" >"$fr_at") 2>/dev/null
}

fr_reboot() {
  if [ -z "$BOOT_ID" ]; then fr_refused unsupported /proc/sys/kernel/random/boot_id; return; fi
  if [ -n "$EXPECT_BOOT" ] && [ "$EXPECT_BOOT" != "$BOOT_ID" ]; then fr_refused changed; return; fi
  if [ -n "$MARK" ] && { [ "$MARK" = "$TOKEN" ] || [ "$MARK_AGE" -lt "$PATIENCE" ]; }; then
    fr_acted reboot 0 1
    return
  fi
  umask 077
  if ! fr_means; then fr_refused unsupported reboot; return; fi
  if [ -z "$MARK_DIR" ] || [ -L "$MARK_DIR" ] || ! mkdir -p "$MARK_DIR" 2>/dev/null || [ ! -O "$MARK_DIR" ]; then
    fr_refused permission "$MARK_DIR"
    return
  fi
  if ! fr_set_mark; then
    if [ -f "$fr_at" ]; then fr_acted reboot 0 1; else fr_refused permission "$MARK_DIR"; fi
    return
  fi
  trap '' HUP
  fr_restart </dev/null >/dev/null 2>&1 &
  fr_acted reboot 1 0
}

fr_main() {
  fr_boot
  fr_mark
  fr_reboot
  fr_end 0
}
