# What is different on macOS. These functions stand in for those of the same names.

fr_sha() {
  SHA=$(shasum -a 256 <"$1" 2>/dev/null) || SHA=
  SHA=${SHA%% *}
}

fr_stat() {
  case $1 in
    '%s %Y') fr_form='%z %m' ;;
    '%s %Y %a %u:%g') fr_form='%z %m %Lp %u:%g' ;;
    %Y) fr_form=%m ;;
    %d) fr_form=%d ;;
    *) STAT='' && return ;;
  esac
  STAT=$(stat -f "$fr_form" "$2" 2>/dev/null) || STAT=
}

# The session's id changes with every boot and with nothing else (sysctl kern.bootsessionuuid).
fr_boot() {
  LC_ALL=C
  export LC_ALL
  BTIME=null UPTIME=null
  BOOT_ID=$(sysctl -n kern.bootsessionuuid 2>/dev/null)
  case $BOOT_ID in *[!0-9A-Fa-f-]*) BOOT_ID= ;; esac
  fr_at=$(sysctl -n kern.boottime 2>/dev/null)
  fr_at=${fr_at#*sec = }
  fr_at=${fr_at%%,*}
  NOW=$(date -u +%s)
  case $NOW in '' | *[!0-9]*) NOW=null ;; esac
  case $fr_at in '' | *[!0-9]*) ;; *) BTIME=$fr_at ;; esac
  if [ "$NOW" != null ] && [ "$BTIME" != null ] && [ "$NOW" -ge "$BTIME" ]; then UPTIME=$((NOW - BTIME)); fi
  printf '\n{"record":"boot","boot_id":"%s","boot_time":%s,"uptime":%s,"clock":%s}\n' \
    "$BOOT_ID" "$BTIME" "$UPTIME" "$NOW"
}

fr_system() {
  fr_hex "macOS $(sw_vers -productVersion 2>/dev/null) ($(uname -sr))"
  fr_release=$HEX
  fr_hex "$(uname -n)"
  printf '{"record":"system","os":"macos","release_hex":"%s","hostname_hex":"%s"}\n' "$fr_release" "$HEX"
}

# A service is a label of launchd, a process the name of its program.
fr_services() {
  fr_labels=$NL$(launchctl list 2>/dev/null | while IFS='	' read -r fr_pid fr_status fr_label; do
    case $fr_pid in *[0-9]*) printf '%s\n' "$fr_label" ;; esac
  done)$NL
  for fr_name in $SERVICES; do
    case $fr_labels in *"$NL$fr_name$NL"*) fr_up=true ;; *) fr_up=false ;; esac
    fr_service_record "$fr_name" "$fr_up" launchd
  done
  fr_running=$NL$(ps -axco comm= 2>/dev/null)$NL
  for fr_name in $PROCESSES; do
    case $fr_running in *"$NL$fr_name$NL"*) fr_up=true ;; *) fr_up=false ;; esac
    fr_service_record "$fr_name" "$fr_up" process
  done
}

# The newest reports on panics, at most five. In newer ones the text is a JSON string, in older ones a line.
fr_crashes() {
  fr_count=0
  for fr_record in $(ls -t "${FR_ROOT:-}"/Library/Logs/DiagnosticReports/*.panic 2>/dev/null); do
    if [ ! -f "$fr_record" ] || [ "$fr_count" -ge 5 ]; then continue; fi
    fr_count=$((fr_count + 1))
    fr_text=$(head -c 65536 "$fr_record" 2>/dev/null | tr '\000' ' ' \
      | sed -n -e 's/^.*\(panic(cpu [^\\"]*\).*$/\1/p' | head -n 1 | head -c 300)
    fr_stat %Y "$fr_record"
    fr_hex "$fr_text"
    printf '{"record":"crash","source":"panic_report","at":%s,"text_hex":"%s"}\n' "${STAT:-null}" "$HEX"
  done
}

# Kernel extensions that are not Apple's, and system extensions, which run outside of the kernel.
fr_modules() {
  fr_listed=0 fr_more=false
  for fr_line in $( { kmutil showloaded --list-only || kextstat -l; } 2>/dev/null); do
    IFS=' '
    # shellcheck disable=SC2086 # the columns are meant to become words
    set -- $fr_line
    IFS=$NL
    for fr_word in "$@"; do
      case $fr_word in
        com.apple.*) break ;;
        *.*.*[a-zA-Z]*)
          fr_version=${fr_line#*"$fr_word ("}
          fr_module "$fr_word" kext kernel "${fr_version%%)*}" true
          break
          ;;
      esac
    done
  done
  for fr_line in $(systemextensionsctl list 2>/dev/null); do
    case $fr_line in *'('*/*')'*'['*) ;; *) continue ;; esac
    fr_name=${fr_line%% (*}
    fr_name=${fr_name##*[!A-Za-z0-9._-]}
    fr_version=${fr_line#*(}
    case $fr_line in *'[activated enabled]'*) fr_up=true ;; *) fr_up=false ;; esac
    fr_module "$fr_name" extension user "${fr_version%%/*}" "$fr_up"
  done
  printf '{"record":"modules","truncated":%s}\n' "$fr_more"
}

# What was installed last: `softwareupdate --history` tells only Apple's own, and its dates in the reader's language.
fr_updates() {
  for fr_line in $(fr_packages | sort -rn | head -n "$MOST_UPDATES"); do
    fr_update "${fr_line#* }" "${fr_line%% *}"
  done
  printf '{"record":"updates"}\n'
}

# When each of the packages of other vendors was installed, its name and version; of the first 300.
fr_packages() {
  for fr_name in $(pkgutil --pkgs 2>/dev/null | grep -v '^com\.apple\.' | head -n 300); do
    fr_said=$(pkgutil --pkg-info "$fr_name" 2>/dev/null)
    fr_version=${fr_said#*version: } fr_at=${fr_said##*install-time: }
    printf '%s %s %s\n' "${fr_at%%"$NL"*}" "$fr_name" "${fr_version%%"$NL"*}"
  done
}

fr_readiness() { :; }
