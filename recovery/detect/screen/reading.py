"""From the bytes of a picture to what it shows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from PIL import Image

from recovery.detect import bugchecks
from recovery.detect.screen import details, textmode, words
from recovery.detect.screen.look import Look, look
from recovery.detect.screen.picture import Damaged, decode
from recovery.detect.screen.text import TextReader
from recovery.detect.screen.verdict import Verdict, by_sight, by_text, shown_elsewhere
from recovery.model.reading import Reading

_MOST_LINES = 60
_LONGEST_LINE = 200
_SMALL = 1400
"""Pixels of width below which a picture is enlarged before its text is read; small print of a screen needs it."""
_TINY = 400
"""Pixels of width below which no detail is believed."""
_LEGIBLE = 1000
"""Pixels of width below which single digits are taken for others."""
_PAGE = 40
"""Words around a screen that make it a picture on a page rather than a machine's console in a viewer."""
_NOT_SURE = 0.75


class _Read(msgspec.Struct, frozen=True):
    """The text of a screen."""

    lines: tuple[str, ...] = ()
    by: str = ""
    problem: str = ""


def read(raw: bytes, reader: TextReader | None = None) -> Reading:
    """What the picture in `raw` shows: PNG, JPEG, BMP, PPM or GIF of any size. Never raises for what it holds.

    Text screens with the hardware's font are read without a `reader` (OCR). The text of all others needs one; without
    it what cannot be told apart is said to be so (`alternatives`).
    """
    picture = decode(raw)
    if isinstance(picture, Damaged):
        return Reading(
            label="unknown",
            confidence=0.0,
            meaning="a picture that cannot be read",
            width=picture.width,
            height=picture.height,
            problems=(picture.reason,),
        )
    seen = look(picture.image)
    text = _text(picture.image, seen, reader)
    found = _judged(picture.image, seen, text, reader)
    scale = picture.width / picture.image.width
    left, top, right, bottom = (round(edge * scale) for edge in seen.guest)
    reading = Reading(
        label=found.label,
        confidence=_confidence(found, seen),
        meaning=found.meaning,
        alternatives=found.alternatives,
        busy=found.busy,
        text=tuple(details.masked(line)[:_LONGEST_LINE] for line in text.lines[:_MOST_LINES]),
        read_by=text.by,
        width=picture.width,
        height=picture.height,
        guest=(left, top, right, bottom) if seen.framed else None,
        problems=(text.problem,) if text.problem else (),
    )
    return _with_details(reading, text.lines)


def _text(image: Image.Image, seen: Look, reader: TextReader | None) -> _Read:
    exact = textmode.read(image, seen)
    if exact:
        return _Read(tuple(line.text for line in exact), "font")
    if reader is None or by_sight(seen).label == "blank":
        return _Read()
    return _recognised(image.crop(seen.guest), reader)


def _recognised(image: Image.Image, reader: TextReader) -> _Read:
    factor = min(4, -(-_SMALL // image.width)) if image.width < _SMALL else 1
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.BICUBIC)
    found = reader.read(image)
    lines = tuple(line.text for line in found.lines if line.text.strip())
    return _Read(lines, reader.name if lines else "", found.problem)


def _judged(image: Image.Image, seen: Look, text: _Read, reader: TextReader | None) -> Verdict:
    if not text.lines:
        return by_sight(seen)
    kinds = words.weigh(text.lines)
    found = by_text(seen, kinds, text.lines, exact=text.by == "font")
    if reader is None or not seen.framed or found.label in {"unknown", "blank", "desktop"}:
        return found
    around = _recognised(_without(image, seen), reader).lines
    page = len(" ".join(around).split()) >= _PAGE and not words.weigh(around).of("viewer")
    return shown_elsewhere(found) if page else found


def _without(image: Image.Image, seen: Look) -> Image.Image:
    """The picture with the guest's screen painted over."""
    frame = image.copy()
    frame.paste((127, 127, 127), seen.guest)
    return frame


def _confidence(found: Verdict, seen: Look) -> float:
    small = seen.guest[2] - seen.guest[0] < _TINY
    return round(found.confidence * (_NOT_SURE if small else 1.0), 2)


def _with_details(reading: Reading, lines: Sequence[str]) -> Reading:
    """The same with what can be taken off such a screen."""
    match reading.label:
        case "bugcheck":
            return _bugcheck(reading, lines)
        case "needs_key":
            return _key(reading, lines)
        case "linux_panic":
            line = details.panic(lines)
            meaning = f"{reading.meaning}: {line}" if line else reading.meaning
            return msgspec.structs.replace(reading, panic=line, meaning=meaning)
        case "recovery_screen" | "unknown":
            percent = details.percent(lines)
            meaning = f"{reading.meaning}, {percent} %" if percent is not None else reading.meaning
            return msgspec.structs.replace(reading, percent=percent, meaning=meaning)
        case _:
            return reading


def _key(reading: Reading, lines: Sequence[str]) -> Reading:
    left, _, right, _ = reading.guest or (0, 0, reading.width, 0)
    key_id = details.key_id(lines)
    doubt = "the key id may be misread, since the picture is small: compare it with the screen"
    small = bool(key_id) and right - left < _LEGIBLE
    problems = (*reading.problems, doubt) if small else reading.problems
    return msgspec.structs.replace(reading, key_id=key_id, problems=problems)


def _bugcheck(reading: Reading, lines: Sequence[str]) -> Reading:
    code, module, percent = details.stop_code(lines), details.module(lines), details.percent(lines)
    shown = bugchecks.shown(code.number) if code.number is not None else code.name
    said = [
        f"stop code {shown}" if shown else "",
        f"{module} failed" if module else "",
        f"{percent} % complete" if percent is not None else "",
    ]
    meaning = ", ".join(part for part in said if part)
    return msgspec.structs.replace(
        reading,
        stop_code=code.number,
        stop_code_name=code.name,
        module=module,
        percent=percent,
        meaning=f"blue screen: {meaning}" if meaning else reading.meaning,
    )
