# Installs a given version of the package, from its sources or, where they do not answer, from the host's own cache.

fr_before() {
  fr_versions "$NAME"
  BEFORE=$FOUND
}

# Sets CACHED to a package file of the version $1 that the host has kept, or to nothing.
fr_cached() {
  CACHED=
  if [ "$MANAGER" = dpkg ]; then
    fr_text=$1
    case $fr_text in *:*) fr_text=${fr_text%%:*}%3a${fr_text#*:} ;; esac
    for fr_file in "$ROOT/var/cache/apt/archives/${NAME}_${fr_text}"_*.deb; do
      if [ -f "$fr_file" ]; then CACHED=$fr_file; fi
    done
    return
  fi
  for fr_dir in dnf libdnf5 yum zypp; do
    if [ ! -d "$ROOT/var/cache/$fr_dir" ]; then continue; fi
    CACHED=$(find "$ROOT/var/cache/$fr_dir" -type f -name "$NAME-$1.*.rpm" 2>/dev/null | head -n 1)
    if [ -n "$CACHED" ]; then return; fi
  done
}

# Lets the package management fetch the version $1. No other package may go for it.
fr_from_source() {
  if [ -n "$ROOT" ]; then return 1; fi
  if [ "$MANAGER" = dpkg ]; then
    fr_has apt-get || return 1
    fr_call env DEBIAN_FRONTEND=noninteractive "$FOUND" -y -q --no-remove --allow-downgrades \
      --allow-change-held-packages -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold install "$NAME=$1"
    return
  fi
  for fr_tool in dnf yum; do
    if ! fr_has "$fr_tool"; then continue; fi
    fr_call "$FOUND" -y downgrade "$NAME-$1" || fr_call "$FOUND" -y install "$NAME-$1"
    return
  done
  if fr_has zypper; then
    fr_call "$FOUND" --non-interactive install --oldpackage "$NAME=$1"
    return
  fi
  return 1
}

fr_from_cache() {
  fr_cached "$1"
  if [ -z "$CACHED" ]; then return 1; fi
  if [ "$MANAGER" = dpkg ]; then
    fr_call env DEBIAN_FRONTEND=noninteractive PATH="${DPKG%/*}:$PATH" "$DPKG" ${ROOT:+--root="$ROOT"} --force-confold,downgrade -i "$CACHED" || return 1
  else
    fr_find rpm
    fr_call "$FOUND" ${ROOT:+--root="$ROOT"} -U --oldpackage "$CACHED" || return 1
  fi
  fr_note from_cache "$CACHED"
}

# Keeps the package management from bringing the bad version back. What somebody else holds stays theirs.
fr_hold() {
  if [ -n "$ROOT" ]; then fr_note not_held "$NAME"; return; fi
  if [ "$MANAGER" = dpkg ] && fr_has apt-mark; then
    if [ -n "$("$FOUND" showhold "$NAME" 2>/dev/null)" ]; then return; fi
    fr_call "$FOUND" hold "$NAME" && : >"$FOLDER/held" && return
  elif [ "$MANAGER" = rpm ] && fr_has dnf; then
    fr_call "$FOUND" -y versionlock add "$NAME" && : >"$FOLDER/held" && return
  elif [ "$MANAGER" = rpm ] && fr_has zypper; then
    fr_call "$FOUND" --non-interactive addlock "$NAME" && : >"$FOLDER/held" && return
  fi
  fr_note not_held "$NAME"
}

fr_release() {
  if [ ! -f "$FOLDER/held" ]; then return; fi
  if [ "$MANAGER" = dpkg ]; then
    fr_call apt-mark unhold "$NAME"
  elif fr_has dnf; then
    fr_call dnf -y versionlock delete "$NAME"
  else
    fr_call "$FOUND" --non-interactive removelock "$NAME"
  fi
  rm -f "$FOLDER/held"
}

# Whether the package's version is $1 now; where several are installed they have to be all of it.
fr_is_at() {
  fr_versions "$NAME"
  [ "$FOUND" = "$1" ]
}

fr_install() {
  if fr_from_source "$1" && fr_is_at "$1"; then return 0; fi
  fr_why=$SAID
  if fr_from_cache "$1" && fr_is_at "$1"; then fr_note offline "$fr_why"; return 0; fi
  if [ -n "$SAID" ]; then fr_why=$SAID; fi
  return 1
}

fr_do() {
  fr_why=
  set -f
  for fr_wanted in $VERSIONS; do
    set +f
    if fr_install "$fr_wanted"; then fr_hold; return 0; fi
  done
  set +f
  fr_refused unavailable "$fr_why"
  return 1
}

fr_take_back() {
  fr_versions "$NAME"
  if [ "$FOUND" != "$1" ]; then
    if [ -z "$1" ]; then fr_refused missing "$NAME"; return 1; fi
    fr_release
    if ! fr_install "$1"; then fr_refused unavailable "$fr_why"; return 1; fi
  fi
  fr_release
  return 0
}
