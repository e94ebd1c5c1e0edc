"""Who carries a run out: one process at a time, by a lock of the kernel's, which ends with its process."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import time
from pathlib import Path
from typing import Self

from recovery.errors import JournalError, RefusedError
from recovery.journal.store import MEMORY

_LONGEST_NOTE = 200
_PAUSES = (0.01, 0.05, 0.0)
"""Seconds between the tries to lock."""


class Lease:
    """The right to carry one run of a journal out, until it is released or the process ends."""

    def __init__(self, path: Path, handle: int) -> None:
        """Use `take`."""
        self._path = path
        self._handle = handle

    @classmethod
    def take(cls, journal: str, run: str) -> Self | None:
        """Take the lease of `run`; None while another process has it. Raises `JournalError` when it cannot be made.

        The file stands beside the journal and goes with the lease. A journal in memory has no other process.
        """
        if journal == MEMORY:
            return cls(Path(), -1)
        path = _file(journal, run)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            while True:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                if not _locked(handle):
                    os.close(handle)
                    return None
                if _is_still(path, handle):
                    break
                os.close(handle)
            os.ftruncate(handle, 0)
            os.pwrite(handle, _note(os.getpid()).encode(), 0)
        except OSError as error:
            message = f"journal {journal}: the lock {path.name} cannot be made: {error.strerror}"
            raise JournalError(message) from error
        return cls(path, handle)

    def release(self) -> None:
        """Let another process have it."""
        if self._handle < 0:
            return
        handle, self._handle = self._handle, -1
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take_over(journal: str, run: str) -> Lease:
    """The lease of a run that is there. Raises `RefusedError`, which names the process that carries it out."""
    lease = Lease.take(journal, run)
    if lease is None:
        who = holder(journal, run) or "another process"
        message = (
            f"run {run} is being carried out by {who}; two at once would do everything twice: "
            f"`recovery runs abort {run}` stops the other one"
        )
        raise RefusedError(message)
    return lease


def take_alone(journal: str, kind: str, what: str, doing: str) -> Lease:
    """The lease on a thing of a kind that is being `doing` by one process at a time.

    Raises `RefusedError`, which names the process that has it.
    """
    name = _name_of(kind, what)
    lease = Lease.take(journal, name)
    if lease is None:
        who = holder(journal, name) or "another process"
        raise RefusedError(f"{what} is being {doing} by {who}: wait until that has ended")
    return lease


def holder(journal: str, run: str) -> str:
    """The process that carries the run out, in words; empty when none does."""
    path = _file(journal, run)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        if _locked(handle, shared=True):
            return ""
        note = os.pread(handle, _LONGEST_NOTE, 0).decode("utf-8", "replace")
        return "".join(char for char in note if char.isprintable()) or "another process"
    finally:
        os.close(handle)


def is_held_by(journal: str, run: str, process: int) -> bool:
    """Whether that process of this machine carries the run out, and no other one."""
    return holder(journal, run) == _note(process)


def _note(process: int) -> str:
    return f"process {process} on {socket.gethostname()}"


def _name_of(kind: str, what: str) -> str:
    """The name of the lease on a thing of a kind, such as a host or a disk, whatever it is called."""
    return f"{kind}-{hashlib.blake2b(what.encode('utf-8', 'surrogateescape'), digest_size=8).hexdigest()}"


def _file(journal: str, run: str) -> Path:
    return Path(f"{journal}.{run}.lock")


def _locked(handle: int, *, shared: bool = False) -> bool:
    """Whether the lock could be had. Those who only look hold it for a moment, which is waited for."""
    for pause in _PAUSES:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)  # noqa: TID251 - before a run has begun, there is nothing to hold up
        else:
            return True
    return False


def _is_still(path: Path, handle: int) -> bool:
    """Whether the file that was locked is the one at its place: its holder may have taken it away meanwhile."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
