"""The pictures by which the reader of console pictures is measured, drawn by chance from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import msgspec
from PIL import Image

from recovery.model.reading import Label
from recovery.sim import screens
from recovery.sim.screens.canvas import Colour, Facts, Style
from tests.pictures import drawn, fonts, languages

SIZES = (
    (640, 480),
    (800, 600),
    (1024, 768),
    (1280, 720),
    (1280, 1024),
    (1366, 768),
    (1920, 1080),
    (2560, 1440),
)
SMALL = ((160, 120), (240, 135), (320, 240))
AZURE: tuple[Colour, ...] = (
    (0, 120, 215),
    (16, 113, 170),
    (32, 104, 180),
    (33, 101, 178),
    (32, 125, 174),
)
STOPS = (
    (0x50, "PAGE_FAULT_IN_NONPAGED_AREA"), (0xEF, "CRITICAL_PROCESS_DIED"), (0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"),
    (0x7B, "INACCESSIBLE_BOOT_DEVICE"), (0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"), (0x139, "KERNEL_SECURITY_CHECK_FAILURE"),
    (0x3B, "SYSTEM_SERVICE_EXCEPTION"), (0x133, "DPC_WATCHDOG_VIOLATION"),
)  # fmt: skip
LABELS: dict[str, Label] = {
    "windows10_bugcheck": "bugcheck", "windows8_bugcheck": "bugcheck", "windows11_bugcheck": "bugcheck",
    "insider_bugcheck": "bugcheck", "windows7_bugcheck": "bugcheck", "recovery": "recovery_screen",
    "automatic_repair": "recovery_screen", "choose_option": "recovery_screen", "preparing_repair": "recovery_screen",
    "bitlocker": "needs_key", "firmware": "firmware", "grub": "boot_menu", "boot_error": "boot_menu",
    "linux_panic": "linux_panic", "login": "text_console", "lock": "sign_in", "desktop": "desktop",
    "updating": "unknown", "blank": "blank",
}  # fmt: skip
"""What each of the product's own screens is."""

Draw = Callable[[random.Random, "drawn.Size"], Image.Image]


class Case(msgspec.Struct, frozen=True):
    """One picture, and what it shows."""

    name: str
    label: Label
    raw: bytes
    facts: Facts | None = None
    """What can be read off it."""
    small: bool = False
    negative: bool = False
    """It only looks like a crash."""


def cases(seed: int = 7) -> Iterator[Case]:
    """All pictures."""
    chance = random.Random(seed)  # noqa: S311 - drawing needs no secrecy
    yield from _own(chance)
    yield from _localised(chance)
    yield from _framed(chance)
    yield from _negatives(chance)


def _own(chance: random.Random) -> Iterator[Case]:
    for name, label in LABELS.items():
        for n, size in enumerate((*chance.sample(SIZES, 3), chance.choice(SMALL))):
            facts, style = _facts(chance), _style(chance, name)
            image = screens.draw(name, size, facts, style)
            small = size in SMALL
            yield Case(
                f"{name}-{n}", label, _encoded(chance, image), facts, small, label == "unknown"
            )


def _localised(chance: random.Random) -> Iterator[Case]:
    for language, said in languages.BUGCHECK.items():
        facts = _facts(chance)
        image = drawn.bugcheck(
            chance.choice(SIZES[1:]), chance.choice(AZURE), _font(language), said, facts.stop_name
        )
        yield Case(f"bugcheck-{language}", "bugcheck", _encoded(chance, image), facts)
    for language, words in languages.RECOVERY.items():
        image = drawn.menu(chance.choice(SIZES[1:]), chance.choice(AZURE), _font(language), words)
        yield Case(f"recovery-{language}", "recovery_screen", _encoded(chance, image))
    for language, asked in languages.KEY.items():
        facts = _facts(chance)
        image = drawn.key(
            chance.choice(SIZES[1:]), chance.choice(AZURE), _font(language), asked, facts.key_id
        )
        yield Case(f"key-{language}", "needs_key", _encoded(chance, image), facts)


def _framed(chance: random.Random) -> Iterator[Case]:
    inner = ("windows10_bugcheck", "windows8_bugcheck", "windows7_bugcheck", "bitlocker", "automatic_repair", "linux_panic", "boot_error")  # fmt: skip
    for n, name in enumerate(inner):
        for kind in ("vmconnect", "novnc", "browser", "padding"):
            facts = _facts(chance)
            shown = screens.draw(
                name, ((640, 400), (1024, 768), (1280, 720))[n % 3], facts, Style()
            )
            image = drawn.framed(shown, chance.uniform(0.62, 0.84), kind, fonts.broad())
            yield Case(f"{name}-in-{kind}", LABELS[name], _encoded(chance, image), facts)


def _negatives(chance: random.Random) -> Iterator[Case]:
    for name, (label, draw) in NEGATIVES.items():
        for n, size in enumerate(chance.sample(SIZES[1:], 2)):
            yield Case(f"{name}-{n}", label, _encoded(chance, draw(chance, size)), negative=True)
    for language, words in languages.UPDATING.items():
        image = drawn.centred(chance.choice(SIZES[1:]), (0, 120, 215), _font(language), words)
        yield Case(f"updating-{language}", "unknown", _encoded(chance, image), negative=True)


def _mosaic(chance: random.Random, size: drawn.Size) -> Image.Image:
    small = Image.frombytes("RGB", (64, 48), chance.randbytes(64 * 48 * 3))
    return small.resize(size, Image.Resampling.NEAREST)


NEGATIVES: dict[str, tuple[Label, Draw]] = {
    "installer": ("unknown", lambda _, size: drawn.text_installer(size, fonts.broad())),
    "setup": ("unknown", lambda _, size: drawn.windows_setup(size, fonts.broad())),
    "old-setup": ("unknown", lambda _, size: drawn.old_setup(size, fonts.fixed()[-1])),
    "firmware-dialog": ("firmware", lambda _, size: drawn.blue_firmware(size, fonts.broad(), code=False)),
    "firmware-code": ("firmware", lambda _, size: drawn.blue_firmware(size, fonts.broad(), code=True)),
    "blue-sign-in": ("sign_in", lambda chance, size: drawn.sign_in(size, chance.choice(AZURE), fonts.broad())),
    "shell-window": ("desktop", lambda _, size: drawn.shell_window(size, fonts.fixed()[-1], full=False, told=True)),
    "shell-full": ("desktop", lambda _, size: drawn.shell_window(size, fonts.fixed()[-1], full=True, told=True)),
    "wallpaper": ("desktop", lambda chance, size: drawn.wallpaper(size, chance.randrange(99))),
    "flat-desktop": ("desktop", lambda _, size: drawn.flat_desktop(size, fonts.broad())),
    "article": ("desktop", lambda _, size: drawn.article(size, fonts.broad(), screens.draw("windows10_bugcheck"), 0.45)),
    "article-large": ("desktop", lambda _, size: drawn.article(size, fonts.broad(), screens.draw("windows10_bugcheck"), 0.58)),
    "ready": ("unknown", lambda _, size: drawn.centred(size, (0, 89, 157), fonts.broad(), ("Getting Windows ready", "Don't turn off your computer"))),
    "white-noise": ("unknown", _mosaic),
}  # fmt: skip


def _font(language: str) -> str:
    return fonts.ideographs() if language in {"ja", "zh", "ko"} else fonts.broad()


def _facts(chance: random.Random) -> Facts:
    code, name = chance.choice(STOPS)
    digits = f"{chance.getrandbits(128):032X}"
    return Facts(
        stop_code=code,
        stop_name=name,
        percent=chance.randrange(0, 101, 5),
        key_id="-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),
    )


def _style(chance: random.Random, name: str) -> Style:
    blue = name in {
        "windows10_bugcheck",
        "windows8_bugcheck",
        "recovery",
        "automatic_repair",
        "bitlocker",
        "choose_option",
    }
    return Style(
        background=chance.choice(AZURE) if blue else None,
        font=chance.choice(fonts.text()),
        fixed=chance.choice(fonts.fixed()),
        shift=(chance.uniform(-0.02, 0.02), chance.uniform(-0.02, 0.02)),
        scale=chance.uniform(0.92, 1.05),
    )


def _encoded(chance: random.Random, image: Image.Image) -> bytes:
    form = chance.choice(("PNG", "JPEG", "JPEG", "BMP", "PPM"))
    if form == "JPEG":
        return screens.encoded(image, "JPEG", quality=chance.choice((35, 50, 65, 75, 85, 92)))
    return screens.encoded(image, form)
