# The package of the profile, by dpkg or rpm. Both are called by their path, since a shell may have lesser ones built in.
# ROOT is where the system's folders stand, when it is not the running one.

# Sets FOUND to the versions of the package $1 that dpkg has, one a line, and DPKG to the dpkg that goes with it.
# The second letter of the status tells what really is there: n and c mean that it is not installed.
fr_dpkg_versions() {
  fr_find dpkg-query
  fr_query=$FOUND DPKG=${FOUND%/*}/dpkg FOUND=
  # shellcheck disable=SC2016 # the fields are dpkg-query's own
  fr_all=$("$fr_query" --admindir="$ROOT/var/lib/dpkg" -W -f '${db:Status-Abbrev}|${Version}\n' "$1" 2>/dev/null) || return 0
  for fr_line in $fr_all; do
    case $fr_line in ?[nc]*) continue ;; esac
    FOUND=$FOUND${FOUND:+$NL}${fr_line#*|}
  done
}

fr_rpm_versions() {
  fr_find rpm
  FOUND=$("$FOUND" ${ROOT:+--root="$ROOT"} -q --qf '%{VERSION}-%{RELEASE}\n' "$1" 2>/dev/null) || FOUND=
}

# Sets MANAGER to the one that has the package $1, else to one that is there at all, and FOUND to the versions.
fr_versions() {
  MANAGER=
  if fr_has dpkg-query; then
    MANAGER=dpkg
    fr_dpkg_versions "$1"
    if [ -n "$FOUND" ]; then return; fi
  fi
  if fr_has rpm; then
    fr_rpm_versions "$1"
    if [ -n "$FOUND" ] || [ -z "$MANAGER" ]; then MANAGER=rpm; fi
  elif [ -z "$MANAGER" ]; then
    FOUND=
  fi
}

fr_look() {
  fr_versions "$NAME"
  if [ -z "$MANAGER" ]; then fr_trouble no_package_manager; BLIND=unreadable; return; fi
  for fr_one in $FOUND; do
    EXISTS=true
    fr_judge "$fr_one"
    if [ "$STATE" = bad ]; then BAD=$((BAD + 1)); fi
    fr_item "$NAME" "$STATE" "$fr_one" "$MANAGER"
  done
}
