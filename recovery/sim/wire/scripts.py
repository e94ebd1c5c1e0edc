"""From what arrives at a simulated machine back to the action, its token and its settings.

Only the project's own scripts are known, by their text: whatever else arrives is refused, as by a machine on which
there is nothing else to run.
"""

from __future__ import annotations

import binascii
import contextlib
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from recovery.errors import RecoveryError
from recovery.model.host import Host, Os
from recovery.model.incident import Incident
from recovery.model.remedy import REMEDIES
from recovery.ports import Command
from recovery.remote import catalog
from recovery.remote.catalog import launch
from recovery.remote.launch import Launch

_TOKEN = re.compile(rb"\{\nTOKEN=([A-Za-z0-9_-]{1,64})\n")
_PLAIN = re.compile(r"([A-Z][A-Z_]*)='([^']*)'")
_ESCAPED = re.compile(r"([A-Z][A-Z_]*)=\$\(printf '(.*)\.'\) && \1=\$\{\1%\.\}")
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")
_ACTIONS = ("triage", "quarantine", "undo", "reboot", "run", "strike", "race", "prove", *REMEDIES)
"""Where two have the same script, the first one stands for both: machines answer them alike."""
_OUTER: tuple[Literal["none", "cmd", "powershell"], ...] = ("none", "cmd", "powershell")
_STRUCK = re.compile(r'"record":"end","token":"([A-Za-z0-9_-]{1,64})"')
_ENCODED = re.compile(r"FromBase64String\('([A-Za-z0-9+/=]+)'\)")
_WORD = "74727565"
_settings_of = msgspec.json.Decoder(dict[str, str])


class Scripts:
    """The catalog's scripts in one incident, as they look when they arrive."""

    def __init__(self, incident: Incident) -> None:
        """The settings that `incident` gives them do not matter."""
        self._posix = {action: _ending(probe) for action, probe in _probes("linux", incident)}
        self._windows: list[tuple[str, Launch]] = []
        self._strike: Command | None = None
        for action, probe in _probes("windows", incident):
            if action == "strike":
                self._strike = probe
            with contextlib.suppress(RecoveryError):
                self._windows += [(action, launch(probe, outer=outer)) for outer in _OUTER]
        self._fed = {probe.line for _, probe in self._windows if probe.stdin}

    def posix(self, stdin: bytes) -> Command | None:
        """The command that these bytes for `sh` carry; None when they are not the catalog's."""
        token = _TOKEN.match(stdin)
        if token is None:
            return None
        for action, ending in self._posix.items():
            if stdin.endswith(ending):
                lines = stdin[token.end() : -len(ending)].decode("ascii", "replace").split("\n")
                return _command(action, token[1].decode(), _assignments(lines))
        return None

    def waits_for_input(self, line: str) -> bool:
        """Whether a command line of Windows is one that reads its script from standard input."""
        return line in self._fed

    def windows(self, line: str, stdin: bytes) -> Command | None:
        """The command that a command line and its standard input carry; None when they are not the catalog's."""
        head, _, script = stdin.partition(b"\n")
        for action, probe in self._windows:
            if probe.line == line and probe.stdin.partition(b"\n")[2] == script:
                try:
                    settings = _settings_of.decode(head)
                except msgspec.DecodeError:
                    return None
                return _command(action, settings.pop("TOKEN", ""), settings)
        return self._struck(line)

    def _struck(self, line: str) -> Command | None:
        """A strike carries everything on its line, so it is made anew with its token and compared."""
        encoded = _ENCODED.search(line)
        try:
            text = b64decode(encoded[1]).decode("utf-8", "replace") if encoded else line
        except binascii.Error:
            return None
        token = _STRUCK.search(text.replace("^", ""))
        if self._strike is None or token is None:
            return None
        probe = msgspec.structs.replace(self._strike, token=token[1])
        if not any(launch(probe, outer=outer).line == line for outer in _OUTER):
            return None
        return _command("strike", token[1], {})


def _probes(os: Os, incident: Incident) -> Iterator[tuple[str, Command]]:
    host = Host(name="probe", os=os)
    seen: set[bytes] = set()
    for action in _ACTIONS:
        settings = {"ARGV": _WORD} if action == "run" else {}
        try:
            probe = catalog.command(
                action, host, incident, token=action, timeout=60.0, settings=settings
            )
        except RecoveryError:
            continue
        if not probe.script or probe.script not in seen:
            seen.add(probe.script)
            yield action, probe


def _ending(probe: Command) -> bytes:
    """The script, and what stands behind it."""
    rendered = catalog.render(probe)
    return rendered[rendered.rindex(probe.script) :]


def _command(action: str, token: str, settings: Mapping[str, str]) -> Command:
    return Command(  # noqa: S604 - the kind of shell, and no shell
        action=action,
        shell="posix",
        script=b"",
        settings=settings,
        token=token,
        timeout=60.0,
    )


def _assignments(lines: list[str]) -> dict[str, str]:
    found = dict(pair for line in lines if (pair := _assignment(line)))
    words = [found.pop(name) for name in list(found) if name.startswith("ARG_")]
    if words:
        found["ARGV"] = " ".join(word.encode("utf-8", "surrogateescape").hex() for word in words)
    return found


def _assignment(line: str) -> tuple[str, str] | None:
    plain = _PLAIN.fullmatch(line)
    if plain:
        return plain[1], plain[2]
    escaped = _ESCAPED.fullmatch(line)
    if escaped is None:
        return None
    raw = _OCTAL.sub(lambda match: chr(int(match[1], 8)), escaped[2]).encode("latin-1")
    return escaped[1], raw.decode("utf-8", "surrogateescape")
