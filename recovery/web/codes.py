"""Bar codes as paths for SVG: no style and no script is in them, so that the strictest policy lets them stand."""

from __future__ import annotations

from itertools import groupby

import msgspec

QUIET = 10
"""Modules of white that Code 128 wants at either side (ISO/IEC 15417)."""
_QUIET_QR = 4
"""The same for QR codes, all around (ISO/IEC 18004)."""


class Bars(msgspec.Struct, frozen=True):
    """A code, with its quiet zone, in modules."""

    width: int
    height: int
    path: str


def code128(text: str) -> tuple[Bars, Bars]:
    """The linear code lying, and standing for narrow screens."""
    from barcode.codex import Code128  # noqa: PLC0415 - an extra

    modules = Code128(text).build()[0]
    runs: list[tuple[int, int]] = []
    place = QUIET
    for dark, group in groupby(modules):
        length = len(list(group))
        if dark == "1":
            runs.append((place, length))
        place += length
    width = place + QUIET
    lying = "".join(f"M{at} 0h{length}v1h-{length}z" for at, length in runs)
    standing = "".join(f"M0 {at}h1v{length}h-1z" for at, length in runs)
    return Bars(width, 1, lying), Bars(1, width, standing)


def qr(text: str) -> Bars:
    """The square code."""
    import segno  # noqa: PLC0415 - an extra

    rows = segno.make(text, error="m", micro=False).matrix
    path = "".join(
        f"M{x + _QUIET_QR} {y + _QUIET_QR}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    )
    size = len(rows) + 2 * _QUIET_QR
    return Bars(size, size, path)
