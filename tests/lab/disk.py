"""Guests' disks: made before the start, and read from outside, past everything that the guest itself may claim."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.image import Image
from tests.lab.tools import output

SIZE = "48M"
BAD_MTIME = 1721362140
"""2024-07-19T04:09:00Z, when the bad content was published (CrowdStrike's technical alert)."""
GOOD_MTIME = 1721370660
"""2024-07-19T06:31:00Z: after the cut-off, whichever of the published ones is used."""
BAD_FILE = "C-00000291-00000000-00000029.sys"
GOOD_FILE = "C-00000291-00000000-00000033.sys"
OTHER_FILE = "C-00000285-00000000-00000012.sys"
"""Another channel's file, older than the incident: nobody has any business with it."""
FOLDER = "/CrowdStrike"
_MTIME = re.compile(rb"^ *mtime: 0x([0-9a-f]{8})(?::([0-9a-f]{8}))?", re.MULTILINE)


@dataclass(frozen=True)
class DiskFile:
    """A file as the file system's own records have it."""

    path: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    sha256: str


def channel_file(channel: int, size: int = 41_004) -> bytes:
    """Content with a channel file's header: a magic number, one, and the channel (CrowdStrike's own repair script)."""
    header = b"\xaa\xaa\xaa\xaa\x01\x00" + channel.to_bytes(2, "little")
    filler = hashlib.sha256(header).digest()
    return (header + filler * (size // len(filler) + 1))[:size]


def make_disk(image: Image, disk: Path, *, bad: bool, own: dict[str, bytes]) -> None:
    """Write a guest's disk: the image's tree, the folder with its channel files, and the guest's `own` files."""
    tree = disk.with_suffix(".tree")
    shutil.copytree(image.tree, tree, symlinks=True)
    for name, content in own.items():
        (tree / name).write_bytes(content)
        (tree / name).chmod(0o600)
    _channel(tree, OTHER_FILE, 285, BAD_MTIME - 86_400 * 90)
    if bad:
        _channel(tree, BAD_FILE, 291, BAD_MTIME)
    else:
        _channel(tree, GOOD_FILE, 291, GOOD_MTIME)
    options = ["-q", "-F", "-b", "4096", "-J", "size=4", "-E", "root_owner=0:0"]
    output(["mkfs.ext4", *options, "-d", str(tree), str(disk), SIZE])
    _own_by_root(tree, disk)
    shutil.rmtree(tree)


def _channel(tree: Path, name: str, channel: int, mtime: int) -> None:
    path = tree / FOLDER.lstrip("/") / name
    path.write_bytes(channel_file(channel))
    path.chmod(0o644)
    os.utime(path, (mtime, mtime))


def _own_by_root(tree: Path, disk: Path) -> None:
    """Whoever builds the disk, its files belong to the guest's root."""
    foreign = [
        path for path in tree.rglob("*") if (path.lstat().st_uid, path.lstat().st_gid) != (0, 0)
    ]
    if not foreign:
        return
    commands = disk.with_suffix(".owners")
    names = ["/" + str(path.relative_to(tree)) for path in foreign]
    commands.write_text("".join(f"sif {name} uid 0\nsif {name} gid 0\n" for name in names))
    output(["debugfs", "-w", "-f", str(commands), str(disk)])
    commands.unlink()


def read_files(copy: Path, folder: str) -> dict[str, DiskFile]:
    """The regular files under `folder` of a disk's copy. Replays its journal first, as a mount would."""
    output(["debugfs", "-w", "-R", "jr", str(copy)])
    return {file.path: file for file in _walk(copy, folder)}


def _walk(disk: Path, folder: str) -> Iterator[DiskFile]:
    for line in _debugfs(disk, f"ls -p {folder}").decode().splitlines():
        fields = line.split("/")
        if len(fields) < 7 or fields[5] in {".", ".."}:
            continue
        inode, mode_text, uid, gid, name, size = fields[1:7]
        path, mode = f"{folder.rstrip('/')}/{name}", int(mode_text, 8)
        if stat.S_ISDIR(mode):
            yield from _walk(disk, path)
        elif stat.S_ISREG(mode):
            digest = hashlib.sha256(_debugfs(disk, f"cat <{inode}>")).hexdigest()
            yield DiskFile(
                path,
                stat.S_IMODE(mode),
                int(uid),
                int(gid),
                int(size),
                _mtime_ns(disk, inode),
                digest,
            )


def _mtime_ns(disk: Path, inode: str) -> int:
    found = _MTIME.search(_debugfs(disk, f"stat <{inode}>"))
    if found is None:
        raise ValueError(f"inode {inode} shows no mtime")
    extra = int(found[2] or b"0", 16)
    # The extra field holds the nanoseconds above two more bits of the seconds (ext4: inode timestamps).
    return (int(found[1], 16) + ((extra & 3) << 32)) * 1_000_000_000 + (extra >> 2)


def _debugfs(disk: Path, request: str) -> bytes:
    return output(["debugfs", "-R", request, str(disk)])
