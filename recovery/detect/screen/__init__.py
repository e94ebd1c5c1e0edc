"""Reading what a console shows: the bytes of a picture in, a `Reading` out."""

from __future__ import annotations

from recovery.detect.screen.reading import read
from recovery.detect.screen.text import Line, Recognised, TextReader

__all__ = ["Line", "Recognised", "TextReader", "read"]
