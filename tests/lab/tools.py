"""The programs of the machine that the lab uses."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mkfs.ext4": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "setpriv": "util-linux",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
    "apt-cache": "apt",
}
"""Program to the Debian package that brings it."""

_PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
"""Users' own search path may leave out where file system tools are."""


class LabUnavailableError(Exception):
    """The lab cannot be built or started on this machine; the text says why."""


def check_machine() -> None:
    """Raises `LabUnavailableError` where a program, or the machine itself, does not fit."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        machine = f"{platform.machine()} {sys.platform}"
        raise LabUnavailableError(f"the lab's guests need x86-64 Linux, this is {machine}")
    missing = sorted(
        {package for tool, package in PACKAGES.items() if not shutil.which(tool, path=_PATH)}
    )
    if missing:
        raise LabUnavailableError(f"the lab needs system packages: {' '.join(missing)}")


def output(command: list[str], *, cwd: Path | None = None) -> bytes:
    """Standard output of a program. Raises `LabUnavailableError` with its complaint when it fails."""
    environment = {**os.environ, "PATH": _PATH, "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, check=False, timeout=300
    )
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise LabUnavailableError(f"{Path(command[0]).name}: {complaint.splitlines()[-1]}")
    return done.stdout
