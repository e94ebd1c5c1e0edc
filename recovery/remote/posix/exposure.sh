# Reads what runs in the kernel beside the system's own, and how the host could be helped. Changes nothing.

MOST_MODULES=300
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

fr_linux_readiness() {
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

# Kernel extensions that are not Apple's, and system extensions, which run outside of the kernel.
fr_macos_modules() {
  for fr_line in $( { kmutil showloaded --list-only || kextstat -l; } 2>/dev/null); do
    IFS=' '
    # shellcheck disable=SC2086 # the columns are meant to become words
    set -- $fr_line
    IFS=$NL
    for fr_word in "$@"; do
      case $fr_word in
        com.apple.*) break ;;
        *.*.*[a-zA-Z]*) fr_version=${fr_line#*"$fr_word ("} && fr_version=${fr_version%%)*}
          fr_module "$fr_word" kext kernel "$fr_version" true
          break ;;
      esac
    done
  done
  for fr_line in $(systemextensionsctl list 2>/dev/null); do
    case $fr_line in *'('*/*')'*'['*) ;; *) continue ;; esac
    fr_name=${fr_line%% (*}
    fr_name=${fr_name##*[!A-Za-z0-9._-]}
    fr_version=${fr_line#*(} && fr_version=${fr_version%%/*}
    case $fr_line in *'[activated enabled]'*) fr_up=true ;; *) fr_up=false ;; esac
    fr_module "$fr_name" extension user "$fr_version" "$fr_up"
  done
}

fr_main() {
  fr_boot
  fr_system
  fr_services
  fr_listed=0 fr_more=false
  if [ "$(uname -s)" = Darwin ]; then
    fr_macos_modules
  else
    fr_linux_modules
    fr_linux_ebpf
  fi
  printf '{"record":"modules","truncated":%s}\n' "$fr_more"
  if [ "$(uname -s)" != Darwin ]; then fr_linux_readiness; fi
  fr_end 0
}
