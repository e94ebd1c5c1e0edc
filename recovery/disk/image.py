"""Disk images of machines that are off, mounted here for as long as they are worked on.

Raw images go by a loop device. Other forms (qcow2, vmdk, vhdx) are shown as raw by QEMU's storage daemon through FUSE,
which needs no kernel module. Everything is tried on each partition; what cannot be mounted is left out, and said.
A BitLocker volume is opened with its recovery password, which goes through standard input and nowhere else.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from recovery.errors import InputError, UnsupportedError
from recovery.model.secret import Secret
from recovery.programs import Ran, run

MAPPER = Path("/dev/mapper")
_SECTOR = 512
_TIME = 60.0
_UNLOCKING = 180.0
"""Seconds; a recovery password is stretched by a million hashes."""
_MOST = 200_000
_MOST_PARTITIONS = 64
_MAGIC = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk", b"vhdxfile": "vhdx", b"conectix": "vpc"}
_PROGRAMS = {
    "losetup": "mount",
    "mount": "mount",
    "umount": "mount",
    "blkid": "util-linux",
    "partx": "util-linux",
    "qemu-storage-daemon": "qemu-utils",
    "cryptsetup": "cryptsetup-bin",
}
_JUMP = b"\xeb\x58\x90"
_BITLOCKER = b"-FVE-FS-"
"""What a BitLocker volume begins with (libbde's description of the format)."""
_PLAIN = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat")
_OPTIONS = "nodev,noexec,nosuid"
_NO_REPLAY = {
    "ext3": ",noload",
    "ext4": ",noload",
    "xfs": ",norecovery",
    "btrfs": ",rescue=nologreplay",
}
"""Options (mount(8) and the file systems' own pages) that keep a journal from being played back."""


class Mounted(msgspec.Struct, frozen=True):
    """The volumes of an image."""

    volumes: tuple[Path, ...]
    """Where they are mounted, those with a file system that is known, in the disk's order."""
    left_out: tuple[str, ...]
    """What could not be mounted, and why."""


class _Volume(msgspec.Struct, frozen=True):
    offset: int
    size: int


class _Part(msgspec.Struct, frozen=True):
    raw: Path
    volume: _Volume
    read_only: bool


@contextmanager
def mounted(
    image: str, key: Secret | None = None, *, held_off: bool = False, read_only: bool = False
) -> Iterator[Mounted]:
    """The image's volumes, mounted for writing unless `read_only`, and unmounted at the end.

    What is read only is not written to at all, not even to play a journal back. `held_off`: a program has the image
    open, but its machine is known to be off. Raises `InputError` for what is no image or in use, `UnsupportedError`
    where this machine cannot mount it, with what is missing.
    """
    with ExitStack() as stack:
        path = _claimed(image, stack, held_off=held_off)
        if os.geteuid() != 0:
            raise UnsupportedError(
                f"{image}: only root can mount an image; mount it yourself and name the folder instead"
            )
        _refuse_attached(path)
        folder = Path(tempfile.mkdtemp(prefix="recovery-disk-"))
        stack.callback(_remove, folder)
        raw = _raw(path, folder, stack, read_only=read_only)
        volumes, left_out = [], []
        for number, volume in enumerate(_volumes(raw)):
            place = folder / f"volume{number}"
            place.mkdir()
            try:
                stack.callback(_unmount, _mount(_Part(raw, volume, read_only), place, key, stack))
                volumes.append(place)
            except UnsupportedError as error:
                left_out.append(f"partition {number + 1}: {error}")
            except subprocess.TimeoutExpired:
                message = (
                    f"it could not be unlocked: cryptsetup did not end within {_UNLOCKING:g} s"
                )
                left_out.append(f"partition {number + 1}: {message}")
        if not volumes:
            raise UnsupportedError(
                f"{image}: nothing on it can be mounted here: {'; '.join(left_out)}"
            )
        yield Mounted(tuple(volumes), tuple(left_out))


def _claimed(image: str, stack: ExitStack, *, held_off: bool) -> Path:
    """An image that nobody else has in use, nor takes into use until `stack` ends. Raises `InputError`."""
    path = Path(image)
    try:
        # Of a disk the kernel gives one owner at a time, such as a mount of any of its partitions (open(2)).
        alone = os.O_EXCL if path.is_block_device() else 0
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | alone)
    except OSError as error:
        why = f"cannot be opened for writing: {error.strerror}"
        if error.errno == errno.EBUSY:
            why = (
                "is in use on this machine: is it the right disk? Where it is, unmount it (`lsblk` shows what has it), "
                "or name the folder at which it is mounted"
            )
        raise InputError(why, file=image) from None
    stack.callback(os.close, handle)
    if os.lseek(handle, 0, os.SEEK_END) < _SECTOR:
        raise InputError("is no disk image", file=image)
    # QEMU locks bytes of the images that it has open; they conflict with a lock on all of them.
    if not _locked(handle, fcntl.F_WRLCK) and not held_off:
        message = (
            "is open in a virtual machine: end it first, since two who write destroy it; if its guest is known "
            "not to run, and the image is raw, give --held-off"
        )
        raise InputError(message, file=image)
    if _form(path) != "raw":
        _locked(handle, fcntl.F_UNLCK)  # QEMU, which is going to show it as raw, locks it itself
    return path


def _refuse_attached(path: Path) -> None:
    """A second mount beside one that there is destroys what is on the image."""
    _needed("losetup")
    listed = _run(["losetup", "--noheadings", "--output", "NAME", "--associated", str(path)])
    devices = listed.output.decode("utf-8", "replace").split() if listed.status == 0 else []
    if devices:
        message = (
            f"is attached to {', '.join(devices[:4])} already: name the folder at which that is mounted, or unmount "
            f"it and detach it: losetup --detach {devices[0]}"
        )
        raise InputError(message, file=str(path))


def _locked(handle: int, kind: int) -> bool:
    """Whether no other open file description has a lock on it; this one has it then (Linux, `F_OFD_SETLK`)."""
    lock = bytearray(32)
    lock[0:2] = kind.to_bytes(2, "little")
    try:
        fcntl.fcntl(handle, fcntl.F_OFD_SETLK, bytes(lock))
    except OSError:
        return False
    return True


def _form(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(8)
    return next((form for magic, form in _MAGIC.items() if head.startswith(magic)), "raw")


def _raw(path: Path, folder: Path, stack: ExitStack, *, read_only: bool) -> Path:
    form = _form(path)
    if form == "raw":
        return path
    program = _needed("qemu-storage-daemon")
    if not Path("/dev/fuse").exists():
        raise UnsupportedError(
            f"{path}: a {form} image needs FUSE here, which is not there; convert it: "
            f"qemu-img convert -O raw {path.name} {path.stem}.raw"
        )
    shown = folder / "raw"
    shown.touch()
    ro, writable = ("on", "off") if read_only else ("off", "on")
    below = f"file.driver=file,file.filename={_quoted(path.resolve())}"
    node = f"driver={form},node-name=disk,read-only={ro},{below}"
    export = f"type=fuse,id=out,node-name=disk,mountpoint={_quoted(shown)},writable={writable}"
    errors = stack.enter_context((folder / "errors").open("wb"))
    daemon = subprocess.Popen(
        [program, "--blockdev", node, "--export", export],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )
    stack.callback(_end, daemon)
    until = time.monotonic() + _TIME
    while shown.stat().st_size == 0:
        with suppress(subprocess.TimeoutExpired):
            daemon.wait(0.05)
        if daemon.poll() is not None or time.monotonic() > until:
            said = (folder / "errors").read_text(errors="replace")[:500].strip()
            raise UnsupportedError(f"{path}: QEMU cannot open it: {said or 'it says nothing'}")
    return shown


def _quoted(path: Path) -> str:
    """As a value of QEMU's options, where a comma ends a value unless it is doubled (qemu(1))."""
    return str(path).replace(",", ",,")


def _volumes(raw: Path) -> list[_Volume]:
    """The partitions, or the whole where there is no table."""
    _needed("partx")
    shown = run(
        ["partx", "--show", "--noheadings", "--output", "START,SECTORS", str(raw)],
        timeout=_TIME,
        most_bytes=_MOST,
    )
    found = []
    for line in shown.output.decode("ascii", "replace").splitlines() if shown.status == 0 else ():
        numbers = [int(word) for word in line.split() if word.isdecimal()]
        if len(numbers) == 2 and numbers[1] > 0:  # noqa: PLR2004 - start and length
            found.append(_Volume(numbers[0] * _SECTOR, numbers[1] * _SECTOR))
    return found[:_MOST_PARTITIONS] or [_Volume(0, _size_of(raw))]


def _size_of(raw: Path) -> int:
    """Bytes of an image, or of a disk, whose file says 0."""
    with raw.open("rb") as file:
        return file.seek(0, os.SEEK_END)


def _mount(part: _Part, place: Path, key: Secret | None, stack: ExitStack) -> Path:
    _needed("losetup", "mount", "umount", "blkid")
    device = _loop(part, stack)
    with part.raw.open("rb") as file:
        file.seek(part.volume.offset + len(_JUMP))
        locked = file.read(len(_BITLOCKER)) == _BITLOCKER
    kind = "" if locked else _kind(device)
    if locked:
        device = _unlocked_volume(device, key, stack, read_only=part.read_only)
        kind = _kind(device)
    if kind == "ntfs":
        ways = [way for way in ("ntfs-3g", "ntfs3") if way == "ntfs3" or shutil.which("ntfs-3g")]
    elif kind in _PLAIN:
        ways = [kind]
    else:
        raise UnsupportedError(f"holds {kind or 'no file system'}")
    said = ""
    options = f"{_OPTIONS},ro{_NO_REPLAY.get(kind, '')}" if part.read_only else _OPTIONS
    for way in ways:
        done = _run(["mount", "-t", way, "-o", options, str(device), str(place)])
        if done.status == 0:
            return place
        said = said or done.output.decode("utf-8", "replace").strip()[:300]
    raise UnsupportedError(f"{kind} cannot be mounted: {said}")


def _loop(part: _Part, stack: ExitStack) -> Path:
    command = ["losetup", "--find", "--show", "--offset", str(part.volume.offset)]
    command += ["--read-only"] if part.read_only else []
    done = _run([*command, "--sizelimit", str(part.volume.size), str(part.raw)])
    said = done.output.decode("ascii", "replace").split()
    device = next((word for word in reversed(said) if word.startswith("/dev/")), " ".join(said))
    if done.status != 0 or not device.startswith("/dev/"):
        raise UnsupportedError(f"this machine gives no loop device: {device[:300]}")
    stack.callback(_run, ["losetup", "--detach", device])
    return Path(device)


def _kind(device: Path) -> str:
    done = _run(["blkid", "-p", "-o", "value", "-s", "TYPE", str(device)])
    return done.output.decode("ascii", "replace").strip() if done.status == 0 else ""


def _unlocked_volume(
    device: Path, key: Secret | None, stack: ExitStack, *, read_only: bool
) -> Path:
    if key is None:
        raise UnsupportedError(
            "is locked by BitLocker: give its recovery password on standard input, with --key-stdin"
        )
    program = _needed("cryptsetup")
    if not (MAPPER / "control").exists():
        raise UnsupportedError(
            "is locked by BitLocker, and this machine has no device mapper (dm-crypt) to open it with"
        )
    name = f"recovery-{os.getpid()}-{device.name}"
    done = subprocess.run(
        [
            *(program, "open", *(["--readonly"] if read_only else [])),
            *("--type", "bitlk", "--key-file", "-", str(device), name),
        ],
        input=key.reveal().encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_UNLOCKING,
        check=False,
    )
    if done.returncode != 0:
        raise UnsupportedError("is locked by BitLocker, and its recovery password was not accepted")
    stack.callback(_run, ["cryptsetup", "close", name])
    return MAPPER / name


def _needed(*programs: str) -> str:
    """Where the last of them is. Raises `UnsupportedError` for one that is not there."""
    found = ""
    for program in programs:
        found = shutil.which(program) or ""
        if not found:
            raise UnsupportedError(
                f"the program {program} is not installed (Debian: {_PROGRAMS[program]}); "
                "mount the disk yourself and name the folder instead"
            )
    return found


def _run(command: Sequence[str]) -> Ran:
    try:
        return run(command, timeout=_TIME, most_bytes=_MOST, with_errors=True)
    except (OSError, TimeoutError) as error:
        return Ran(str(error).encode(), None)


def _unmount(place: Path) -> None:
    done = _run(["umount", str(place)])
    if done.status != 0:
        said = done.output.decode("utf-8", "replace").strip()[:300]
        raise UnsupportedError(
            f"{place} could not be unmounted, so the image is not to be used yet: {said}"
        )


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """It writes out what it holds."""
    daemon.terminate()
    try:
        daemon.wait(_TIME)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _remove(folder: Path) -> None:
    """Empty folders only: what is still mounted there is never touched."""
    for inner in folder.iterdir():
        with suppress(OSError):
            inner.rmdir() if inner.is_dir() else inner.unlink()
    with suppress(OSError):
        folder.rmdir()
