"""Inventory scripts: run with `--list`, bounded in time and in what they may print."""

from __future__ import annotations

import os
import selectors
import signal
import stat
import subprocess
import time
from pathlib import Path

from recovery.documents import MAX_BYTES
from recovery.errors import InputError

SECONDS = 60.0
"""So long a script may take."""
_CHUNK = 1 << 20
_KEPT_OF_STDERR = 4000
_TEXTS_WITH_NULS = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins."""


def is_script(path: Path) -> bool:
    """Whether the file is executable and begins like a program; on some file systems every file is executable."""
    if not path.is_file() or not os.access(path, os.X_OK):
        return False
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return start.startswith(b"#!") or (b"\0" in start and not start.startswith(_TEXTS_WITH_NULS))


def output_of(path: Path, *, seconds: float = SECONDS, most: int = MAX_BYTES) -> str:
    """What the script prints for `--list`. Raises `InputError` when it fails, takes longer or prints more.

    It gets an empty standard input and a process group of its own, which is ended when it has to be stopped. One that
    everybody may write to is not run at all.
    """
    if path.stat().st_mode & stat.S_IWOTH:
        message = (
            "everybody may write to this script, so it is not run: take that away with chmod o-w"
        )
        raise InputError(message, file=str(path))
    try:
        process = subprocess.Popen(
            [str(path.resolve()), "--list"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"the script cannot be run: {error.strerror}", file=str(path)) from None
    with process:
        try:
            stdout, stderr = _read(process, path, time.monotonic() + seconds, most)
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        lines = stderr.decode("utf-8", "replace").strip().splitlines()
        said = f": {lines[-1][:200]!a}" if lines else ""
        raise InputError(f"the script ended with status {process.returncode}{said}", file=str(path))
    return stdout.decode("utf-8", "replace")


def _read(
    process: subprocess.Popen[bytes], path: Path, until: float, most: int
) -> tuple[bytes, bytes]:
    found = {"stdout": bytearray(), "stderr": bytearray()}
    with selectors.DefaultSelector() as selector:
        for name in found:
            selector.register(getattr(process, name), selectors.EVENT_READ, name)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready:
                raise InputError("the script did not end in time", file=str(path))
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                found[key.data] += chunk
            del found["stderr"][:-_KEPT_OF_STDERR]
            if len(found["stdout"]) > most:
                raise InputError(f"the script printed more than {most} bytes", file=str(path))
    try:
        process.wait(max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise InputError("the script did not end in time", file=str(path)) from None
    return bytes(found["stdout"]), bytes(found["stderr"])


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
