"""One lab machine: a QEMU process, what it says on its serial line, and its disk seen from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from tests.lab.disk import DiskFile, read_files
from tests.lab.image import Image
from tests.lab.qmp import Monitor
from tests.lab.tools import LabUnavailableError

Mark = Literal["boot", "up", "window", "panic"]

# QEMU ends with the process that started it, however that one ends: the pipe on standard input
# then reads its end, and the watcher kills its parent, which is QEMU. The watcher in turn goes with
# QEMU, so that it never kills a stranger.
_KEEPER = """
exec 3<&0
setpriv --pdeathsig KILL sh -c 'read -r line; kill -KILL "$PPID"' <&3 3<&- >/dev/null &
exec "$@" </dev/null 3<&-
"""
# Without RDRAND the first SSH connection of each boot waits a second for the random pool.
_PROCESSOR = "qemu64,+rdrand"
_ARGUMENTS = "console=ttyS0 panic=2 loglevel=4 printk.devkmsg=on rdinit=/init"


@dataclass(frozen=True)
class GuestSpec:
    """What a guest is to be like."""

    name: str
    window: float | None
    """Seconds from SSH being up to the crash; None for a machine without the bad file."""
    deaf: bool = False
    """While it has the bad file its network does not come up."""


class Serial:
    """Reads a serial line in a thread, keeps it in a log, and counts the guest's marks."""

    _MARK = re.compile(rb"lab: (boot|up|window|panic)\b ?(\S*)")

    def __init__(self, stream: IO[bytes], log: Path) -> None:
        self._stream, self._log = stream, log
        self._marks: list[tuple[str, str]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._read, name=f"serial {log.name}", daemon=True)
        self._thread.start()

    def marks(self, kind: Mark) -> list[str]:
        """What stood behind each mark of this kind so far."""
        with self._changed:
            return self._of(kind)

    def wait(self, kind: Mark, count: int, timeout: float) -> list[str]:
        """The marks of this kind once there are `count`. Raises `TimeoutError`, and when the line closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._of(kind)) >= count, timeout)
            if len(found := self._of(kind)) < count:
                raise TimeoutError(
                    f"{len(found)} of {count} times {kind!r} within {timeout} s, see {self._log}"
                )
            return found

    def join(self) -> None:
        self._thread.join()

    def _of(self, kind: str) -> list[str]:
        return [word for found, word in self._marks if found == kind]

    def _read(self) -> None:
        with self._log.open("ab", buffering=0) as log, self._stream:
            for line in self._stream:
                log.write(line)
                if found := self._MARK.search(line):
                    with self._changed:
                        self._marks.append((found[1].decode(), found[2].decode()))
                        self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Guest:
    """A machine of the lab. Started and stopped as often as one likes; its disk stays."""

    def __init__(
        self, spec: GuestSpec, image: Image, folder: Path, address: str, port: int
    ) -> None:
        self.spec, self.name = spec, spec.name
        self.address, self.port = address, port
        self.disk = folder / f"{spec.name}.ext4"
        self.log = folder / f"{spec.name}.log"
        self.qmp = folder / f"{spec.name}.qmp"
        """The monitor that is free for a console adapter; the lab uses another one."""
        self._image, self._folder = image, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._serial: Serial | None = None
        self._monitor: Monitor | None = None

    @property
    def serial(self) -> Serial:
        if self._serial is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._serial

    @property
    def monitor(self) -> Monitor:
        if self._monitor is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._monitor

    @property
    def pid(self) -> int:
        """QEMU's process id."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @property
    def boots(self) -> list[str]:
        """The boot id of each boot since the start, as the guest printed it."""
        return self.serial.marks("boot")

    @property
    def panics(self) -> int:
        """How often it crashed since the start."""
        return len(self.serial.marks("panic"))

    def wait(self, kind: Mark, count: int = 1, timeout: float = 120.0) -> list[str]:
        """Wait until the guest printed the mark `count` times since its start. Raises `TimeoutError`."""
        return self.serial.wait(kind, count, timeout)

    def start(self) -> None:
        """Switch it on. Raises `LabUnavailableError` with QEMU's words when it does not start."""
        own_monitor = self._folder / f"{self.name}.lab"
        own_monitor.unlink(missing_ok=True)
        errors = self._folder / f"{self.name}.err"
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                ["sh", "-c", _KEEPER, "keeper", *self._command(own_monitor)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        assert process.stdout is not None
        self._process, self._serial = process, Serial(process.stdout, self.log)
        pause = threading.Event()
        while process.poll() is None:
            try:
                self._monitor = Monitor(own_monitor)
            except (FileNotFoundError, ConnectionError):
                pause.wait(0.02)
            except OSError as error:
                self.stop()
                raise LabUnavailableError(
                    f"QEMU hangs: its monitor says nothing ({error})"
                ) from None
            else:
                return
        self.stop()
        raise LabUnavailableError(
            f"QEMU did not start: {errors.read_text(errors='replace').strip()}"
        )

    def stop(self) -> None:
        """Cut the power. What the guest had not written is lost."""
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None
            self.serial.join()

    def files(self, folder: str) -> dict[str, DiskFile]:
        """The files under a folder of the disk, as they would be found if the power were cut now."""
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            copy = Path(place) / "copy"
            if self._monitor is not None:
                self._monitor.execute("stop")
            try:
                shutil.copy(self.disk, copy)
            finally:
                if self._monitor is not None:
                    self._monitor.execute("cont")
            return read_files(copy, folder)

    def picture(self, path: Path) -> None:
        """Save what is on the screen, as PNG."""
        self.monitor.execute("screendump", filename=str(path), format="png")

    def _command(self, own_monitor: Path) -> list[str]:
        accelerator = "kvm" if os.environ.get("RECOVERY_LAB_ACCEL") == "kvm" else "tcg,tb-size=64"
        window = "" if self.spec.window is None else f" lab.window={self.spec.window:g}"
        window += " lab.deaf" if self.spec.deaf else ""
        forward = f"hostfwd=tcp:{self.address}:{self.port}-:22"
        options = {
            "-name": self.name, "-machine": "pc", "-accel": accelerator, "-cpu": _PROCESSOR, "-m": "160",
            "-vga": "std", "-display": "none", "-rtc": "base=utc", "-kernel": str(self._image.kernel),
            "-initrd": str(self._image.initrd), "-append": _ARGUMENTS + window, "-action": "panic=none",
            "-drive": f"file={self.disk},format=raw,if=none,id=disk,cache=unsafe",
            "-netdev": f"user,id=net,restrict=on,{forward}",
            "-chardev": "stdio,id=line,signal=off", "-serial": "chardev:line",
        }  # fmt: skip
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config"]
        for option, value in options.items():
            command += [option, value]
        for device in (
            "pvpanic",
            "virtio-blk-pci,drive=disk",
            "virtio-net-pci,netdev=net,romfile=",
        ):
            command += ["-device", device]
        for path in (self.qmp, own_monitor):
            command += ["-qmp", f"unix:{path},server=on,wait=off"]
        return command
