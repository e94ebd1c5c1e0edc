"""Machines with packages, kernels and files of their own, and the system's tools as stand-ins on the search path."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recovery.model.evidence import ArtifactListing
from recovery.model.incident import Artifact, Incident, Platform, Proof, Remedy
from recovery.ports import Completed
from recovery.remote import catalog, replies
from recovery.remote.replies import Reply
from tests.unit.remote.shells import BEGAN, HOST, Shell

PACKAGE = Artifact(
    kind="package", name="sensor", bad_versions=("7.10.*", "7.11.0-1"), good_versions=("7.10.9",)
)

DPKG_QUERY = """
    for name; do :; done
    [ "$name" = sensor ] || exit 1
    [ -s "$FAKE/installed" ] || exit 1
    while read -r version; do
      case $version in rc*) echo "rc |${version#rc }" ;; *) echo "ii |$version" ;; esac
    done <"$FAKE/installed"
"""
DPKG = """
    echo "dpkg $*" >>"$FAKE/calls"
    case "$*" in
      *--remove*)
        if [ -e "$FAKE/needed" ]; then
          echo "dpkg: dependency problems prevent removal of sensor:" >&2
          echo " other depends on sensor." >&2
          exit 1
        fi
        : >"$FAKE/installed" ;;
      *-i*)
        for file; do :; done
        name=${file##*/sensor_}
        echo "${name%_*}" >"$FAKE/installed" ;;
    esac
"""
APT_GET = """
    echo "apt-get $*" >>"$FAKE/calls"
    for name; do :; done
    if [ -e "$FAKE/offline" ]; then echo "E: Unable to fetch some archives" >&2; exit 100; fi
    grep -qx "${name#sensor=}" "$FAKE/sources" || { echo "E: Version not found" >&2; exit 100; }
    echo "${name#sensor=}" >"$FAKE/installed"
    if [ -e "$FAKE/killer" ]; then rm "$FAKE/killer"; kill -9 0; fi
"""
APT_MARK = """
    echo "apt-mark $*" >>"$FAKE/calls"
    case $1 in
      hold) echo "$2" >>"$FAKE/held" ;;
      unhold) : >"$FAKE/held" ;;
      showhold) cat "$FAKE/held" 2>/dev/null ;;
    esac
"""
RPM = """
    echo "rpm $*" >>"$FAKE/calls"
    case $1 in
      -q) if [ -s "$FAKE/installed" ]; then cat "$FAKE/installed"; else echo "package is not installed"; exit 1; fi ;;
      -e) : >"$FAKE/installed" ;;
      -U)
        for file; do :; done
        name=${file##*/sensor-}
        echo "${name%.x86_64.rpm}" >"$FAKE/installed" ;;
    esac
"""
DNF = """
    echo "dnf $*" >>"$FAKE/calls"
    for name; do :; done
    case "$*" in
      *versionlock*) exit 0 ;;
      *downgrade*)
        if [ -e "$FAKE/offline" ]; then echo "Error: Failed to download metadata" >&2; exit 1; fi
        echo "${name#sensor-}" >"$FAKE/installed" ;;
      *) exit 1 ;;
    esac
"""
DEBIAN = {"dpkg-query": DPKG_QUERY, "dpkg": DPKG, "apt-get": APT_GET, "apt-mark": APT_MARK}
RED_HAT = {"rpm": RPM, "dnf": DNF}


class ItemMachine:
    """A machine whose artifact is not files."""

    def __init__(self, shell: Shell, root: Path, artifact: Artifact, remedy: Remedy) -> None:
        """Everything stands below `root`; stand-ins are added by `tools`."""
        self.shell = shell
        self.root = root
        self.fake = root / "fake"
        self.bin = root / "bin"
        self.quarantine = root / "quarantine"
        self.system = root / "system"
        for folder in (self.fake, self.bin, self.system):
            folder.mkdir()
        self.remedy = Remedy(
            kind=remedy.kind,
            quarantine=str(self.quarantine),
            versions=remedy.versions,
            copies=remedy.copies,
        )
        linux = Platform(artifact=artifact, proof=Proof(), remedies={"full_system": self.remedy})
        self.incident = Incident(name="test", title="Test", began=BEGAN, platforms={"linux": linux})

    def tools(self, programs: Mapping[str, str]) -> None:
        """Put stand-ins in front of the system's programs."""
        for name, text in programs.items():
            program = self.bin / name
            program.write_text("#!/bin/sh\n" + textwrap.dedent(text))
            program.chmod(0o755)

    def say(self, name: str, text: str = "") -> None:
        """A fact for the stand-ins."""
        (self.fake / name).write_text(text)

    def said(self, name: str) -> str:
        """What the stand-ins have noted."""
        file = self.fake / name
        return file.read_text() if file.exists() else ""

    def completed(self, action: str, token: str, *, system: bool = False) -> Completed:
        """What comes back; with `system` the scripts look at the folder `system` in place of the real one."""
        settings = {"ROOT": str(self.system)} if system else {}
        command = catalog.command(
            action, HOST, self.incident, token=token, timeout=30.0, settings=settings
        )
        path = f"{self.bin}:{self.shell.environ['PATH']}"
        return self.shell.run(catalog.render(command), PATH=path, FAKE=str(self.fake))

    def ask(self, action: str, token: str = "i1", *, system: bool = False) -> Reply:
        """The reply; nothing may have been said beside it."""
        completed = self.completed(action, token, system=system)
        assert completed.stderr == b"", completed.stderr.decode(errors="replace")
        return replies.read(completed, token)

    def act(self, token: str = "i1", *, system: bool = False) -> Reply:
        """Carry the remedy out."""
        return self.ask(self.remedy.kind, token, system=system)

    def done(self, reply: Reply, action: str = "") -> tuple[int, int, bool]:
        """Things changed, already, nothing."""
        acted = reply.acted(action or self.remedy.kind)
        assert acted is not None, reply
        return acted.files, acted.already, acted.nothing


def looked(reply: Reply) -> ArtifactListing:
    """The artifact as the reply tells it."""
    found = replies.evidence(reply, at=BEGAN, source="test")
    return next(item for item in found if isinstance(item, ArtifactListing))


def items(reply: Reply) -> list[tuple[Any, ...]]:
    """Version, state and detail of each item."""
    return [(item.version, item.state, item.detail) for item in looked(reply).items]
