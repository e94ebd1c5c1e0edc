"""The catalog of what may be carried out on an endpoint: scripts, and how their settings are filled in.

A script is text that never changes; what is particular to a host travels beside it. On POSIX that is quoted assignments
in front of the script, and all of it stands inside one pair of braces, so a shell that gets it cut short finds no end
and does nothing. How a script gets to Windows is said in `recovery.remote.launch`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

from recovery.errors import RefusedError, UnsupportedError
from recovery.model.host import Host
from recovery.model.incident import Artifact, Incident, Platform, Remedy
from recovery.model.remedy import REMEDIES, ArtifactKind, RemedyKind
from recovery.ports import Command
from recovery.remote import launch as launching
from recovery.remote import strike, windows_scripts
from recovery.remote.launch import Launch, Outer

_READS = ("lib", "state", "triage")
_SURVEYS = ("lib", "state", "machine", "survey")
_MOVES = ("lib", "state", "lock", "quarantine")

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "triage": _SURVEYS,
    "prove": _READS,
    "quarantine": _MOVES,
    "race": _MOVES,
    "undo": ("lib", "lock", "undo"),
    "reboot": ("lib", "reboot"),
    "run": ("lib", "run"),
    "exposure": ("lib", "state", "machine", "exposure"),
}
"""Action to the parts of its script. `prove` reads what it needs of what triage reads. `race` is a quarantine without
a triage before it: the script checks everything anew anyway, and in a boot window one round trip is all there is.
Where the artifact is not files, the part that lists it and the profile's remedy take the places of these."""

_LOOKS: Mapping[ArtifactKind, str] = {
    "package": "packages",
    "kernel": "kernels",
    "missing_file": "missing",
    "none": "nothing",
}
"""What lists an artifact that is not files."""

_REMEDIES: tuple[RemedyKind, ...] = (
    "package_version",
    "package_remove",
    "kernel_previous",
    "restore_file",
)
"""Those that a script carries out beside `quarantine`; the script is named like the remedy."""

_NAME = re.compile(r"[A-Z][A-Z_]*")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INTENT = "x" * 24
"""As long as the name of an intent is."""
_PLAIN = re.compile(r"[ -&(-~]*")
"""Printable ASCII but the single quote: what stands between single quotes as it is."""
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._:,@+= ")
_GLOB = str.maketrans({"[": "[[]", "\\": "\\\\"})
"""A bracket in a bracket is itself in every shell; a backslash before it is not, where nothing else is a wildcard."""
_MOST_PLATFORMS = 64

_OWN: Mapping[str, str] = {"EXPECT": "", "EXPECT_BOOT": "", "CONTROLLER_CLOCK": ""}
_NO_PLATFORM: Mapping[str, str] = {"SERVICES": "", "PROCESSES": ""}
_WITHOUT_INCIDENT = ("run", "exposure")
_ON_MACOS = ("triage", "prove", "exposure", "run")


def command(
    action: str,
    host: Host,
    incident: Incident | None,
    *,
    token: str,
    timeout: float,
    settings: Mapping[str, str] | None = None,
) -> Command:
    """The command that carries `action` out on `host`, to be answered within `timeout` seconds.

    An action is one of `ACTIONS`, or the kind of a remedy. `token` closes the reply, and names the intent of an act.
    `settings` of acts: EXPECT (`hex of path:sha256` words), EXPECT_BOOT, CONTROLLER_CLOCK (seconds since 1970), ARGV
    (hex words), and where Windows does not run VOLUME (its drive, `D:`) and STORE (the file of its boot settings).
    `run` and `exposure` need no `incident`.
    Raises `RefusedError` where the profile says nothing about the host's platform.
    """
    posix = host.os != "windows"
    known = {*ACTIONS, *REMEDIES}
    if action not in (
        known if posix else known.union(windows_scripts.ACTIONS, windows_scripts.OFFLINE)
    ):
        message = f"no script is named {action!r}"
        raise RefusedError(message)
    profile = _profile(action, host, incident)
    if posix and action not in _WITHOUT_INCIDENT:
        _check_folders(action, profile)
    parts = _parts(action, profile.get("KIND", "files"), profile.get("REMEDY", "")) if posix else ()
    if host.os == "macos":
        parts = _on_macos(action, parts)
    return Command(
        action=action,
        shell="posix" if posix else "cmd" if action == "strike" else "powershell",
        script=_script(parts) if posix else _windows_script(action, profile),
        settings={**profile, **_OWN, **(settings or {})},
        token=token,
        timeout=timeout,
    )


def racing(host: Host, incident: Incident, expected: str) -> Literal["strike", "race"]:
    """The action that a race sends to `host`: a `strike` where the profile, or what triage saw, lets cmd do it alone.

    `expected` is the EXPECT setting. Else it is a `race`, which takes longer to start on Windows and checks everything.
    """
    if host.os != "windows":
        return "race"
    if _profile("strike", host, incident).get("KIND"):
        return "race"
    settings = {"EXPECT": expected}
    made = command("strike", host, incident, token=_INTENT, timeout=1, settings=settings)
    try:
        # What fits through cmd fits through everything else.
        launch(made, outer="cmd")
    except RefusedError:
        return "race"
    return "strike"


def render(wanted: Command) -> bytes:
    """The bytes that go to the standard input of the endpoint's `sh`.

    Raises `RefusedError` for settings that cannot be quoted, and for a command that is not for `sh`.
    """
    if wanted.shell != "posix":
        message = f"{wanted.action} is for {wanted.shell}, and this host is asked through sh"
        raise RefusedError(message)
    _check_token(wanted)
    lines = ["{", f"TOKEN={wanted.token}"]
    for name, value in wanted.settings.items():
        lines.extend(_argv(value) if name == "ARGV" else (_assignment(name, value),))
    return "\n".join(lines).encode("ascii") + b"\n" + wanted.script + b"fr_main </dev/null\n}\n"


def launch(wanted: Command, *, outer: Outer) -> Launch:
    """How `wanted`, a command for a Windows host, is started through `outer`, and what goes to its standard input.

    Raises `UnsupportedError` for an action without a script, `RefusedError` for what cannot be sent whole.
    """
    if wanted.shell == "posix":
        message = f"{wanted.action} is for sh, and this host is asked through {outer}"
        raise RefusedError(message)
    if not wanted.script:
        message = f"no script for {wanted.action} on windows in this version"
        raise UnsupportedError(message)
    _check_token(wanted)
    text = wanted.script.decode("ascii")
    script = strike.line(wanted.settings, wanted.token) if wanted.shell == "cmd" else text
    return launching.start(wanted, script, outer=outer)


def _check_token(wanted: Command) -> None:
    if not _TOKEN.fullmatch(wanted.token):
        message = "a token has 1 to 64 letters, digits, - and _"
        raise RefusedError(message)


def _assignment(name: str, value: str) -> str:
    """A line that gives `name` exactly `value`, whatever is in it, without ever handing it to the shell as code."""
    if not _NAME.fullmatch(name) or "\0" in value:
        message = f"the setting {name!r} cannot be sent: a NUL byte, or not a name"
        raise RefusedError(message)
    if _PLAIN.fullmatch(value):
        return f"{name}='{value}'"
    raw = value.encode("utf-8", "surrogateescape")
    text = "".join(chr(byte) if byte in _SAFE else f"\\{byte:03o}" for byte in raw)
    # The dot keeps line ends at the end, which a command substitution would drop.
    return f"{name}=$(printf '{text}.') && {name}=${{{name}%.}}"


def _argv(words: str) -> list[str]:
    """Lines that define `fr_argv`, which runs the words that come as hex."""
    if not words:
        message = "a command to run has at least one word"
        raise RefusedError(message)
    texts = [bytes.fromhex(word).decode("utf-8", "surrogateescape") for word in words.split(" ")]
    names = [f"ARG_{_letters(number)}" for number in range(len(texts))]
    lines = [_assignment(name, text) for name, text in zip(names, texts, strict=True)]
    return [*lines, "fr_argv() { fr_exec " + " ".join(f'"${name}"' for name in names) + "; }"]


def _letters(number: int) -> str:
    high, low = divmod(number, 26)
    return (_letters(high - 1) if high else "") + chr(ord("A") + low)


@cache
def _parts(action: str, kind: str, remedy: str) -> tuple[str, ...]:
    """The parts of the script for an artifact of that kind. Raises `RefusedError` where there is none."""
    if kind == "files" or action in ("reboot", *_WITHOUT_INCIDENT):
        if action in ACTIONS:
            return ACTIONS[action]
        message = f"{action} is no remedy for files"
        raise RefusedError(message)
    look = next((part for name, part in _LOOKS.items() if name == kind), "")
    if not look:
        message = f"there is no script that looks for an artifact of kind {kind} here"
        raise RefusedError(message)
    if action == "triage":
        return ("lib", "items", look, "state", "machine", "survey")
    if action == "prove":
        return ("lib", "items", look, "state", "triage")
    if action not in ("undo", "race", remedy) or remedy not in _REMEDIES:
        message = f"no script carries out {remedy if action in ('undo', 'race') else action!r} here"
        raise RefusedError(message)
    if action == "undo":
        return ("lib", "items", look, "calls", "lock", remedy, "takeback")
    return ("lib", "items", look, "state", "calls", "lock", remedy, "act")


def _on_macos(action: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The same script with what is different there. Raises `UnsupportedError` for what would change the host."""
    if action not in _ON_MACOS:
        message = f"macOS hosts are read and not changed in this version: no script for {action}"
        raise UnsupportedError(message)
    return (*parts[:-1], "macos", parts[-1])


@cache
def _script(parts: tuple[str, ...]) -> bytes:
    """The script's parts without their comments, which only cost time on a slow line."""
    folder = resources.files("recovery.remote") / "posix"
    lines = [
        line
        for part in parts
        for line in (folder / f"{part}.sh").read_bytes().splitlines(keepends=True)
    ]
    return b"".join(line for line in lines if line.strip() and not line.lstrip().startswith(b"#"))


def _windows_script(action: str, profile: Mapping[str, str]) -> bytes:
    return windows_scripts.script(action, profile.get("KIND", "files"), profile.get("REMEDY", ""))


_kept: dict[tuple[int, str], tuple[Platform, Mapping[str, str]]] = {}


def _profile(action: str, host: Host, incident: Incident | None) -> Mapping[str, str]:
    platform = incident.platforms.get(host.os) if incident is not None else None
    if incident is None or platform is None:
        if action in _WITHOUT_INCIDENT:
            return _NO_PLATFORM
        named = incident.name if incident is not None else "no incident"
        message = f"{named} says nothing about {host.os}"
        raise RefusedError(message)
    remedy = _remedy_of(platform, action)
    key = (id(platform), remedy.kind if remedy is not None else "")
    kept = _kept.get(key)
    if kept is not None and kept[0] is platform:
        return kept[1]
    if len(_kept) >= _MOST_PLATFORMS:
        _kept.clear()
    found = _platform_settings(platform, remedy, "\\" if host.os == "windows" else "/")
    if host.os == "windows":
        strikes = platform.artifact.strike
        found = {**found, "SINCE": f"{incident.began.timestamp():.0f}", "STRIKE": strikes}
        found["MANIFEST"] = strike.manifest_name(found["ARTIFACT"])
    _kept[key] = (platform, found)
    return found


def _remedy_of(platform: Platform, action: str) -> Remedy | None:
    """The remedy that `action` is about: the one of its name, else the one of a running system that does something."""
    every = tuple(platform.remedies.values())
    named = next((remedy for remedy in every if remedy.kind == action), None)
    first = platform.remedy("full_system", "boot_window")
    if action == "race":
        first = platform.remedy("boot_window", "full_system")
    acting = (one for one in (first, *every) if one is not None and one.kind != "hand_over_only")
    return named or next(acting, None) or next(iter(every), None)


def _check_folders(action: str, profile: Mapping[str, str]) -> None:
    """A folder that is not whole would make the scripts look at, or move, something else."""
    changes = action in ("race", "undo") or action in REMEDIES
    for name in ("DIRECTORY", "QUARANTINE"):
        folder = profile.get(name)
        if folder is None:
            continue
        if not folder.startswith("/") and (changes or folder or name == "DIRECTORY"):
            message = f"the profile's {name.lower()} {folder!r} is not an absolute path below /"
            raise RefusedError(message)


def _platform_settings(
    platform: Platform, remedy: Remedy | None, separator: str
) -> Mapping[str, str]:
    artifact = platform.artifact
    files = artifact.kind == "files"
    own = (
        _file_settings(artifact, separator)
        if files
        else _item_settings(artifact, remedy, separator)
    )
    return {
        **own,
        "QUARANTINE": remedy.quarantine.rstrip(separator) if remedy is not None else "",
        "SERVICES": _names(platform.proof.services),
        "PROCESSES": _names(platform.proof.processes),
    }


def _file_settings(artifact: Artifact, separator: str) -> Mapping[str, str]:
    directory = artifact.directory.rstrip(separator)
    return {
        "DIRECTORY": directory,
        "PATTERN": _pattern(artifact.pattern, separator),
        "HEADER": artifact.header.lower(),
        "BAD_FROM": f"{artifact.bad_from.timestamp():.0f}" if artifact.bad_from else "",
        "GOOD_FROM": f"{artifact.good_from.timestamp():.0f}" if artifact.good_from else "",
        "MARGIN": f"{artifact.margin:.0f}",
        "ARTIFACT": _hex(f"{directory}{separator}{artifact.pattern}"),
    }


def _item_settings(artifact: Artifact, remedy: Remedy | None, separator: str) -> Mapping[str, str]:
    """Of an artifact that is not files. Lists have a line for each entry."""
    directory = artifact.directory.rstrip(separator)
    file = {"DIRECTORY": directory, "PATTERN": artifact.pattern}
    name = artifact.name or artifact.pattern or artifact.kind
    return {
        **(file if artifact.kind == "missing_file" else {}),
        "KIND": artifact.kind,
        "REMEDY": remedy.kind if remedy is not None else "",
        "NAME": name,
        "SERVICE": artifact.service,
        "MODULE": artifact.module,
        "PACKAGE": artifact.package,
        "BAD_VERSIONS": _names(artifact.bad_versions).translate(_GLOB),
        "GOOD_VERSIONS": _names(artifact.good_versions).translate(_GLOB),
        "HASHES": _names(artifact.sha256),
        "VERSIONS": _names(remedy.versions if remedy is not None else ()),
        "COPIES": _names(remedy.copies if remedy is not None else ()),
        "ROOT": "",
        "ARTIFACT": _hex(f"{artifact.kind} {directory}/{name}"),
    }


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def _pattern(pattern: str, separator: str) -> str:
    """The glob, within one folder: `*` and `?` only; for a POSIX shell, that of which it would make more is escaped."""
    if not pattern or "/" in pattern or "\n" in pattern:
        message = f"the artifact's pattern {pattern!r} is not that of a file name"
        raise RefusedError(message)
    return pattern if separator == "\\" else pattern.translate(_GLOB)


def _names(names: tuple[str, ...]) -> str:
    if any("\n" in name for name in names):
        message = "a name, a version or a folder of the profile has a line end in it"
        raise RefusedError(message)
    return "\n".join(names)
