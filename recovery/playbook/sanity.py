"""The rules that an incident profile has to keep before a machine meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from recovery.model.host import Os
from recovery.model.incident import Artifact, Incident, Platform, Proof
from recovery.playbook.kinds import artifact_problems, remedy_problems
from recovery.playbook.places import WINDOWS_ROOTS, Place, absolute
from recovery.playbook.report import Problem

_STOP_CODE_BITS = 32
_LONGEST_HEADER = 64
"""Hex digits."""
_LONGEST_MARGIN = 86400.0
_FEWEST_RETURNS = 2
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PATTERN = re.compile(r"[A-Za-z0-9._*?()+,=@#~ -]+")
_TOO_WIDE = frozenset(f"/{name}" for name in (
    "", "bin", "boot", "dev", "etc", "home", "lib", "lib64", "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys",
    "tmp", "usr", "usr/bin", "usr/lib", "usr/local", "usr/sbin", "usr/share", "var", "var/lib", "var/log",
    "applications", "library", "system", "users",
))  # fmt: skip
_TOO_WIDE_WINDOWS = frozenset((
    r"c:\windows", r"c:\windows\system32", r"c:\windows\system32\drivers", r"c:\windows\system32\config",
    r"c:\windows\syswow64", r"c:\windows\winsxs", r"c:\program files", r"c:\program files (x86)", r"c:\programdata",
    r"c:\users", r"c:\users\public",
))  # fmt: skip
_FORGETFUL = (
    "/dev", "/private/tmp", "/private/var/run", "/private/var/tmp", "/proc", "/run", "/sys", "/tmp",  # noqa: S108 - they are refused
    "/var/run", "/var/tmp",  # noqa: S108 - they are refused
)  # fmt: skip
_FORGETFUL_WINDOWS = (r"c:\windows\temp", r"c:\temp", r"c:\tmp", r"c:\$recycle.bin")
"""What a restart or a clean-up empties, or everybody may write to."""
_LONGEST_LOOP = 7 * 86400.0
_MOST_RETURNS = 100
_LONGEST_SETTLE = 7 * 86400.0
_LONGEST_TIMES = 31 * 86400.0
"""Seconds from bad_from to good_from where no header tells one file from another."""


def problems(incident: Incident) -> Iterator[Problem]:
    """Everything that is wrong with the profile."""

    def line(place: str) -> int:
        return incident.lines.get(place, 0)

    if not _NAME.fullmatch(incident.name):
        yield Problem(
            "the name is made of a-z, 0-9, dot, dash and underscore, up to 64", line("incident")
        )
    yield from _window(incident, line)
    yield from _crash(incident, line)
    yield from _instructions(incident, line)
    if not incident.platforms:
        yield Problem("the profile names no platform: add one under platforms", line("platforms"))
    for os, platform in incident.platforms.items():
        yield from _platform(os, platform, line)


def _instructions(incident: Incident, line: Place) -> Iterator[Problem]:
    for name, runbook in incident.runbooks.items():
        if not runbook.steps:
            message = f"the runbook {name!r} has no steps: a technician could not follow it"
            yield Problem(message, line(f"runbooks.{name}"))
        if runbook.minutes < 1:
            message = f"the runbook {name!r} takes at least 1 minute"
            yield Problem(message, line(f"runbooks.{name}.minutes"))
    if incident.freeze is not None and not incident.freeze.steps:
        yield Problem("freeze has no steps: how is the vendor's feed stopped?", line("freeze"))


def _window(incident: Incident, line: Place) -> Iterator[Problem]:
    for name, moment in (("began", incident.began), ("ended", incident.ended)):
        yield from _utc(name, moment, line(f"window.{name}"))
    ended = incident.ended
    if ended is not None and _known(incident.began, ended) and ended <= incident.began:
        yield Problem("window.ended has to lie after window.began", line("window.ended"))


def _crash(incident: Incident, line: Place) -> Iterator[Problem]:
    crash = incident.crash
    for code in crash.stop_codes:
        if not 0 < code < 1 << _STOP_CODE_BITS:
            yield Problem(
                f"stop codes are numbers of 32 bits such as 0x50, not {code:#x}",
                line("crash.stop_codes"),
            )
    for name in ("modules", "texts"):
        if any(not text.strip() for text in getattr(crash, name)):
            yield Problem(
                f"crash.{name} holds an empty text, which would fit every crash",
                line(f"crash.{name}"),
            )
    if crash.returns < _FEWEST_RETURNS:
        yield Problem("crash.returns is at least 2: one restart is no loop", line("crash.returns"))
    elif crash.returns > _MOST_RETURNS:
        message = f"crash.returns is at most {_MOST_RETURNS}, or no loop is ever seen"
        yield Problem(message, line("crash.returns"))
    if not 0 < crash.within <= _LONGEST_LOOP:
        yield Problem("crash.within is more than 0 and at most 7d", line("crash.within"))


def _platform(os: Os, platform: Platform, line: Place) -> Iterator[Problem]:
    here = f"platforms.{os}"
    own = f"{here}.artifact" if line(f"{here}.artifact") else "artifact"
    artifact = platform.artifact
    if artifact.kind == "files":
        yield from _artifact(artifact, own, line)
    if artifact.kind == "files":
        yield from _folder(os, artifact.directory, f"{here}.directory", line)
    elif artifact.kind == "missing_file" and not absolute(os, artifact.directory):
        yield _not_absolute(os, artifact.directory, line(f"{here}.directory"))
    yield from artifact_problems(os, artifact, own, line)
    if not platform.remedies:
        what = "with the bad files" if artifact.kind == "files" else "about it"
        yield Problem(f"{os}: no remedy is given: what is to be done {what}?", line(here))
    yield from remedy_problems(os, platform, f"{here}.remedies", line)
    for reach, remedy in platform.remedies.items():
        place = f"{here}.remedies.{reach}.quarantine"
        yield from _folder(os, remedy.quarantine, place, line)
        yield from _forgetful(os, remedy.quarantine, place, line)
        if artifact.kind == "files" and _inside(os, remedy.quarantine, artifact.directory):
            yield Problem(
                f"{os}: the quarantine folder has to stand outside of the artifact's own",
                line(place),
            )
    yield from _proof(os, platform.proof, f"{here}.proof", line)


def _proof(os: Os, proof: Proof, here: str, line: Place) -> Iterator[Problem]:
    if not 0 < proof.settle <= _LONGEST_SETTLE:
        message = f"{os}: proof.settle is more than 0 and at most 7d"
        yield Problem(message, line(f"{here}.settle"))
    for name in (*proof.services, *proof.processes):
        if not name.strip() or not name.isprintable():
            message = f"{os}: {name[:60]!a} is not the name of a service or process"
            yield Problem(message, line(here))


def _artifact(artifact: Artifact, place: str, line: Place) -> Iterator[Problem]:
    pattern, header = artifact.pattern, artifact.header
    if not _PATTERN.fullmatch(pattern):
        message = f"the pattern {pattern!r} is a file name with no other wildcards than * and ?"
        yield Problem(message, line(f"{place}.pattern"))
    elif not re.search(r"[A-Za-z0-9]{3}", pattern):
        message = (
            f"the pattern {pattern!r} fits too many files: give three letters or digits in a row"
        )
        yield Problem(message, line(f"{place}.pattern"))
    if not re.fullmatch(r"(?:[0-9a-f]{2})*", header) or len(header) > _LONGEST_HEADER:
        message = "the header is up to 32 bytes in hex, such as 'aaaaaaaa01002301'"
        yield Problem(message, line(f"{place}.header"))
    for name in ("bad_from", "good_from"):
        yield from _utc(name, getattr(artifact, name), line(f"{place}.{name}"))
    yield from _rule(artifact, place, line)
    if not 0 <= artifact.margin <= _LONGEST_MARGIN:
        yield Problem("margin is from 0 to 1d", line(f"{place}.margin"))


def _rule(artifact: Artifact, place: str, line: Place) -> Iterator[Problem]:
    bad, good = artifact.bad_from, artifact.good_from
    if not artifact.header and bad is None:
        message = "neither a header nor bad_from: the name alone must not condemn a file"
        yield Problem(message, line(f"{place}.pattern"))
    if (bad is None) != (good is None):
        yield Problem("bad_from and good_from belong together: give both or none", line(place))
    elif bad is not None and good is not None and _known(bad, good) and bad >= good:
        yield Problem("bad_from has to lie before good_from", line(f"{place}.bad_from"))
    elif bad is not None and good is not None and not artifact.header and _is_long(bad, good):
        message = (
            "without a header nearly every file is of a time from bad_from to good_from when that is longer than "
            "31 days: give the header, or narrower times"
        )
        yield Problem(message, line(f"{place}.bad_from"))


def _is_long(bad: datetime, good: datetime) -> bool:
    return _known(bad, good) and (good - bad).total_seconds() > _LONGEST_TIMES


def _known(*moments: datetime) -> bool:
    """Whether the moments can be compared."""
    return all(moment.utcoffset() is not None for moment in moments)


def _utc(name: str, moment: datetime | None, line: int) -> Iterator[Problem]:
    if moment is not None and moment.utcoffset() != timedelta(0):
        yield Problem(
            f"{name} has to be in UTC, such as 2024-07-19T04:09:00Z: local times are never meant",
            line,
        )


def _folder(os: Os, folder: str, place: str, line: Place) -> Iterator[Problem]:
    if not absolute(os, folder):
        yield _not_absolute(os, folder, line(place))
    elif _is_too_wide(os, _canonical(os, folder)):
        message = f"{os}: the folder {folder!r} is too wide: name the vendor's or the product's own"
        yield Problem(message, line(place))


def _forgetful(os: Os, folder: str, place: str, line: Place) -> Iterator[Problem]:
    """A quarantine has to outlast the restart that follows it, and nobody else may reach into it."""
    places = _FORGETFUL_WINDOWS if os == "windows" else _FORGETFUL
    if any(_inside(os, folder, each) for each in places):
        message = f"{os}: files in {folder!r} do not last, so they could not be put back: name a folder that is kept"
        yield Problem(message, line(place))


def _not_absolute(os: Os, folder: str, line: int) -> Problem:
    return Problem(f"{os}: {folder!r} is not an absolute folder without .. and wildcards", line)


def _canonical(os: Os, folder: str) -> str:
    """One spelling of a folder, to compare it with others."""
    if os != "windows":
        return "/" + "/".join(part for part in folder.lower().split("/") if part not in ("", "."))
    parts = [part for part in re.split(r"[/\\]", folder.lower()) if part not in ("", ".")]
    folder = "\\".join([WINDOWS_ROOTS.get(parts[0], parts[0]), *parts[1:]]) if parts else ""
    # What 32-bit programs call system32.
    return folder.replace(r"c:\windows\sysnative", r"c:\windows\system32", 1)


def _is_too_wide(os: Os, canonical: str) -> bool:
    if os == "windows":
        return "\\" not in canonical or canonical in _TOO_WIDE_WINDOWS
    return canonical in _TOO_WIDE


def _inside(os: Os, folder: str, other: str) -> bool:
    """Whether `folder` is `other` or stands in it."""
    mark = "\\" if os == "windows" else "/"
    return f"{_canonical(os, folder)}{mark}".startswith(f"{_canonical(os, other)}{mark}")
