"""The remedy on a disk that is mounted here: its machine is off, and cannot crash in between.

The rule is that of the scripts on endpoints: a folder is bad when it holds a bad file and no good one; links are not
followed; each file is checked and moved in one go, within its file system, after the manifest that names it is durable.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from recovery.disk import vault, windows
from recovery.disk.finding import artifact_folder, below, folders, link_at
from recovery.disk.install import list_artifact
from recovery.disk.systems import systems_on
from recovery.errors import InputError, UnsupportedError
from recovery.model.evidence import ArtifactListing
from recovery.model.host import Os
from recovery.model.incident import Artifact, Incident, Platform, Remedy
from recovery.ports import Clock

_INTENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEPARATORS: dict[Os, str] = {"windows": "\\", "linux": "/"}


_ASLEEP = (
    "this Windows has hibernated (Fast Startup), and goes on from its memory: changes now damage it. Give "
    "its hibernation up first, which loses what was open: mount it with ntfs-3g's option remove_hiberfile"
)


class Moved(msgspec.Struct, frozen=True):
    """One file that was moved, as the machine itself knows its path."""

    path: str
    sha256: str
    size: int


class Fixed(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about one system on a disk."""

    os: Os
    place: str
    """Below the folder that was named."""
    outcome: str
    """`fixed`, `already`, `nothing`, `undone`, `refused`, or `exposed` where nothing was to be changed."""
    message: str
    moved: tuple[Moved, ...] = ()
    refused: tuple[str, ...] = ()
    intent: str = ""


class System(msgspec.Struct, frozen=True):
    """One system on a disk, with where the profile's folders lie."""

    os: Os
    place: str
    artifact: Artifact
    label: str
    """ARTIFACT of the scripts: what tells its manifests from others."""
    base: Path
    names: tuple[str, ...]
    vault_base: Path
    vault_names: tuple[str, ...]
    asleep: bool = False
    """Whether it has hibernated, so that nothing may be changed below it."""

    @property
    def own_directory(self) -> str:
        """The artifact's folder as the machine itself names it."""
        return self.artifact.directory.rstrip("/\\")


def systems(root: Path, incident: Incident) -> list[System]:
    """The systems below a mounted disk that the incident's file remedy is for.

    Raises `InputError` where there is neither Windows nor Linux, `UnsupportedError` where the profile has no remedy
    that is carried out on files.
    """
    places = systems_on(root)
    if not places:
        message = (
            "holds neither a Windows folder nor a Linux: name the folder at which the disk is mounted, or its image; "
            "a BitLocker volume has to be unlocked first"
        )
        raise InputError(message, file=str(root))
    found = [_system(os_, place, root, incident) for os_, place in places]
    kept = [system for system in found if system is not None]
    if not kept:
        names = ", ".join(sorted({os_ for os_, _ in places}))
        raise UnsupportedError(
            f"{incident.name} has no remedy for {names} that moves files away; no other is carried out on a disk"
        )
    return kept


def _system(os_: Os, place: Path, root: Path, incident: Incident) -> System | None:
    platform = incident.platforms.get(os_)
    remedy = None if platform is None else _remedy(platform)
    if platform is None or remedy is None:
        return None
    artifact = platform.artifact
    folder, kept = (
        _where(os_, place, root, artifact.directory),
        _where(os_, place, root, remedy.quarantine),
    )
    if folder is None or kept is None:
        return None
    separator = _SEPARATORS[os_]
    label = f"{artifact.directory.rstrip(separator)}{separator}{artifact.pattern}".encode().hex()
    shown = str(place.relative_to(root))
    asleep = os_ == "windows" and windows.is_asleep(place, root)
    return System(os_, shown, artifact, label, *folder, *kept, asleep)


def _remedy(platform: Platform) -> Remedy | None:
    remedy = platform.remedy("offline_disk", "winpe", "full_system")
    files = platform.artifact.kind == "files" and remedy is not None
    return remedy if files and remedy is not None and remedy.kind == "quarantine" else None


def _where(os_: Os, place: Path, root: Path, directory: str) -> tuple[Path, tuple[str, ...]] | None:
    if os_ == "linux":
        return place, tuple(directory.strip("/").split("/"))
    found = windows.place_of(place, root, directory)
    return None if found is None else (found[0], tuple(found[1]))


def fix(system: System, intent: str, clock: Clock, *, check: bool = False) -> Fixed:
    """Move the bad files of one system to its quarantine; with `check` only say which. Nothing is raised."""
    return _told(system, intent, lambda: _fix(system, intent, clock, check=check))


def undo(system: System) -> Fixed:
    """Put back what manifests of this form say, exactly, and never over anything."""
    return _told(system, "", lambda: _undo(system))


def _told(system: System, intent: str, work: Callable[[], Fixed]) -> Fixed:
    try:
        return work()
    except InputError as error:
        return _said(system, "refused", str(error), intent)
    except OSError as error:
        reasons = {
            errno.EROFS: "it is mounted read-only (as a Windows that hibernated or crashed is, "
            "until its journal is cleared: `ntfsfix -d`)",
            errno.EXDEV: "the quarantine lies on another file system",
        }
        why = reasons.get(error.errno or 0) or f"{error.strerror}"
        return _said(system, "refused", f"{error.filename or system.place}: {why}", intent)


def _fix(system: System, intent: str, clock: Clock, *, check: bool) -> Fixed:
    if not _INTENT.fullmatch(intent):
        raise InputError("an intent is letters, digits, - and _")
    folder = artifact_folder(system.base, *system.names)
    listing = list_artifact(system.artifact, folder, case=system.os == "linux", at=clock.now())
    if folder is None or not listing.bad:
        return _nothing(system, listing, intent)
    if check:
        planned, refused = _plan(system, folder, listing)
        return _said(system, "exposed", f"{len(planned)} would be moved", "", planned, refused)
    if system.asleep:
        raise InputError(_ASLEEP, file=system.place)
    place = _made(system.vault_base, (*system.vault_names, intent))
    planned, refused = _plan(system, folder, listing)
    vault.write(place / "manifest", vault.text_of(system.label, planned))
    vault.flush(place.parent)
    moved: list[vault.Entry] = []
    for entry in planned:
        why = _move(folder / entry.name, place / f"{entry.number}.file", entry)
        if why:
            refused.append(f"{entry.path}: {why}")
        else:
            moved.append(entry)
    vault.flush(folder)
    if len(moved) < len(planned):
        vault.write(place / "manifest", vault.text_of(system.label, moved))
    outcome = "fixed" if moved and not refused else "refused"
    message = f"{len(moved)} moved to quarantine"
    return _said(system, outcome, message, intent, moved, refused)


def _nothing(system: System, listing: ArtifactListing, intent: str) -> Fixed:
    held = sum(len(entries) for _, entries in _manifests(system))
    if held:
        return _said(system, "already", f"nothing bad, {held} in quarantine already", intent)
    good = any(file.state == "good" for file in listing.files)
    why = "a good file is there" if good else "no bad file is there"
    return _said(system, "nothing", f"NOTHING MATCHED: {why}, nothing was moved", intent)


def _plan(
    system: System, folder: Path, listing: ArtifactListing
) -> tuple[list[vault.Entry], list[str]]:
    planned: list[vault.Entry] = []
    refused: list[str] = []
    separator = _SEPARATORS[system.os]
    for file in listing.files:
        name = Path(file.path).name
        if file.state != "bad":
            continue
        try:
            digest, about = vault.digest_of(folder / name)
        except InputError as error:
            refused.append(str(error))
            continue
        planned.append(
            vault.Entry(
                len(planned) + 1,
                digest,
                about.st_size,
                int(about.st_mtime),
                f"{about.st_mode & 0o7777:o}",
                f"{about.st_uid}:{about.st_gid}",
                f"{system.own_directory}{separator}{name}",
            )
        )
    return planned, refused


def _move(source: Path, target: Path, entry: vault.Entry) -> str:
    """Move one file; why not, or nothing. What was written to since goes back."""
    if os.path.lexists(target):
        return "its place in quarantine is taken"
    source.rename(target)
    digest, _ = vault.digest_of(target)
    if digest != entry.sha256:
        target.rename(source)
        return "it changed while it was looked at"
    return ""


def _undo(system: System) -> Fixed:
    folder = artifact_folder(system.base, *system.names)
    back: list[vault.Entry] = []
    refused: list[str] = []
    for place, entries in _manifests(system):
        left = 0
        for entry in [each for each in entries if not _is_back(folder, place, each)]:
            why = _restore(system, folder, place, entry)
            if why:
                left += 1
                refused.append(f"{entry.path}: {why}")
            else:
                back.append(entry)
        if not left:
            vault.write(place / "undone", f"offline {len(entries)}\n")
    if folder is not None and back:
        vault.flush(folder)
    if refused:
        return _said(system, "refused", f"{len(back)} put back", "", back, refused)
    if not back:
        return _said(
            system, "nothing", "NOTHING TO UNDO: nothing of this artifact is in quarantine", ""
        )
    return _said(system, "undone", f"{len(back)} put back", "", back)


def _is_back(folder: Path | None, place: Path, entry: vault.Entry) -> bool:
    """Whether the file stands where it was, and not in quarantine: it was put back, or never moved."""
    if folder is None or os.path.lexists(place / f"{entry.number}.file"):
        return False
    try:
        return vault.digest_of(folder / entry.name)[0] == entry.sha256
    except InputError:
        return False


def _restore(system: System, folder: Path | None, place: Path, entry: vault.Entry) -> str:
    """Put one file back; why not, or nothing."""
    separator = _SEPARATORS[system.os]
    if entry.path != f"{system.own_directory}{separator}{entry.name}" or entry.name in (".", ".."):
        return "it did not come from the artifact's folder"
    if folder is None or system.asleep:
        return _ASLEEP if system.asleep else "the artifact's folder is gone"
    held, target = place / f"{entry.number}.file", folder / entry.name
    if os.path.lexists(target):
        return "something stands in its place"
    try:
        digest, _ = vault.digest_of(held)
    except InputError as error:
        return str(error)
    if digest != entry.sha256:
        return "what is in quarantine is not what was moved there"
    held.rename(target)
    return ""


def _manifests(system: System) -> list[tuple[Path, list[vault.Entry]]]:
    """The manifests of this artifact that were not undone, with their folders."""
    place = below(system.vault_base, *system.vault_names)
    found: list[tuple[Path, list[vault.Entry]]] = []
    for folder in sorted(folders(place)) if place is not None else ():
        entries = vault.read(folder / "manifest", system.label)
        if entries and not os.path.lexists(folder / "undone"):
            found.append((folder, entries))
    return found


def _made(base: Path, names: Sequence[str]) -> Path:
    """The folder at `names` below `base`, made where it is not there. Raises `InputError` where a link leads out."""
    place = base
    for name in names:
        if link_at(place, name) is not None:
            raise InputError("is a link, which is not followed", file=str(place / name))
        inner = below(place, name)
        if inner is None:
            inner = place / name
            inner.mkdir(mode=0o700)
            vault.flush(place)
        place = inner
    return place


def _said(
    system: System,
    outcome: str,
    message: str,
    intent: str,
    moved: Sequence[vault.Entry] = (),
    refused: Sequence[str] = (),
) -> Fixed:
    return Fixed(
        os=system.os,
        place=system.place,
        outcome=outcome,
        message=message,
        moved=tuple(Moved(entry.path, entry.sha256, entry.size) for entry in moved),
        refused=tuple(refused),
        intent=intent,
    )
