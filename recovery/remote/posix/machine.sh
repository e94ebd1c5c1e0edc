# The machine at large: what its kernel runs beside the system's own, what was installed, and how it could be helped.

MOST_MODULES=300
MOST_UPDATES=40
: "${FR_ROOT:=}"

# Prints a module record: name, kind, mode, version, whether it runs.
fr_module() {
  fr_listed=$((fr_listed + 1))
  if [ "$fr_listed" -gt "$MOST_MODULES" ]; then fr_more=true; return; fi
  fr_hex "$1"
  fr_of=$HEX
  fr_hex "$4"
  printf '{"record":"module","name_hex":"%s","kind":"%s","mode":"%s","version_hex":"%s","running":%s}\n' \
    "$fr_of" "$2" "$3" "$HEX" "$5"
}

# Prints an update record: name with version, seconds since 1970.
fr_update() {
  case $2 in '' | *[!0-9]*) fr_when=null ;; *) fr_when=$2 ;; esac
  fr_hex "$1"
  printf '{"record":"update","name_hex":"%s","installed_at":%s}\n' "$HEX" "$fr_when"
}

# The kernel marks modules that are not of its own tree with letters: O (out of tree), P (proprietary), E (unsigned).
# See "Tainted kernels" in the kernel's documentation.
fr_linux_modules() {
  # shellcheck disable=SC2034 # the columns between
  while IFS=' ' read -r fr_name fr_size fr_refs fr_users fr_live fr_address fr_taint; do
    case $fr_taint in *[OPE]*) ;; *) continue ;; esac
    fr_version=
    { IFS= read -r fr_version <"$FR_ROOT/sys/module/$fr_name/version"; } 2>/dev/null
    if [ "$fr_live" = Live ]; then fr_up=true; else fr_up=false; fi
    fr_module "$fr_name" lkm kernel "$fr_version" "$fr_up"
  done 2>/dev/null <"$FR_ROOT/proc/modules"
}

# A program that was loaded for eBPF is held open by a process, unless it is pinned; the system's own manager is not named.
fr_linux_ebpf() {
  fr_owners=$NL fr_pid=
  # shellcheck disable=SC2012 # busybox has no find that reads links
  for fr_line in $(ls -l "$FR_ROOT"/proc/[0-9]*/fd 2>/dev/null | sed -n -e '/\/fd:$/p' -e '/bpf/p'); do
    case $fr_line in
      */fd:) fr_pid=${fr_line%/fd:} && fr_pid=${fr_pid##*/} ;;
      *'-> anon_inode:bpf-prog' | *'-> anon_inode:bpf_link')
        fr_have=
        { IFS= read -r fr_have <"$FR_ROOT/proc/$fr_pid/comm"; } 2>/dev/null
        case $fr_have in '' | systemd) continue ;; esac
        case $fr_owners in *"$NL$fr_have$NL"*) continue ;; esac
        fr_owners=$fr_owners$fr_have$NL
        fr_module "$fr_have" ebpf kernel '' true
        ;;
    esac
  done
}

fr_modules() {
  fr_listed=0 fr_more=false
  fr_linux_modules
  fr_linux_ebpf
  printf '{"record":"modules","truncated":%s}\n' "$fr_more"
}

# The packages that were installed or changed last, kernels among them, newest first, by the package manager's own books.
fr_updates() {
  if [ -d "$FR_ROOT/var/lib/dpkg/info" ]; then
    fr_dpkg
  elif command -v rpm >/dev/null 2>&1; then
    for fr_line in $(rpm -qa --queryformat '%{INSTALLTIME} %{NAME} %{VERSION}-%{RELEASE}\n' 2>/dev/null \
      | sort -rn | head -n "$MOST_UPDATES"); do
      fr_update "${fr_line#* }" "${fr_line%% *}"
    done
  fi
  printf '{"record":"updates"}\n'
}

# The list of a package's files is written when it is installed.
fr_dpkg() {
  # shellcheck disable=SC2012 # names of packages are plain
  for fr_file in $(ls -t "$FR_ROOT"/var/lib/dpkg/info/*.list 2>/dev/null | head -n "$MOST_UPDATES"); do
    fr_name=${fr_file##*/} && fr_name=${fr_name%.list}
    fr_stat %Y "$fr_file"
    fr_version=$(dpkg-query --admindir="$FR_ROOT/var/lib/dpkg" -W -f '${Version}' "$fr_name" 2>/dev/null)
    fr_update "$fr_name $fr_version" "$STAT"
  done
}

fr_readiness() {
  fr_kernels=0 fr_restarts=null fr_panic=
  for fr_each in "$FR_ROOT"/boot/vmlinuz-* "$FR_ROOT"/boot/vmlinux-*; do
    case $fr_each in *.old | *rescue*) continue ;; esac
    if [ -f "$fr_each" ]; then fr_kernels=$((fr_kernels + 1)); fi
  done
  { IFS= read -r fr_panic <"$FR_ROOT/proc/sys/kernel/panic"; } 2>/dev/null
  case $fr_panic in '' | *[!0-9-]*) ;; 0) fr_restarts=false ;; *) fr_restarts=true ;; esac
  if [ "$fr_kernels" -eq 0 ]; then fr_kernels=null; fi
  printf '{"record":"readiness","restarts_after_crash":%s,"kernels":%s}\n' "$fr_restarts" "$fr_kernels"
}

# Free space where the artifact lies, and whether the system says that it waits for a restart.
fr_facts() {
  fr_free=null
  for fr_line in $(df -Pk "${DIRECTORY:-/}" 2>/dev/null | sed -n 2p); do
    IFS=' '
    # shellcheck disable=SC2086 # the columns are meant to become words
    set -- $fr_line
    IFS=$NL
    case ${4:-} in '' | *[!0-9]*) ;; *) fr_free=$(($4 * 1024)) ;; esac
  done
  fr_pending=null
  if [ -d "$FR_ROOT/var/lib/dpkg/info" ]; then fr_pending=false; fi
  if [ -f "$FR_ROOT/var/run/reboot-required" ]; then fr_pending=true; fi
  printf '{"record":"facts","pending_reboot":%s,"free_bytes":%s}\n' "$fr_pending" "$fr_free"
}
