# What runs, and what has crashed.

# Says whether the service or process $1 runs ($2), with a word on its state ($3).
fr_service_record() {
  fr_hex "$1"
  fr_of=$HEX
  fr_hex "$3"
  printf '{"record":"service","name_hex":"%s","running":%s,"detail_hex":"%s"}\n' "$fr_of" "$2" "$HEX"
}

# The kernel keeps 15 characters of a process's name.
fr_short() {
  SHORT=${1#???????????????}
  if [ "$SHORT" = "$1" ]; then SHORT=$1; else SHORT=${1%"$SHORT"}; fi
}

# Sets RUNNING to the names in the list $1 that a process has, one a line.
fr_processes() {
  fr_wanted=$NL RUNNING=$NL
  for fr_name in $1; do
    fr_short "$fr_name"
    fr_wanted=$fr_wanted$SHORT$NL
  done
  for fr_comm in /proc/[0-9]*/comm; do
    fr_have=
    { IFS= read -r fr_have <"$fr_comm"; } 2>/dev/null
    case $fr_wanted in *"$NL$fr_have$NL"*) RUNNING=$RUNNING$fr_have$NL ;; esac
  done
}

fr_services() {
  fr_managed=$SERVICES fr_others=$PROCESSES
  # Without systemd a service is looked for as a process of its name.
  if [ ! -d /run/systemd/system ]; then fr_managed='' fr_others=$SERVICES$NL$PROCESSES; fi
  for fr_name in $fr_managed; do
    if fr_is=$(systemctl is-active -- "$fr_name" 2>/dev/null </dev/null); then fr_up=true; else fr_up=false; fi
    fr_service_record "$fr_name" "$fr_up" "$(printf '%.40s' "$fr_is")"
  done
  if [ -z "${fr_others#"$NL"}" ]; then return; fi
  fr_processes "$fr_others"
  for fr_name in $fr_others; do
    fr_short "$fr_name"
    case $RUNNING in *"$NL$SHORT$NL"*) fr_up=true ;; *) fr_up=false ;; esac
    fr_service_record "$fr_name" "$fr_up" process
  done
}

# What the kernel kept of its last panics, and what kdump saved of them, at most five.
fr_crashes() {
  fr_count=0
  for fr_record in /sys/fs/pstore/dmesg-* /var/lib/systemd/pstore/*/dmesg.txt \
    /var/crash/*/vmcore-dmesg.txt /var/crash/*/dmesg.*; do
    if [ ! -f "$fr_record" ] || [ "$fr_count" -ge 5 ]; then continue; fi
    fr_count=$((fr_count + 1))
    fr_text=$(head -c 65536 "$fr_record" 2>/dev/null | tr '\000' ' ' \
      | sed -n -E -e '/Kernel panic|BUG:|Oops/{p;q;}' | head -c 300)
    fr_stat %Y "$fr_record"
    fr_hex "$fr_text"
    case $fr_record in /var/crash/*) fr_kept=kdump ;; *) fr_kept=pstore ;; esac
    printf '{"record":"crash","source":"%s","at":%s,"text_hex":"%s"}\n' "$fr_kept" "${STAT:-null}" "$HEX"
  done
}

# What the host is in.
fr_condition() {
  fr_system
  fr_listing
  fr_services
  fr_crashes
}

# That, as the end of an answer.
fr_report() {
  fr_condition
  fr_mark
  fr_end 0
}
