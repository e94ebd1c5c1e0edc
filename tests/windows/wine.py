"""A Windows command processor: Wine's cmd.exe on folders of the test's own, with drive letters.

Where it differs from Windows' cmd, the scripts keep to what both take; `strike.cmd` says what that is. Wine has no
reparse points and reads names with %...% in them anew, so links and such names are not tried here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from recovery.ports import Completed
from tests.needs import need

_ENVIRON = {"WINEDLLOVERRIDES": "mscoree,mshtml=", "WINEDEBUG": "-all", "LC_ALL": "C.UTF-8"}
_PREPARE_SECONDS = 240
_RUN_SECONDS = 60
VAULT = "ProgramData/FleetRecovery/quarantine"


class Wine:
    """One Windows, with its server kept running so that each command starts quickly."""

    def __init__(self, root: Path) -> None:
        """Make it below `root`; takes some ten seconds."""
        self._program = need("wine")
        self.prefix = root / "prefix"
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "WINEPREFIX": str(self.prefix),
            "WINEARCH": "win64",
            **_ENVIRON,
        }
        self._numbers = 0
        root.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [self._program, "wineboot", "--init"],
            env=self._environ,
            capture_output=True,
            timeout=_PREPARE_SECONDS,
            check=True,
        )
        # What the first program starts beside itself keeps its outputs open for as long as it runs.
        subprocess.run(
            [self._program, "cmd.exe", "/d", "/c", "exit"],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PREPARE_SECONDS,
            check=True,
        )
        # A command that does nothing and stays: the server ends with its last client.
        self._keeper = subprocess.Popen(
            [self._program, "cmd.exe", "/d", "/q"],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """End it, and remove its files."""
        self._keeper.communicate(b"exit\r\n", timeout=_RUN_SECONDS)
        subprocess.run(
            [need("wineserver"), "--kill"], env=self._environ, timeout=_RUN_SECONDS, check=False
        )
        shutil.rmtree(self.prefix, ignore_errors=True)

    def drive(self, letter: str) -> Path:
        """The folder of a drive; `c` is always there, others are made."""
        if letter == "c":
            return self.prefix / "drive_c"
        folder = self.prefix / f"drive_{letter}"
        folder.mkdir(exist_ok=True)
        link = self.prefix / "dosdevices" / f"{letter}:"
        if not link.is_symlink():
            link.symlink_to(f"../drive_{letter}")
        return folder

    def clean(self) -> None:
        """Take away what a test has left."""
        for link in (self.prefix / "dosdevices").iterdir():
            if link.name not in ("c:", "z:") and link.name.endswith(":"):
                link.unlink()
        for folder in self.prefix.glob("drive_[!c]"):
            _remove(folder)
        c = self.drive("c")
        _remove(c / "windows" / "system32" / "drivers" / "CrowdStrike")
        _remove(c / "ProgramData" / "FleetRecovery")
        (c / "windows" / "system32" / "wpeutil.exe").unlink(missing_ok=True)

    def argv(self, line: str) -> list[str]:
        """How to have cmd read a line as an OpenSSH server has it.

        Wine puts backslashes in front of the quotes of its own command line, so a line with quotes is read from a
        file, where percent signs are doubled.
        """
        if '"' not in line:
            return [self._program, "cmd.exe", "/d", "/c", *line.split(" ")]
        self._numbers += 1
        name = f"line-{os.getpid()}-{self._numbers}.bat"
        doubled = line.replace("%", "%%")
        (self.drive("c") / name).write_text(f"@{doubled}\r\n", "utf-8", newline="")
        return [self._program, "cmd.exe", "/d", "/c", f"c:\\{name}"]

    async def run(self, line: str, stdin: bytes = b"") -> Completed:
        """What comes of the line."""
        process = await asyncio.create_subprocess_exec(
            *self.argv(line),
            env=self._environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                stdout, stderr = await process.communicate(stdin)
        finally:
            process._transport.close()  # type: ignore[attr-defined]  # who hangs up leaves it running otherwise
        return Completed(stdout=stdout, stderr=stderr, exit_status=process.returncode)


def windows(drive: Path) -> Path:
    """A Windows on a drive, or the one of Wine that is there; the artifact's folder."""
    own = drive / "windows" / "system32"
    system = own if own.exists() else drive / "Windows" / "System32"
    system.mkdir(parents=True, exist_ok=True)
    (system / "ntoskrnl.exe").touch()
    folder = system / "drivers" / "CrowdStrike"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _remove(folder: Path) -> None:
    for root, folders, _ in os.walk(folder):
        for name in folders:
            (Path(root) / name).chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
