"""The program tesseract, started anew for each picture."""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path

from PIL import Image, ImageOps, ImageStat

from recovery import programs
from recovery.detect.screen.text import Line, Recognised

_LONGEST = 20.0
"""Seconds for one picture."""
_MOST_BYTES = 256 * 1024
_LANGUAGES = (
    "eng", "deu", "fra", "spa", "ita", "por", "nld", "pol", "rus", "jpn",
    "chi_sim", "chi_tra", "kor", "swe", "ces", "tur",
)  # fmt: skip
"""Asked for where they are installed."""
_MOST_LANGUAGES = 4
"""Each makes it slower."""
_DARK = 128
_ONE_THREAD = {"OMP_THREAD_LIMIT": "1"}
"""Its own threads make it slower, and leave no processor to others."""


class Tesseract:
    """A `TextReader`."""

    name = "tesseract"

    def __init__(self, program: str, *, timeout: float = _LONGEST) -> None:
        self._program = program
        self._timeout = timeout

    def read(self, image: Image.Image) -> Recognised:
        """The lines of a picture. Never raises; bounded in time and output."""
        try:
            return self._read(image)
        except (OSError, ValueError) as error:
            said = "took too long" if isinstance(error, TimeoutError) else f"failed: {error}"
            return Recognised(problem=f"tesseract {said}")

    def _read(self, image: Image.Image) -> Recognised:
        with tempfile.TemporaryDirectory(prefix="recovery-ocr-") as folder:
            file = Path(folder) / "screen.png"
            _dark_on_light(image).save(file, compress_level=1)
            languages = "+".join(self._languages)
            argv = (self._program, str(file), "stdout", "-l", languages, "--psm", "11")
            ran = programs.run(
                argv, timeout=self._timeout, most_bytes=_MOST_BYTES, variables=_ONE_THREAD
            )
        if ran.status != 0:
            return Recognised(problem=f"tesseract ended with status {ran.status}")
        text = ran.output.decode("utf-8", "replace")
        return Recognised(tuple(Line(line.strip()) for line in text.splitlines() if line.strip()))

    @cached_property
    def _languages(self) -> tuple[str, ...]:
        ran = programs.run(
            (self._program, "--list-langs"), timeout=self._timeout, most_bytes=_MOST_BYTES
        )
        there = ran.output.decode("utf-8", "replace").split()
        return tuple(name for name in _LANGUAGES if name in there)[:_MOST_LANGUAGES] or ("eng",)


def _dark_on_light(image: Image.Image) -> Image.Image:
    """Grey, as the engine was trained: its letters are dark."""
    grey = image.convert("L")
    stretched = ImageOps.autocontrast(grey, cutoff=(0, 0))
    return ImageOps.invert(stretched) if ImageStat.Stat(stretched).median[0] < _DARK else stretched
