"""The rules for each kind of artifact and remedy: which fields it takes, and what would do harm."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping

import msgspec

from recovery.errors import suggestion
from recovery.model.host import Os
from recovery.model.incident import Artifact, Platform, Remedy
from recovery.model.remedy import ArtifactKind, RemedyKind
from recovery.playbook.places import Place, absolute
from recovery.playbook.report import Problem

_EVERYWHERE: tuple[Os, ...] = ("windows", "linux", "macos")
_FIELDS: Mapping[ArtifactKind, tuple[tuple[str, ...], tuple[str, ...], tuple[Os, ...]]] = {
    "files": (
        ("pattern",),
        ("directory", "header", "bad_from", "good_from", "margin", "strike"),
        _EVERYWHERE,
    ),
    "package": (("name", "bad_versions"), ("good_versions",), ("linux", "macos")),
    "update": (("name",), ("bad_versions", "good_versions"), ("windows",)),
    "driver": (
        ("name",),
        ("service", "bad_versions", "good_versions", "sha256"),
        ("windows",),
    ),
    "definitions": (("name", "bad_versions"), ("good_versions",), ("windows",)),
    "kernel": (("bad_versions",), ("good_versions", "module", "package"), ("linux",)),
    "missing_file": (("pattern",), ("directory", "sha256"), _EVERYWHERE),
    "none": ((), (), _EVERYWHERE),
}
"""The fields that a kind needs, those that it may have, and the systems that have such a thing."""

_REMEDY_FIELDS: Mapping[RemedyKind, str] = {"package_version": "versions", "restore_file": "copies"}
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~_-]{0,127}")
_GLOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~_*?-]{0,127}")
_NAMES: Mapping[ArtifactKind, tuple[re.Pattern[str], str]] = {
    "package": (re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,99}"), "a package's name"),
    "update": (re.compile(r"KB[0-9]{6,8}"), "a KB number such as KB5058379"),
    "driver": (re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}\.sys"), "a file name such as x.sys"),
    "definitions": (re.compile(r"[a-z][a-z0-9-]{0,31}"), "a product"),
}
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._()+,=@#~ -]{0,119}")
_PRODUCTS = ("defender",)
"""Those whose definitions a script can roll back."""
_WINDOWS_OWN = frozenset((
    "acpi.sys", "afd.sys", "bootvid.dll", "ci.dll", "classpnp.sys", "clfs.sys", "clipsp.sys", "cng.sys", "disk.sys",
    "fltmgr.sys", "fvevol.sys", "hal.dll", "http.sys", "intelpep.sys", "ksecdd.sys", "ksecpkg.sys", "mountmgr.sys",
    "msisadrv.sys", "ndis.sys", "netio.sys", "ntfs.sys", "ntoskrnl.exe", "partmgr.sys", "pci.sys", "pcw.sys",
    "rdyboost.sys", "spaceport.sys", "storahci.sys", "stornvme.sys", "storport.sys", "tcpip.sys", "tm.sys",
    "vdrvroot.sys", "vmbus.sys", "volmgr.sys", "volmgrx.sys", "volsnap.sys", "volume.sys", "wdf01000.sys",
    "werkernel.sys", "win32k.sys", "win32kbase.sys", "win32kfull.sys",
))  # fmt: skip
"""Drivers of Windows itself: without one of them it does not start or has no network."""


def artifact_problems(os: Os, artifact: Artifact, here: str, line: Place) -> Iterator[Problem]:
    """What is wrong with an artifact as one of its kind."""
    needed, allowed, systems = _FIELDS[artifact.kind]
    if os not in systems:
        message = (
            f"{os} has no artifact of kind {artifact.kind}: that is for {' and '.join(systems)}"
        )
        yield Problem(message, line(f"{here}.kind"))
    given = _given(artifact)
    for name in needed:
        if name not in given:
            yield Problem(f"an artifact of kind {artifact.kind} needs {name}", line(here))
    for name in sorted(given - {"kind", *needed, *allowed}):
        message = f"an artifact of kind {artifact.kind} takes no {name}"
        yield Problem(message, line(_place_of(name, os, here, line)))
    yield from _names(artifact, here, line)
    yield from _versions(artifact, here, line)


def _given(artifact: Artifact) -> set[str]:
    """The names of the fields that differ from their defaults."""
    fields = msgspec.structs.fields(Artifact)
    return {field.name for field in fields if getattr(artifact, field.name) != field.default}


def _place_of(name: str, os: Os, here: str, line: Place) -> str:
    own = f"platforms.{os}.{name}"
    return own if name == "directory" and line(own) else f"{here}.{name}"


def _names(artifact: Artifact, here: str, line: Place) -> Iterator[Problem]:
    wrong = _wrong_name(artifact.kind, artifact.name) if artifact.name else ""
    if wrong:
        yield Problem(wrong, line(f"{here}.name"))
    if artifact.kind == "missing_file" and not _FILE_NAME.fullmatch(artifact.pattern):
        message = f"the pattern of a missing file is its whole name, not {artifact.pattern!r}"
        yield Problem(message, line(f"{here}.pattern"))
    for field in ("service", "module", "package"):
        word = getattr(artifact, field)
        if word and not _WORD.fullmatch(word):
            yield Problem(f"the {field} {word!r} is not a name", line(f"{here}.{field}"))
    for digest in artifact.sha256:
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            yield Problem(f"{digest[:80]!r} is not a SHA-256 in hex", line(f"{here}.sha256"))


def _wrong_name(kind: ArtifactKind, name: str) -> str:
    rule = _NAMES.get(kind)
    if rule is not None and not rule[0].fullmatch(name):
        return f"the name {name!r} is not {rule[1]}"
    if kind == "driver" and name.lower() in _WINDOWS_OWN:
        return f"{name} is a driver of Windows itself: without it the machine does not start"
    if kind == "definitions" and name not in _PRODUCTS:
        return f"no script rolls back the definitions of {name!r}{suggestion(name, _PRODUCTS)}"
    return ""


def _versions(artifact: Artifact, here: str, line: Place) -> Iterator[Problem]:
    for field in ("bad_versions", "good_versions"):
        for version in getattr(artifact, field):
            if not _GLOB.fullmatch(version):
                message = f"{version!r} is not a version: letters, digits, . + : ~ _ - and the wildcards * and ?"
                yield Problem(message, line(f"{here}.{field}"))
            elif field == "bad_versions" and not re.search(r"[0-9].*[0-9]|[0-9]\Z", version):
                message = f"{version!r} fits nearly every version: name the bad ones"
                yield Problem(message, line(f"{here}.{field}"))


def remedy_problems(os: Os, platform: Platform, here: str, line: Place) -> Iterator[Problem]:
    """What is wrong with the remedies of a platform."""
    for reach, remedy in platform.remedies.items():
        place = f"{here}.{reach}"
        spec, kind = remedy.spec, platform.artifact.kind
        if kind not in spec.artifacts:
            message = f"{os}: {remedy.kind} is no remedy for an artifact of kind {kind}"
            yield Problem(message, line(f"{place}.kind"))
        if os not in spec.systems:
            message = f"{remedy.kind} is for {' and '.join(spec.systems)}, not for {os}"
            yield Problem(message, line(f"{place}.kind"))
        if reach == "boot_window" and not spec.window and remedy.kind != "hand_over_only":
            message = f"{os}: {remedy.kind} does harm when a crash cuts it short: it is not for a boot window"
            yield Problem(message, line(f"{place}.kind"))
        yield from _remedy_fields(os, remedy, platform.artifact, (place, line))


def _remedy_fields(
    os: Os, remedy: Remedy, artifact: Artifact, at: tuple[str, Place]
) -> Iterator[Problem]:
    place, line = at
    for field in ("versions", "copies"):
        belongs = _REMEDY_FIELDS.get(remedy.kind) == field
        values = getattr(remedy, field)
        if belongs and not values:
            yield Problem(f"{os}: {remedy.kind} needs {field}", line(place))
        elif values and not belongs:
            yield Problem(f"{os}: {remedy.kind} takes no {field}", line(f"{place}.{field}"))
    for wrong in filter(None, (_wrong_version(version, artifact) for version in remedy.versions)):
        yield Problem(wrong, line(f"{place}.versions"))
    for folder in remedy.copies:
        if not absolute(os, folder):
            message = f"{os}: {folder!r} is not an absolute folder without .. and wildcards"
            yield Problem(message, line(f"{place}.copies"))


def _wrong_version(version: str, artifact: Artifact) -> str:
    if not _VERSION.fullmatch(version):
        return f"{version!r} is not one exact version"
    if is_bad(version, artifact):
        return f"{version} is to be installed, but is bad by the artifact's own rule"
    return ""


def is_bad(version: str, artifact: Artifact) -> bool:
    """What the scripts say of a version: good ones win; no bad versions at all means every one."""
    if any(_fits(version, glob) for glob in artifact.good_versions):
        return False
    return not artifact.bad_versions or any(_fits(version, glob) for glob in artifact.bad_versions)


def _fits(version: str, glob: str) -> bool:
    # Its regular expressions never go back over what a wildcard has taken, so no glob takes long.
    return fnmatch.fnmatchcase(version, glob)
