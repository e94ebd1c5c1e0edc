"""Windows on a mounted disk: its system log, its dumps, and the artifact's folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from recovery.detect import dump_header, evtx_file
from recovery.detect.crashes import Dump, fold, with_mentions
from recovery.detect.event_record import EventRecord
from recovery.disk.finding import (
    artifact_folder,
    below,
    entries,
    folders,
    is_file,
    modified,
    modified_at,
)
from recovery.disk.install import SOURCE, Install, list_artifact
from recovery.disk.opening import open_file
from recovery.errors import InputError
from recovery.model.evidence import ArtifactListing, CrashRecord, RestartRecord
from recovery.model.incident import Artifact, Incident

_NAMES = ("windows", "winnt")
_EARLIER = "windows.old"
"""What an upgrade leaves behind: not the system that is started."""
_MOST_VOLUMES = 64
_MOST_DUMPS = 50
"""Newest ones that are read."""
_MOST_LOGS = 4
_DRIVE = re.compile(r"[a-z]:")
_TRIAGE = 4 * 1024 * 1024


def find(root: Path) -> list[Path]:
    """The Windows folders below a mount point: in it, in the volumes mounted in it, or it itself."""
    if below(root, "System32") is not None:
        return [root]
    found = list(_windows_in(root))
    for volume in list(folders(root))[:_MOST_VOLUMES]:
        if volume not in found and volume.name.lower() != _EARLIER:
            found += _windows_in(volume)
    return found


def examine(
    windows: Path, root: Path, incident: Incident, at: datetime, enough: Callable[[], bool]
) -> Install:
    """What the disk of one Windows says. `at`: now, UTC. Never raises for what it holds."""
    looked = _Looked(windows, root)
    events = looked.events(enough)
    dumps, mentions = looked.dumps(incident.crash.modules)
    folded = fold(events, dumps, at=at, source=SOURCE)
    crashes = [
        with_mentions(item, mentions.get(item.dump, ()))
        for item in folded
        if isinstance(item, CrashRecord)
    ]
    platform = incident.platforms.get("windows")
    return Install(
        os="windows",
        place=looked.shown(windows),
        name=next((event.computer for event in reversed(events) if event.computer), ""),
        listing=looked.listing(platform.artifact, at) if platform is not None else None,
        crashes=tuple(crashes),
        restarts=tuple(item for item in folded if isinstance(item, RestartRecord)),
        read=tuple(looked.read),
        problems=tuple(looked.problems),
    )


def place_of(windows: Path, root: Path, directory: str) -> tuple[Path, list[str]] | None:
    """Where a directory of a profile lies on a disk: the folder that its first part means, and the rest; else None."""
    first, *rest = directory.replace("\\", "/").strip("/").split("/")
    volume = _volume(windows, root)
    first = first.lower()
    if first in ("%windir%", "%systemroot%"):
        return windows, rest
    if first in _VOLUME_NAMES:
        return volume, [*_VOLUME_NAMES[first], *rest]
    return (volume, rest) if _DRIVE.fullmatch(first) else None


def is_asleep(windows: Path, root: Path) -> bool:
    """Whether the Windows has hibernated, as it does at every shutdown with Fast Startup, and goes on from memory.

    What is changed on its volume meanwhile, it does not know of (ntfs-3g(8), on fast restarting).
    """
    path = below(_volume(windows, root), "hiberfil.sys")
    if path is None:
        return False
    try:
        with open_file(path, follow=False) as stream:
            return stream.read(4).lower() == b"hibr"
    except (InputError, OSError):
        return False


def _volume(windows: Path, root: Path) -> Path:
    return windows.parent if windows != root else root


class _Looked:
    """One look at a Windows folder; gathers what was read and what could not be."""

    def __init__(self, windows: Path, root: Path) -> None:
        self._windows = windows
        self._root = root
        self.read: list[str] = []
        self.problems: list[str] = []

    def shown(self, path: Path) -> str:
        """A path as it stands below the mount point."""
        return str(path.relative_to(self._root))

    def events(self, enough: Callable[[], bool]) -> list[EventRecord]:
        """The system log's records, archived ones included."""
        folder = below(self._windows, "System32", "winevt", "Logs")
        logs = [path for path in _files(folder, ".evtx") if _is_system_log(path.name)]
        if not logs:
            self.problems.append("there is no system log: System32/winevt/Logs/System.evtx")
        found: list[EventRecord] = []
        for path in self._newest(logs, _MOST_LOGS, "system logs"):
            try:
                with open_file(path, follow=False) as stream:
                    log = evtx_file.read_stream(stream, enough=enough)
            except InputError as error:
                self.problems.append(str(error))
                continue
            self.read.append(self.shown(path))
            self.problems += [f"{self.shown(path)}: {problem}" for problem in log.problems]
            found += log.records
        return found

    def dumps(self, modules: Sequence[str]) -> tuple[list[Dump], dict[str, tuple[str, ...]]]:
        """The dumps of crashes, and which of `modules` each mentions."""
        whole = below(self._windows, "MEMORY.DMP")
        small = _files(below(self._windows, "Minidump"), ".dmp")
        found: list[Dump] = []
        mentions: dict[str, tuple[str, ...]] = {}
        read = self._newest(small, _MOST_DUMPS, "dumps")
        for path in [*([whole] if whole is not None else []), *read]:
            name = self.shown(path)
            data = self._beginning(path, dump_header.HEAD if path == whole else _TRIAGE)
            if data is None:
                continue
            header = dump_header.read(data)
            if header is None:
                self.problems.append(f"{name}: it does not begin as a dump does")
                continue
            self.read.append(name)
            self.problems += [f"{name}: {problem}" for problem in header.problems]
            found.append((name, modified_at(path), header))
            mentions[name] = dump_header.mentions(data, modules)
        return found, mentions

    def listing(self, artifact: Artifact, at: datetime) -> ArtifactListing | None:
        """The artifact's folder, where it is one that can be found on a disk."""
        if artifact.kind != "files":
            self.problems.append(
                f"an artifact of kind {artifact.kind} cannot be told from the disk alone"
            )
            return None
        place = place_of(self._windows, self._root, artifact.directory)
        if place is None:
            self.problems.append(f"{artifact.directory} has no place on a disk that does not run")
            return None
        try:
            folder = artifact_folder(place[0], *place[1])
            return list_artifact(artifact, folder, case=False, at=at)
        except (InputError, OSError) as error:
            self.problems.append(str(error))
            return None

    def _newest(self, paths: list[Path], most: int, what: str) -> list[Path]:
        if len(paths) > most:
            self.problems.append(f"only the newest {most} of {len(paths)} {what} were read")
        return paths[:most]

    def _beginning(self, path: Path, size: int) -> bytes | None:
        """The first bytes of a file; None where it cannot be read, which is noted."""
        if path.is_dir():
            self.problems.append(f"{self.shown(path)}: is a folder, and no dump")
            return None
        try:
            with open_file(path, follow=False) as stream:
                return stream.read(size)
        except (InputError, OSError) as error:
            self.problems.append(str(error))
            return None


_VOLUME_NAMES: dict[str, tuple[str, ...]] = {
    "%systemdrive%": (),
    "%programdata%": ("ProgramData",),
    "%allusersprofile%": ("ProgramData",),
    "%programfiles%": ("Program Files",),
    "%programfiles(x86)%": ("Program Files (x86)",),
}


def _windows_in(volume: Path) -> Iterator[Path]:
    for name in _NAMES:
        folder = below(volume, name)
        if folder is not None and folder.is_dir():
            yield folder


def _is_system_log(name: str) -> bool:
    return name.lower() == "system.evtx" or name.lower().startswith("archive-system-")


def _files(folder: Path | None, ending: str) -> list[Path]:
    """Regular files with that ending, newest first."""
    if folder is None:
        return []
    found = [
        (modified(entry), entry.name, Path(entry.path))
        for entry in entries(folder)
        if entry.name.lower().endswith(ending) and is_file(entry)
    ]
    return [path for _, _, path in sorted(found, reverse=True)]
