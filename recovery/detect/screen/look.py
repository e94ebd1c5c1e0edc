"""What can be seen of a screen without reading it: its frame, its colours, and the face of a bug check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, cast

import msgspec
from PIL import Image, ImageChops

Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]
Family = Literal["azure", "navy", "green", "black", "grey", "white", "powershell", "other"]

_SAMPLE = (320, 240)
_NEAR = 26
"""Steps of a channel within which a colour is the same one after a JPEG."""
_SAME = 12
_LEAST_FLAT = 0.45
_INK = 60
_LEAST_SHARE = 0.08
_LEAST_GUEST = 0.28
"""Of the picture: a smaller one is a picture on somebody's desktop, not the screen that is looked at."""
_LEAST_FILL = 0.5
_HUE = 0x40
_GAP = 0.14
_SHAPE = (1.1, 2.5)
"""Width to height of a screen, with room for one that is cut."""
_WHOLE = 0.965
_CANDIDATES = 4
_LIGHT = 150


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    guest: Box
    """In pixels of the picture: the screen without what a viewer draws around it."""
    framed: bool
    """Whether something surrounds it."""
    part: float
    """Of the picture that is the guest's."""
    background: Colour
    family: Family
    """Of the background."""
    share: float
    """Of the guest that is background."""
    flat: float
    """Of the guest that is background with hardly a shade; a wallpaper is not."""
    ink: float
    """Of the guest that differs clearly from it."""
    greys: float
    """Of the guest that is of a middling or light grey: dialogs of text screens."""
    hues: int
    """How many colours that are no grey, coarsely, make up a thousandth of the guest or more."""
    face: bool
    """Whether `:(` stands there."""
    taskbar: bool
    """Whether a band of another colour closes the screen below."""


def look(image: Image.Image) -> Look:
    """Look at an RGB picture."""
    sample = image.resize(_SAMPLE, Image.Resampling.NEAREST)
    found = _guest(sample, image.size)
    box = found or (0, 0, *_SAMPLE)
    inner = sample.crop(box).resize(_SAMPLE, Image.Resampling.NEAREST) if found else sample
    ground = _commonest(inner)[0]
    mask = near(inner, ground)
    grid = _counted(inner.point(lambda value: value & 0xE0))
    pixels = _SAMPLE[0] * _SAMPLE[1]
    guest = _scaled(box, image.size)
    return Look(
        guest=guest,
        framed=found is not None,
        part=_area(box),
        background=ground,
        family=family(ground),
        share=_mean(mask),
        flat=_mean(near(inner, ground, _SAME)),
        ink=_mean(ink(inner, ground)),
        greys=sum(count for count, colour in grid if _is_grey(colour)) / pixels,
        hues=sum(count * 1000 >= pixels and max(hue) - min(hue) >= _HUE for count, hue in grid),
        face=_has_face(ink(image.crop(guest).resize(_SAMPLE, Image.Resampling.BOX), ground)),
        taskbar=_has_taskbar(inner),
    )


def family(colour: Colour) -> Family:
    """To which family a background belongs; `azure` is the blue of Windows 8 and later, `navy` that of text screens."""
    red, green, blue = colour
    low, high = min(colour), max(colour)
    if high < 42:
        return "black"
    if high - low < 20:
        return "white" if low > 200 else "grey"
    if all(abs(a - b) <= 16 for a, b in zip(colour, (1, 36, 86), strict=True)):
        return "powershell"
    return _hue(red, green, blue)


def _hue(red: int, green: int, blue: int) -> Family:
    if blue >= 90 and green < 0.3 * blue and red < 0.35 * blue:
        return "navy"
    if blue >= 135 and blue > green > 0.38 * blue and red < 0.35 * blue:
        return "azure"
    if green >= 70 and red < 0.75 * green and blue < 0.75 * green:
        return "green"
    return "other"


# --- the guest ---


def _guest(sample: Image.Image, size: tuple[int, int]) -> Box | None:
    """The rectangle of one dark or saturated colour that fills most of the picture, if it does not fill all of it."""
    best: tuple[float, Box] | None = None
    for colour in _commonest(sample):
        if _luma(colour) >= _LIGHT:
            continue
        box, fill = _rectangle(near(sample, colour))
        area = _area(box)
        flat = _mean(near(sample.crop(box), colour, _SAME)) if area else 0.0
        if flat < _LEAST_FLAT or not _stands_out(sample, box, colour):
            continue
        weight = area * fill**3 * (1.0 if family(colour) in {"azure", "navy", "green"} else 0.85)
        if not _SHAPE[0] <= _aspect(_scaled(box, size)) <= _SHAPE[1]:
            continue
        if fill >= _LEAST_FILL and area >= _LEAST_GUEST and (best is None or weight > best[0]):
            best = weight, box
    if best is None:
        return None
    left, top, right, bottom = best[1]
    width, height = _SAMPLE
    whole = right - left >= _WHOLE * width and bottom - top >= _WHOLE * height
    return None if whole else best[1]


def _stands_out(sample: Image.Image, box: Box, colour: Colour) -> bool:
    """Whether the rectangle ends at its edges; a wallpaper only changes slowly."""
    left, top, right, bottom = box
    width, height = sample.size
    strips = (
        (left, max(0, top - 6), right, max(0, top - 2)),
        (left, min(height, bottom + 2), right, min(height, bottom + 6)),
        (max(0, left - 6), top, max(0, left - 2), bottom),
        (min(width, right + 2), top, min(width, right + 6), bottom),
    )
    outside = [s for s in strips if s[2] - s[0] > 1 and s[3] - s[1] > 1]
    return all(_mean(ink(sample.crop(strip), colour)) > 0.5 for strip in outside)


def _rectangle(mask: Image.Image) -> tuple[Box, float]:
    """The rectangle that a mask fills, and how much of it."""
    left, right = _run(_profile(mask, across=True))
    inner = mask.crop((left, 0, right, mask.height))
    top, bottom = _run(_profile(inner, across=False))
    inner = mask.crop((left, top, right, bottom))
    if inner.height < 2:
        return (0, 0, 0, 0), 0.0
    left, right = (left + edge for edge in _run(_profile(inner, across=True)))
    box = (left, top, right, bottom)
    return box, _mean(mask.crop(box)) if right > left else 0.0


def _run(profile: Sequence[int]) -> tuple[int, int]:
    """The longest stretch of a profile that stays near its peak, bridging short gaps; dialogs stand in between."""
    floor = max(profile) * 0.2
    gap = int(len(profile) * _GAP)
    best = (0, 0)
    start = last = -1
    for place, value in enumerate(profile):
        if value <= floor or value == 0:
            continue
        if start < 0 or place - last > gap:
            start = place
        last = place
        if last + 1 - start > best[1] - best[0]:
            best = (start, last + 1)
    return best


def _profile(mask: Image.Image, *, across: bool) -> list[int]:
    """The mean of each column, or of each row."""
    size = (mask.width, 1) if across else (1, mask.height)
    return list(mask.resize(size, Image.Resampling.BOX).tobytes())


# --- colours ---


def _commonest(sample: Image.Image) -> list[Colour]:
    """The colours of which a picture has most; shades of one colour count as one."""
    found: list[Colour] = []
    exact = [colour for _, colour in sorted(_counted(sample), reverse=True)[:4000]]
    grid = sorted(_counted(sample.point(lambda value: value & 0xF0)), reverse=True)
    for count, cell in grid[:_CANDIDATES]:
        if found and count < _LEAST_SHARE * sample.width * sample.height:
            break
        found.append(next((colour for colour in exact if _cell(colour) == cell), cell))
    return found


def _counted(sample: Image.Image) -> list[tuple[int, Colour]]:
    """Each colour of an RGB picture, and how many pixels have it."""
    return cast("list[tuple[int, Colour]]", sample.getcolors(sample.width * sample.height) or [])


def _cell(colour: Colour) -> Colour:
    red, green, blue = colour
    return red & 0xF0, green & 0xF0, blue & 0xF0


def near(sample: Image.Image, colour: Colour, steps: int = _NEAR) -> Image.Image:
    """A mask of the pixels that have about this colour: each channel differs by at most so many steps."""
    return _distance(sample, colour).point(lambda value: 255 if value <= steps else 0)


def ink(sample: Image.Image, colour: Colour) -> Image.Image:
    """A mask of the pixels that differ clearly from it."""
    return _distance(sample, colour).point(lambda value: 255 if value > _INK else 0)


def _distance(sample: Image.Image, colour: Colour) -> Image.Image:
    """The largest difference of any channel."""
    solid = Image.new("RGB", sample.size, colour)
    red, green, blue = ImageChops.difference(sample, solid).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _is_grey(colour: Colour) -> bool:
    return max(colour) == min(colour) and 0x80 <= colour[0] <= 0xC0


def _luma(colour: Colour) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def _mean(mask: Image.Image) -> float:
    """The part of a mask that is set."""
    return mask.histogram()[255] / (mask.width * mask.height)


def _aspect(box: Box) -> float:
    return (box[2] - box[0]) / (box[3] - box[1])


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1]) / (_SAMPLE[0] * _SAMPLE[1])


def _scaled(box: Box, size: tuple[int, int]) -> Box:
    """A box of the sample as one of the picture."""
    across, down = size[0] / _SAMPLE[0], size[1] / _SAMPLE[1]
    left, top = int(box[0] * across), int(box[1] * down)
    return (
        left,
        top,
        max(left + 1, min(size[0], round(box[2] * across))),
        max(top + 1, min(size[1], round(box[3] * down))),
    )


# --- shapes ---


def _has_taskbar(sample: Image.Image) -> bool:
    """Whether the lowest rows have one colour of their own over most of the width, and the rows above another."""
    width, height = sample.size
    low = sample.crop((0, int(height * 0.965), width, height))
    above = sample.crop((0, int(height * 0.86), width, int(height * 0.92)))
    colour = _commonest(low)[0]
    return _mean(near(low, colour)) > 0.6 and _mean(near(above, colour)) < 0.3


def _has_face(ink: Image.Image) -> bool:
    """Whether `:(` stands alone on its rows, in the left half and large, as Windows 8 to 11 draw it."""
    for top, bottom in _bands(_profile(ink, across=False)):
        height = bottom - top
        if 0.06 <= height / ink.height <= 0.30 and bottom < 0.62 * ink.height:
            band = ink.crop((0, top, ink.width, bottom))
            if _is_face(band):
                return True
    return False


def _is_face(band: Image.Image) -> bool:
    columns = list(_bands(_profile(band, across=True)))
    if len(columns) != 2:
        return False
    dots, mouth = columns
    if dots[0] < 0.03 * band.width or mouth[1] > 0.5 * band.width:
        return False
    # A sample is as wide as it is high only for pictures of 4:3; the widths of letters vary anyhow.
    wide = mouth[1] - dots[0]
    if not 0.25 * band.height < wide < 1.2 * band.height:
        return False
    return _are_dots(band.crop((dots[0], 0, dots[1], band.height))) and _is_mouth(
        band.crop((mouth[0], 0, mouth[1], band.height))
    )


def _are_dots(part: Image.Image) -> bool:
    rows = list(_bands(_profile(part, across=False)))
    if len(rows) != 2:
        return False
    (top, upper), (lower, bottom) = rows
    first, second = upper - top, bottom - lower
    return lower - upper >= 0.12 * part.height and 0.5 < (first + 0.5) / (second + 0.5) < 2


def _is_mouth(part: Image.Image) -> bool:
    """One stroke over the whole height whose middle lies to the left of its ends."""
    rows = list(_bands(_profile(part, across=False)))
    if len(rows) != 1 or rows[0][1] - rows[0][0] < 0.8 * part.height:
        return False
    third = part.height // 4
    ends = [_centre(part.crop((0, 0, part.width, third)))]
    ends.append(_centre(part.crop((0, part.height - third, part.width, part.height))))
    middle = _centre(
        part.crop((0, part.height // 2 - third // 2, part.width, part.height // 2 + third))
    )
    return middle + 0.08 * part.width < min(ends)


def _centre(part: Image.Image) -> float:
    """The mean place of the ink from the left."""
    profile = _profile(part, across=True)
    total = sum(profile)
    return sum(place * value for place, value in enumerate(profile)) / total if total else 0.0


def _bands(profile: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The stretches of a profile that are not empty."""
    start = -1
    for place, value in enumerate([*profile, 0]):
        if value > 0 and start < 0:
            start = place
        elif value == 0 and start >= 0:
            yield start, place
            start = -1
