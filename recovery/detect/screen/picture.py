"""From the bytes of a picture to its pixels, whatever somebody sends: bounded in memory and time, and never raising."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib

import msgspec
from PIL import Image, UnidentifiedImageError

LARGEST = 48 * 1024 * 1024
"""Bytes of a file."""
_PACKED = 16 * 1024 * 1024
"""Bytes of a file that is compressed."""
MOST_PIXELS = 16_000_000
"""Of a picture; Pillow takes four bytes for each. A screen of 5120 by 2880 has 14.7 million."""
_LONGEST = 20_000
"""Pixels of one side."""
_MOST_SCANS = 64
"""Of a JPEG: each goes over the whole picture, and costs a sender a few bytes."""
_SHARP = (2560, 1600)
"""Larger pictures are halved: letters of screens with so many pixels stay legible."""
_FORMS = ("PNG", "JPEG", "BMP", "PPM", "GIF")
_PNG = b"\x89PNG\r\n\x1a\n"
_BEGINNINGS = (_PNG, b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""Of a PNG: its pixels. Texts, profiles and further frames are left out, since they unpack to more memory."""
_PPM = re.compile(rb"P[1-6][\s#]")
_RAW = re.compile(rb"P(?:4(?:\s+|#[^\n]*\n)+\d+\s+\d+|[56](?:\s+|#[^\n]*\n)+\d+\s+\d+\s+255)\s")
"""What is decoded without a loop in Python: one byte or bit for each value."""
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_HEAD = 18
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, AttributeError,
    MemoryError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""All that decoders raise for damaged files."""


class Picture(msgspec.Struct, frozen=True):
    """A picture that was decoded."""

    image: Image.Image
    """RGB; smaller than the file says where that is very large."""
    width: int
    """As the file says, in pixels."""
    height: int


class Damaged(msgspec.Struct, frozen=True):
    """A picture that could not be."""

    reason: str
    width: int = 0
    height: int = 0


def looks_like(head: bytes) -> bool:
    """Whether bytes begin like a picture of a kind that is read: PNG, JPEG, BMP, PPM, GIF."""
    if head.startswith(_BEGINNINGS) or _PPM.match(head):
        return True
    if not head.startswith(b"BM") or len(head) < _HEAD:
        return False
    return int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def decode(raw: bytes) -> Picture | Damaged:
    """The picture that the bytes hold; of several, the first."""
    refused = _refused(raw)
    if refused:
        return Damaged(refused)
    size = (0, 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(_bare(raw)), formats=_FORMS)
            size = image.size
            if not _bearable(size):
                return Damaged(
                    f"{size[0]} x {size[1]} pixels; at most {MOST_PIXELS:,} are read", *size
                )
            return Picture(_pixels(image), *size)
    except UnidentifiedImageError:
        return Damaged("no picture that can be decoded (PNG, JPEG, BMP, PPM, GIF)")
    except _BROKEN as error:
        return Damaged(f"damaged: {_said(error)}", *size)


def _refused(raw: bytes) -> str:
    most = _PACKED if raw.startswith(_BEGINNINGS) else LARGEST
    if len(raw) > most:
        return f"larger than {most // 1024**2} MiB"
    if not looks_like(raw[:64]):
        return "no picture that is known (PNG, JPEG, BMP, PPM, GIF)"
    if _PPM.match(raw) and not _RAW.match(raw[:4096]):
        return "a PPM of a kind that is not read: P4, or P5 and P6 with values up to 255, are"
    if raw.startswith(b"\xff\xd8") and raw.count(b"\xff\xda") > _MOST_SCANS:
        return f"a JPEG of more than {_MOST_SCANS} scans"
    return ""


def _bearable(size: tuple[int, int]) -> bool:
    width, height = size
    return 0 < width <= _LONGEST and 0 < height <= _LONGEST and width * height <= MOST_PIXELS


def _pixels(image: Image.Image) -> Image.Image:
    """The pixels as RGB; halved until they are no more than needed."""
    width, height = image.size
    wanted = max(1, width // _SHARP[0], height // _SHARP[1])
    if image.format == "JPEG" and wanted > 1:
        image.draft("RGB", (width // wanted, height // wanted))
    image.load()
    if image.mode in {"I;16", "I;16B", "I", "F"}:
        image = image.convert("F").point(lambda value: value * (1 / 256)).convert("L")
    image.info.pop("transparency", None)  # what consoles leave there means nothing
    if image.mode != "RGB":
        image = image.convert("RGB")
    factor = max(1, image.width // _SHARP[0], image.height // _SHARP[1])
    return image.reduce(factor) if factor > 1 else image


def _bare(raw: bytes) -> bytes | memoryview:
    """A PNG without what is not needed to draw it; others as they are."""
    if not raw.startswith(_PNG):
        return raw
    view, at, kept = memoryview(raw), len(_PNG), [memoryview(_PNG)]
    while at + 8 <= len(raw):
        end = at + 12 + int.from_bytes(raw[at : at + 4], "big")
        if raw[at + 4 : at + 8] in _CHUNKS:
            kept.append(view[at:end])
        at = end
    return b"".join(kept)


def _said(error: BaseException) -> str:
    """A decoder's complaint on one line."""
    return " ".join(str(error).split())[:160] or type(error).__name__
