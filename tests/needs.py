"""What a test needs of the machine. Without it the test is skipped by name on a user's machine, and fails in CI."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from typing import NoReturn

import pytest

_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
"""Users' own search path may leave out where system programs are."""

_PROGRAMS: Mapping[str, tuple[str, str]] = {
    "busybox": ("busybox", "busybox-static"),
    "chromium": ("chromium", "chromium"),
    "dash": ("dash", "dash"),
    "dpkg": ("dpkg-deb", "dpkg"),
    "ip": ("ip", "iproute2"),
    "mkfs": ("mkfs.ext4", "e2fsprogs"),
    "qemu": ("qemu-system-x86_64", "qemu-system-x86"),
    "shellcheck": ("shellcheck", "shellcheck"),
    "slapadd": ("slapadd", "slapd"),
    "slapd": ("slapd", "slapd"),
    "ssh": ("ssh", "openssh-client"),
    "ssh-agent": ("ssh-agent", "openssh-client"),
    "ssh-keygen": ("ssh-keygen", "openssh-client"),
    "sshd": ("sshd", "openssh-server"),
    "tesseract": ("tesseract", "tesseract-ocr"),
    "wine": ("wine", "wine64"),
    "wineserver": ("wineserver", "wine64"),
}
"""Name to the program and the Debian package that brings it."""


def need(name: str) -> str:
    """The path of a program, or nothing for `root`, `linux`, `zbar` and Python modules (`module:NAME`)."""
    if name == "root":
        return _hold(os.geteuid() == 0, "needs to be root")
    if name == "linux":
        return _hold(sys.platform == "linux", "needs Linux")
    if name == "zbar":
        return _hold(
            ctypes.util.find_library("zbar") is not None, "needs zbar (Debian package libzbar0)"
        )
    kind, _, module = name.partition(":")
    if kind == "module" and module:
        return _hold(
            importlib.util.find_spec(module) is not None, f"needs the Python module {module}"
        )
    program, package = _PROGRAMS.get(name, (name, name))
    path = shutil.which(program, path=_PATH)
    return path or missing(f"needs {program} (Debian package {package})")


def missing(reason: str) -> NoReturn:
    """Skip the test for `reason`, or fail it where `RECOVERY_CI=1` says that the machine has everything."""
    if os.environ.get("RECOVERY_CI") == "1":
        pytest.fail(f"{reason}; in CI nothing is skipped", pytrace=False)
    pytest.skip(reason)


def _hold(condition: bool, reason: str) -> str:
    return "" if condition else missing(reason)
