"""RapidOCR in a process of its own, which is kept for the next picture and ended when one takes too long."""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import msgspec

from recovery.detect.screen.text import Line, Recognised

if TYPE_CHECKING:
    from PIL import Image

_LONGEST = 40.0
"""Seconds for one picture, and for loading the models once."""
_MOST_BYTES = 1024 * 1024


class Rapid:
    """A `TextReader`. Safe to share between threads: they take turns."""

    name = "rapidocr"

    def __init__(
        self, *, timeout: float = _LONGEST, module: str = "recovery.ocr.rapid_worker"
    ) -> None:
        self._timeout = timeout
        self._module = module
        self._turn = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def read(self, image: Image.Image) -> Recognised:
        """The lines of a picture. Never raises; bounded in time and output."""
        with self._turn:
            try:
                return self._read(image)
            except (OSError, ValueError, msgspec.MsgspecError) as error:
                self._end()
                said = "took too long" if isinstance(error, TimeoutError) else f"failed: {error}"
                return Recognised(problem=f"rapidocr {said}")

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._end()

    def __del__(self) -> None:
        self._end()

    def _read(self, image: Image.Image) -> Recognised:
        worker = self._started()
        with tempfile.TemporaryDirectory(prefix="recovery-ocr-") as folder:
            file = Path(folder) / "screen.png"
            image.save(file, compress_level=1)
            stdin = cast("IO[bytes]", worker.stdin)
            stdin.write(str(file).encode() + b"\n")
            stdin.flush()
            answer = _line(cast("IO[bytes]", worker.stdout), self._timeout)
        rows = msgspec.json.decode(answer, type=list[tuple[str, float, float, float, float]])
        return Recognised(tuple(Line(*row) for row in rows))

    def _started(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self._end()
            self._worker = subprocess.Popen(
                [sys.executable, "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        return self._worker

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        for stream in (worker.stdin, worker.stdout):
            with contextlib.suppress(OSError):
                cast("IO[bytes]", stream).close()
        worker.wait()


def _line(stream: IO[bytes], timeout: float) -> bytes:
    """The next line of an answer. Raises `TimeoutError`, `OSError` when it ends, `ValueError` when it is too long."""
    until = time.monotonic() + timeout
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            part = stream.read(65536)
            if not part:
                message = "its process ended"
                raise OSError(message)
            found += part
            if len(found) > _MOST_BYTES:
                message = "it said too much"
                raise ValueError(message)
    return bytes(found)
