"""The engine that reads text: the one that was asked for, or the best that is installed."""

from __future__ import annotations

import importlib.util
import shutil
from typing import Literal

from recovery.detect.screen.text import TextReader
from recovery.errors import UsageError
from recovery.ocr.rapid import Rapid
from recovery.ocr.tesseract import Tesseract

Engine = Literal["auto", "rapidocr", "tesseract", "none"]


def choose(engine: Engine = "auto") -> TextReader | None:
    """The reader for an engine; `auto` takes rapidocr, else tesseract, else none.

    Raises `UsageError` for one that is named and not installed.
    """
    rapid = all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime"))
    program = shutil.which("tesseract")
    if engine == "none":
        return None
    if engine in {"auto", "rapidocr"} and rapid:
        return Rapid()
    if engine in {"auto", "tesseract"} and program:
        return Tesseract(program)
    if engine == "auto":
        return None
    how = "pip install 'fleet-recovery[ocr]'" if engine == "rapidocr" else "the program tesseract"
    raise UsageError(f"{engine} is not installed: it needs {how}")
