"""What is read off a console's picture, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw, ImageFont

from recovery.detect.screen import Line, Recognised, read
from recovery.detect.screen.details import key_id, masked, module, panic, percent, stop_code
from recovery.detect.screen.look import family
from recovery.detect.screen.picture import Damaged, decode
from recovery.sim import screens
from recovery.sim.screens.canvas import Canvas, Facts, Style


class Says:
    """A reader that says the same of every picture, or that it failed."""

    name = "says"

    def __init__(self, *lines: str, around: tuple[str, ...] = (), problem: str = "") -> None:
        self._answers = [lines, around]
        self._problem = problem
        self.widths: list[int] = []

    def read(self, image: Image.Image) -> Recognised:
        lines = self._answers[min(len(self.widths), 1)]
        self.widths.append(image.width)
        return Recognised(tuple(Line(line) for line in lines), self._problem)


@pytest.mark.parametrize(
    ("lines", "number", "name"),
    [
        (["*** STOP: 0x00000050 (0xFFFFF8A003EC3000,0x0)"], 0x50, "PAGE_FAULT_IN_NONPAGED_AREA"),
        (["xxx ST0P: OxOOOOOOD1 (OxFF"], 0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL"),
        (["Stop code: CRITICAL PROCESS DIED"], 0xEF, "CRITICAL_PROCESS_DIED"),
        (["Stop code: PAGE_FAULT_IN_NONPAGED_AREA (0x50)"], 0x50, "PAGE_FAULT_IN_NONPAGED_AREA"),
        (["Stop code: PAGE_FAULT_1N_NONPAGED_ARER"], 0x50, "PAGE_FAULT_IN_NONPAGED_AREA"),
        (["IRQL_NOT_LESS_OR_EQUAL"], 0xA, "IRQL_NOT_LESS_OR_EQUAL"),
        (
            ["for this error: SYSTEM_THREAD_EXCEPTION_NOT_", "HANDLED"],
            0x7E,
            "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
        ),
        (["search later for this error: 0xc000021a"], 0xC000021A, None),
        (["*** STOP: 0x0BADBEEF (0x0)"], 0x0BADBEEF, ""),
        (["Stop code: SOME_VENDOR_WROTE_THIS"], None, "SOME_VENDOR_WROTE_THIS"),
        (["Your PC ran into a problem"], None, ""),
        ([], None, ""),
    ],
)
def test_stop_codes_are_taken_by_number_and_by_name(
    lines: list[str], number: int | None, name: str | None
) -> None:
    found = stop_code(lines)
    assert found.number == number
    assert name is None or found.name == name


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["What failed: csagent.sys"], "csagent.sys"),
        (["What failed: csagent.sy5"], "csagent.sys"),
        (["***  CSAgent.sys - Address FFFFF800 base at"], "CSAgent.sys"),
        (["search for: SYSTEM_SERVICE_EXCEPTION (win32k.sys)"], "win32k.sys"),
        (["the driver", "tcpip.sys"], "tcpip.sys"),
        (["a.sys", "b.sys"], ""),
        (["nothing"], ""),
    ],
)
def test_the_module_that_is_blamed(lines: list[str], name: str) -> None:
    assert module(lines) == name


@pytest.mark.parametrize(
    ("text", "number"),
    [("20% complete", 20), ("100 % fertig", 100), ("%30 tamam", 30), ("5 percent", 5), ("x", None), ("1200%", None)],
)  # fmt: skip
def test_percentages(text: str, number: int | None) -> None:
    assert percent([text]) == number


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (["ID: a1b2c3d4-5e6f-7081-92a3-b4c5d6e7f809"], "A1B2C3D4-5E6F-7081-92A3-B4C5D6E7F809"),
        (["A1B2C3D4-5E6F-7081-92A3-", "B4C5D6E7F809"], "A1B2C3D4-5E6F-7081-92A3-B4C5D6E7F809"),
        (["AlB2C3D4-5E6F-7O81-92A3-B4C5D6 E7F809"], "A1B2C3D4-5E6F-7081-92A3-B4C5D6E7F809"),
        (["Recovery key ID: 1A2B3C4D"], "1A2B3C4D"),
        (["Recovery key ID: unreadable"], ""),
    ],
)
def test_key_ids(lines: list[str], key: str) -> None:
    assert key_id(lines) == key


def test_a_recovery_key_that_is_being_typed_is_not_kept() -> None:
    typed = "123456-654321-111111-222222-333333-444444-555555-666666"
    assert masked(f"Enter {typed}") == "Enter ***"
    assert masked("123456-654321-12") == "***"
    assert masked("build 123456") == "build 123456"
    found = read(screens.png("bitlocker"), Says("BitLocker recovery", typed))
    assert found.label == "needs_key"
    assert not any("654321" in line for line in found.text)


def test_panics() -> None:
    assert panic(["[ 1.4] x", "[ 1.5] Kernel panic - not syncing: no init"]) == (
        "Kernel panic - not syncing: no init"
    )
    assert panic(["---[ end Kernel panic - not syncing: no init ]---"]) == ""


@pytest.mark.parametrize("size", [(640, 400), (1280, 800), (640, 800)])
@pytest.mark.parametrize("form", ["PNG", "BMP", "PPM", "GIF"])
def test_text_screens_are_read_exactly_without_ocr(size: tuple[int, int], form: str) -> None:
    raw = screens.encoded(screens.draw("windows7_bugcheck", size), form)
    found = read(raw)
    assert (found.label, found.stop_code, found.module) == ("bugcheck", 0x50, "csagent.sys")
    assert found.read_by == "font"
    assert "to your computer." in found.text
    facts = Facts(panic="Attempted to kill init!")
    assert read(screens.png("linux_panic", size, facts)).panic.endswith("Attempted to kill init!")


@pytest.mark.parametrize(
    ("name", "label"), [("login", "text_console"), ("grub", "boot_menu"), ("boot_error", "boot_menu")]
)  # fmt: skip
def test_other_text_screens(name: str, label: str) -> None:
    assert read(screens.png(name, (640, 400))).label == label


def test_a_text_screen_in_a_padded_frame_is_read() -> None:
    frame = Image.new("RGB", (1024, 768), (120, 120, 120))
    frame.paste(screens.draw("windows7_bugcheck", (640, 400)), (192, 184))
    found = read(screens.encoded(frame))
    assert (found.label, found.stop_code) == ("bugcheck", 0x50)
    assert found.guest is not None
    assert all(abs(a - b) <= 6 for a, b in zip(found.guest, (192, 184, 832, 584), strict=True))


def test_a_text_screen_that_says_nothing_known_is_a_console() -> None:
    canvas = Canvas((640, 400), (0, 0, 0), Style())
    canvas.grid(("all is well here", "and nothing else is said"))
    found = read(screens.encoded(canvas.image))
    assert found.label == "text_console"
    assert found.confidence < 0.6


def test_a_panic_that_is_only_told_of_is_a_console() -> None:
    canvas = Canvas((640, 400), (0, 0, 0), Style())
    canvas.grid(("# grep panic messages", "Kernel panic - not syncing: old", "root@host:~# _"))
    assert read(screens.encoded(canvas.image)).label == "text_console"


def test_a_page_about_blue_screens_is_a_desktop() -> None:
    page = Image.new("RGB", (1600, 1200), (255, 255, 255))
    page.paste(screens.draw("windows10_bugcheck", (1100, 760)), (250, 220))
    said = ("Your PC ran into a problem and needs to restart", "Stop code: CRITICAL PROCESS DIED")
    story = ("one two three four five six seven eight nine ten",) * 5
    raw = screens.encoded(page)
    assert read(raw, Says(*said, around=story)).label == "desktop"
    assert read(raw, Says(*said, around=("host - Virtual Machine Connection", *story))).label == (
        "bugcheck"
    )
    assert read(raw, Says(*said)).label == "bugcheck"


def test_words_of_a_crash_on_white_are_no_crash() -> None:
    white = screens.encoded(Image.new("RGB", (1280, 720), (250, 250, 250)).rotate(0))
    page = Image.open(io.BytesIO(white)).convert("RGB")
    page.paste((0, 0, 0), (100, 100, 400, 130))
    said = Says("Your PC ran into a problem and needs to restart", "Stop code: X_Y_Z_ABC")
    assert read(screens.encoded(page), said).label in {"unknown", "desktop"}


def test_small_pictures_are_less_sure_and_enlarged() -> None:
    reader = Says("Your PC ran into a problem and needs to restart")
    small = read(screens.png("windows10_bugcheck", (320, 200)), reader)
    large = read(screens.png("windows10_bugcheck", (1280, 800)), reader)
    assert small.label == large.label == "bugcheck"
    assert small.confidence < large.confidence
    assert reader.widths[0] > 1000


def test_a_key_id_on_a_small_picture_is_doubted() -> None:
    reader = Says("BitLocker recovery", "Recovery key ID: 1A2B3C4D")
    assert read(screens.png("bitlocker", (800, 600)), reader).problems
    assert not read(screens.png("bitlocker", (1280, 720)), reader).problems


def test_a_reader_that_fails_is_told_of() -> None:
    found = read(screens.png("bitlocker"), Says(problem="it took too long"))
    assert (found.label, found.problems) == ("unknown", ("it took too long",))


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"), ((0, 0, 128), "navy"), ((0, 0, 170), "navy"), ((0, 120, 215), "azure"),
        ((16, 113, 170), "azure"), ((33, 103, 181), "azure"), ((0, 89, 157), "azure"), ((27, 122, 43), "green"),
        ((1, 36, 86), "powershell"), ((120, 120, 120), "grey"), ((250, 250, 250), "white"), ((43, 21, 94), "other"),
        ((220, 60, 40), "other"),
    ],
)  # fmt: skip
def test_families_of_colours(colour: tuple[int, int, int], name: str) -> None:
    assert family(colour) == name


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is very large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no picture"),
        (b"MDMP and more", "no picture"),
        (b"BM" + bytes(60), "no picture"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "no picture"),
        (bomb(100_000, 100_000), "exceeds limit"),
        (bomb(1, 60_000), "1 x 60000 pixels"),
        (bomb(800, 600), "damaged"),
        (screens.png("desktop")[:9000], "damaged"),
        (b"P3\n2 2\n255\n" + b"1 " * 12, "a PPM of a kind"),
        (b"P6\n2 2\n65535\n" + bytes(24), "a PPM of a kind"),
        (b"\xff\xd8\xff" + b"\xff\xda" * 100, "scans"),
        (b"\x89PNG\r\n\x1a\n" + bytes(17 * 1024 * 1024), "larger than 16 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_picture_is_refused_with_a_reason(raw: bytes, said: str) -> None:
    found = decode(raw)
    assert isinstance(found, Damaged)
    assert said in found.reason
    reading = read(raw)
    assert (reading.label, reading.confidence) == ("unknown", 0.0)
    assert reading.problems == (found.reason,)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_pictures_of_every_mode_are_seen(mode: str) -> None:
    image = screens.draw("blank", (320, 200)).convert("L")
    via = {"CMYK": "RGB", "RGBA": "RGB", "P": "RGB"}.get(mode, "L")
    raw = screens.encoded(image.convert(via).convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    assert read(raw).label == "blank"


def test_very_large_pictures_are_made_smaller() -> None:
    raw = screens.encoded(screens.draw("windows10_bugcheck", (5120, 2880)), "JPEG")
    found = read(raw)
    assert (found.label, found.width, found.height) == ("bugcheck", 5120, 2880)


SAID = "Your device ran into a problem and needs to restart"


def dark(*lines: str) -> bytes:
    """Something that stands on a dark ground, as a machine's console shows it."""
    sheet = Image.new("RGB", (1280, 800), (11, 11, 13))
    pen = ImageDraw.Draw(sheet)
    for n, line in enumerate(lines):
        pen.text((130, 80 + 48 * n), line, font=ImageFont.load_default(24), fill=(230, 230, 230))
    return screens.encoded(sheet, "PNG")


@pytest.mark.parametrize(
    ("lines", "label"),
    [
        ((SAID, "20% complete", "Stop code: CRITICAL_PROCESS_DIED"), "bugcheck"),
        ((":(", SAID, "What failed: csagent.sys"), "bugcheck"),
        (("QEMU (dc01) - noVNC  Ctrl-Alt-Del", SAID, "Stop code: 0x50"), "bugcheck"),
        (("Chat  Files  Organization", f"our till says: {SAID}", "thanks"), "unknown"),
        (("How to fix a blue screen", "If Windows shows", SAID, "do this"), "unknown"),
        (("ops@jump:~$ cat 12.txt", "*** STOP: 0x00000050 (0x1)", "ops@jump:~$ _"), "text_console"),
        ((r"C:\> type 12.txt", "*** STOP: 0x00000050 (0x1)", r"C:\Users\ops>"), "text_console"),
    ],
)
def test_who_tells_of_a_crash_is_told_from_one(lines: tuple[str, ...], label: str) -> None:
    found = read(dark(*lines), Says(*lines))
    assert found.label == label
    if label == "unknown":
        assert "bugcheck" in found.alternatives


@pytest.mark.parametrize(
    ("lines", "busy"),
    [
        (("Working on updates 30%", "Don't turn off your computer"), True),
        (("Scanning and repairing drive (C:): 12% complete",), True),
        (("Please wait while we install a system update",), True),
        (("Attempting repairs",), True),
        (("Automatic Repair couldn't repair your PC",), False),
        (("Please wait",), False),
        ((SAID, "20% complete"), False),
    ],
)
def test_a_machine_that_is_not_to_be_switched_off(lines: tuple[str, ...], busy: bool) -> None:
    assert read(screens.png("recovery"), Says(*lines)).busy is busy
