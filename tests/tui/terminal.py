"""A program in a pseudo-terminal: what it draws, as a terminal shows it, and when it came."""

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
from collections.abc import Mapping
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """One program, one terminal."""

    def __init__(
        self,
        argv: list[str],
        home: Path,
        size: tuple[int, int] = (80, 24),
        variables: Mapping[str, str] = {},
    ) -> None:
        """Start it, with nothing of the user's own settings."""
        self.size = size
        ours, theirs = pty.openpty()
        _resize(theirs, size)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env=_environment(home, variables),
            start_new_session=True,
        )
        os.close(theirs)
        self._handle = ours
        self.chunks: list[tuple[float, bytes]] = []
        """What came, and when."""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._played = 0

    @property
    def text(self) -> str:
        """What stands on the screen."""
        self.play()
        return "\n".join(self.screen.display)

    def play(self) -> None:
        """Let the screen show all that came."""
        for _, data in self.chunks[self._played :]:
            self._stream.feed(data)
        self._played = len(self.chunks)

    def watch(self, seconds: float, until: bytes = b"") -> bool:
        """Take what comes for so long, or until `until` has come; whether it has."""
        end, text = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            if not select.select([self._handle], [], [], left)[0]:
                break
            try:
                data = os.read(self._handle, 1 << 16)
            except OSError:  # nobody is at the other end any more
                break
            self.chunks.append((time.perf_counter(), data))
            text = text[-4096:] + data
            if until and until in text:
                return True
        return False

    def wait_for(self, *words: str, seconds: float = 60.0) -> str:
        """The screen, once all of the words stand on it. Raises `AssertionError` when they never come."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            text = self.text
            if all(word in text for word in words):
                return text
            self.watch(0.1)
        message = f"never came: {words}\n{self.text}"
        raise AssertionError(message)

    def press(self, keys: bytes) -> float:
        """Press keys; when."""
        os.write(self._handle, keys)
        return time.perf_counter()

    def resize(self, size: tuple[int, int]) -> None:
        """Drag the window's corner."""
        self.play()
        _resize(self._handle, size)
        self.screen.resize(size[1], size[0])
        os.kill(
            self.process.pid, signal.SIGWINCH
        )  # as the kernel does to what the terminal controls

    def end(self, seconds: float = 30.0) -> int:
        """Its exit status, once it has ended."""
        end = time.perf_counter() + seconds
        while self.process.poll() is None and time.perf_counter() < end:
            self.watch(0.1)
        self.watch(0.2)
        return self.process.wait(1)

    def kill(self) -> None:
        """End it as a crash does, and nothing that it has started in a session of its own."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def hang_up(self) -> int:
        """Close the window it is in; its exit status then. It controls nothing, so the kernel says nothing of it."""
        with Path(os.devnull).open("rb") as nobody:
            os.dup2(nobody.fileno(), self._handle)
        return self.process.wait(60)

    def close(self) -> None:
        """End it, and close the terminal."""
        self.kill()
        os.close(self._handle)


def recovery(*arguments: str) -> list[str]:
    """The program's command line."""
    return [sys.executable, "-m", "recovery", *arguments]


def _resize(handle: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def _environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COV"))}
    return {**kept, "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8", **variables}
