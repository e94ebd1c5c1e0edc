"""Programs that read the text of a picture (OCR): which there are, and the one to use."""

from __future__ import annotations

from recovery.ocr.choosing import Engine, choose

__all__ = ["Engine", "choose"]
