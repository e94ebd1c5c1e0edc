"""The real program in a pseudo-terminal, and the screen that somebody would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import pyte

_CHUNK = 65536
_PATIENCE = 60.0
"""Seconds until something has to be on the screen; nothing takes so long unless it never comes."""


class Terminal:
    """A terminal of so many columns and lines in which one program runs."""

    def __init__(
        self, words: Sequence[str], columns: int, lines: int, environment: Mapping[str, str]
    ) -> None:
        """Start the program."""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self._master, slave = pty.openpty()
        _resize(slave, columns, lines)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recovery", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "", **environment},
        )
        os.close(slave)

    def __enter__(self) -> Self:
        """For a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the program, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Make the window larger or smaller; the program is told by a signal."""
        self.screen.resize(lines, columns)
        _resize(self._master, columns, lines)
        self.process.send_signal(signal.SIGWINCH)

    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def take(self, seconds: float) -> bool:
        """Take in what the program draws within so many seconds; False once it has ended."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._master, _CHUNK)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        """Wait for a screen of which this holds."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if holds(self.text()):
                return self.text()
            if not self.take(0.2):
                break
        raise AssertionError(f"never came: {what}\n{self.text()}")

    def until_it_ends(self) -> int:
        """Wait for the program's end; its exit status."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self.take(0.2):
            pass
        return self.process.wait(_PATIENCE)


def _resize(handle: int, columns: int, lines: int) -> None:
    fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
