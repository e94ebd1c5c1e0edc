"""Starting a program of the operator's: without a shell, bounded in time and output."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO, cast

import msgspec


class Ran(msgspec.Struct, frozen=True):
    """What came of a program."""

    output: bytes
    """Standard output, and a little more than the limit where there was more."""
    status: int | None
    """Exit status; negative for a signal; None when it was ended because it printed too much."""


def words_of(text: str) -> tuple[str, ...]:
    """A program with its arguments as people write it on one line; no shell reads it. A URL is one word.

    Raises `ValueError` for quotes that do not match, and for nothing at all.
    """
    words = tuple(shlex.split(text))
    if not words:
        message = "expected a program with its arguments, or a URL"
        raise ValueError(message)
    return words


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    most_bytes: int,
    with_errors: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Ran:
    """Run `argv` to its end. Blocks: call it in a thread.

    Everything that it starts ends with it. Raises `OSError` or `ValueError` when it cannot be started, `TimeoutError`
    when it does not end within `timeout` seconds. `with_errors` takes what it says on standard error for output;
    `variables` are added to its environment.
    """
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        list(argv),
        stdin=null,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if with_errors else null,
        bufsize=0,
        start_new_session=True,
        env={**os.environ, **(variables or {})},
    )
    stream = cast("IO[bytes]", process.stdout)
    status: int | None = None
    try:
        raw, left = _bounded(stream, timeout, most_bytes)
        if len(raw) <= most_bytes:
            status = process.wait(left)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        stream.close()
        if status is None:
            _kill(process)
    return Ran(raw, status)


def _bounded(stream: IO[bytes], timeout: float, most_bytes: int) -> tuple[bytes, float]:
    """All that is printed, or a little more than is wanted, and the seconds that are left of `timeout`."""
    until = time.monotonic() + timeout
    parts = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while len(parts) <= most_bytes:
            if not selector.select(max(until - time.monotonic(), 0)):
                raise TimeoutError
            part = stream.read(4096)
            if not part:
                break
            parts += part
    return bytes(parts), max(until - time.monotonic(), 0)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and all that it started: its children may live on, and hold its output open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
