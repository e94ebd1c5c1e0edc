"""Screens by another hand than the product's: other languages, machines that run, what only looks like a crash."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

from recovery.sim import screens
from recovery.sim.screens.canvas import Colour
from tests.pictures import fonts

Size = tuple[int, int]


class Sheet:
    """A picture to write on; sizes and places are parts of the height and the width."""

    def __init__(self, size: Size, ground: Colour, font: str = "") -> None:
        self.image = Image.new("RGB", size, ground)
        self.pen = ImageDraw.Draw(self.image)
        self.width, self.height = size
        self.name = font

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: Colour = (255, 255, 255),
        *,
        centred: bool = False,
    ) -> None:
        """One line; `centred` puts its middle at `x`."""
        font = fonts.load(self.name, max(6, size * self.height))
        left = x * self.width - (font.getlength(text) / 2 if centred else 0)
        self.pen.text((left, y * self.height), text, font=font, fill=colour)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Colour,
        line: Colour | None = None,
    ) -> None:
        """A rectangle."""
        w, h = self.width, self.height
        self.pen.rectangle((left * w, top * h, right * w, bottom * h), fill, line)


def bugcheck(
    size: Size, ground: Colour, font: str, said: tuple[str, str], stop: str
) -> Image.Image:
    """A bug check in some language."""
    sheet = Sheet(size, ground, font)
    face = Sheet(size, ground, fonts.broad())
    face.write(0.10, 0.09, ":(", 0.20)
    sheet.image.paste(face.image.crop((0, 0, size[0], int(size[1] * 0.38))), (0, 0))
    half = len(said[0]) // 2
    cut = said[0].find(" ", half) if " " in said[0][half:] else len(said[0])
    sheet.write(0.10, 0.42, said[0][:cut], 0.036)
    sheet.write(0.10, 0.47, said[0][cut:].strip(), 0.036)
    sheet.write(0.10, 0.56, "35%", 0.036)
    sheet.write(0.20, 0.74, f"{said[1]} {stop}", 0.022)
    return sheet.image


def menu(size: Size, ground: Colour, font: str, said: tuple[str, ...]) -> Image.Image:
    """A menu of the recovery environment in some language."""
    sheet = Sheet(size, ground, font)
    sheet.write(0.13, 0.10, said[0], 0.08)
    for n, entry in enumerate(said[1:]):
        top = 0.30 + 0.17 * n
        sheet.box(
            0.13, top, 0.45, top + 0.14, (ground[0] // 2, ground[1] // 2 + 20, ground[2] // 2 + 40)
        )
        sheet.write(0.20, top + 0.04, entry, 0.032)
    return sheet.image


def key(size: Size, ground: Colour, font: str, said: tuple[str, ...], key_id: str) -> Image.Image:
    """The question for a recovery key in some language."""
    sheet = Sheet(size, ground, font)
    sheet.write(0.18, 0.09, said[0], 0.07)
    sheet.write(0.18, 0.24, said[1], 0.03)
    sheet.box(0.18, 0.32, 0.70, 0.38, (255, 255, 255))
    sheet.write(0.18, 0.48, said[2], 0.028)
    sheet.write(0.18, 0.53, key_id, 0.028)
    return sheet.image


def centred(size: Size, ground: Colour, font: str, said: tuple[str, ...]) -> Image.Image:
    """A few lines in the middle, as while updates are put in."""
    sheet = Sheet(size, ground, font)
    for n in range(6):
        sheet.box(
            0.48 + n * 0.008,
            0.38 + 0.01 * (n % 3),
            0.483 + n * 0.008,
            0.385 + 0.01 * (n % 3),
            (255, 255, 255),
        )
    for n, line in enumerate(said):
        sheet.write(0.5, 0.46 + 0.06 * n, line, 0.035, centred=True)
    return sheet.image


def text_installer(size: Size, font: str) -> Image.Image:
    """A blue installer with a grey dialog."""
    sheet = Sheet(size, (0, 0, 170), font)
    sheet.box(0.18, 0.18, 0.82, 0.78, (170, 170, 170))
    sheet.write(0.5, 0.19, "[!!] Select a language", 0.035, (170, 0, 0), centred=True)
    for n, line in enumerate(
        (
            "Choose the language to be used for the installation process.",
            "Language:",
            "English",
            "French",
            "German",
        )
    ):
        sheet.write(0.21, 0.28 + 0.07 * n, line, 0.032, (0, 0, 0))
    sheet.write(0.22, 0.71, "<Go Back>", 0.032, (0, 0, 0))
    sheet.write(
        0.02, 0.95, "<Tab> moves between items; <Space> selects; <Enter> activates buttons", 0.03
    )
    return sheet.image


def windows_setup(size: Size, font: str) -> Image.Image:
    """The purple one."""
    sheet = Sheet(size, (43, 21, 94), font)
    sheet.box(0.2, 0.2, 0.8, 0.8, (240, 240, 245))
    sheet.write(0.22, 0.21, "Windows Setup", 0.03, (0, 0, 0))
    sheet.write(0.5, 0.45, "Install now", 0.04, (90, 20, 120), centred=True)
    sheet.write(0.22, 0.74, "Repair your computer", 0.028, (20, 60, 160))
    return sheet.image


def old_setup(size: Size, font: str) -> Image.Image:
    """The blue text screen with which Windows XP's set-up begins."""
    sheet = Sheet(size, (0, 0, 170), font)
    rows = ("Windows XP Professional Setup", "", "  Welcome to Setup.", "", "  This portion of the Setup program prepares Microsoft Windows XP",
            "  to run on your computer.", "", "   - To set up Windows XP now, press ENTER.", "   - To repair a Windows XP installation, press R.",
            "   - To quit Setup without installing Windows XP, press F3.")  # fmt: skip
    for n, row in enumerate(rows):
        sheet.write(0.02, 0.04 + 0.045 * n, row, 0.032, (170, 170, 170))
    sheet.box(0, 0.95, 1, 1, (170, 170, 170))
    sheet.write(0.02, 0.955, "ENTER=Continue   R=Repair   F3=Quit", 0.03, (0, 0, 0))
    return sheet.image


def blue_firmware(size: Size, font: str, *, code: bool) -> Image.Image:
    """A firmware dialog on the blue of Windows, some with a code to scan."""
    sheet = Sheet(size, (0, 120, 215), font)
    sheet.write(0.08, 0.08, "BIOS Setup", 0.06)
    sheet.box(0.2, 0.25, 0.8, 0.75, (245, 245, 245))
    sheet.write(0.22, 0.28, "No boot device found. Press any key to reboot.", 0.03, (0, 0, 0))
    sheet.write(0.22, 0.36, "Scan the QR code to run SupportAssist diagnostics", 0.026, (0, 0, 0))
    if code:
        patch = screens.draw("windows10_bugcheck", (1000, 700)).crop((105, 480, 205, 580))
        sheet.image.paste(
            patch.resize((size[1] // 5, size[1] // 5)), (int(0.6 * size[0]), int(0.45 * size[1]))
        )
    return sheet.image


def sign_in(size: Size, ground: Colour, font: str) -> Image.Image:
    """A blue sign-in."""
    sheet = Sheet(size, ground, font)
    cx, cy, r = 0.5 * size[0], 0.33 * size[1], 0.1 * size[1]
    sheet.pen.ellipse((cx - r, cy - r, cx + r, cy + r), (200, 200, 210))
    sheet.write(0.5, 0.46, "Administrator", 0.05, centred=True)
    sheet.box(0.38, 0.56, 0.62, 0.61, (255, 255, 255))
    sheet.write(0.39, 0.565, "Password", 0.028, (120, 120, 120))
    sheet.write(0.5, 0.66, "Sign-in options", 0.026, centred=True)
    sheet.write(0.03, 0.88, "Other user", 0.028)
    return sheet.image


def shell_window(size: Size, font: str, *, full: bool, told: bool) -> Image.Image:
    """PowerShell's blue window; `told`: it lists crashes."""
    image = Image.new("RGB", size, (1, 36, 86)) if full else screens.draw("desktop", size)
    sheet = Sheet(size, (1, 36, 86), font)
    sheet.box(0, 0, 1, 0.05, (240, 240, 240))
    sheet.write(0.02, 0.005, "Administrator: Windows PowerShell", 0.03, (0, 0, 0))
    rows = [
        "Windows PowerShell",
        "Copyright (C) Microsoft Corporation. All rights reserved.",
        "",
        r"PS C:\Users\Administrator> Get-WinEvent -LogName System",
    ]
    if told:
        rows += [
            "The computer has rebooted from a bugcheck. The bugcheck was: 0x00000050 (0xfff, 0x0, 0x1, 0x2)",
            "PAGE_FAULT_IN_NONPAGED_AREA csagent.sys",
            r"PS C:\Users\Administrator> _",
        ]
    for n, row in enumerate(rows):
        sheet.write(0.01, 0.08 + 0.045 * n, row, 0.03, (238, 237, 240))
    if full:
        return sheet.image
    image.paste(
        sheet.image.resize((size[0] * 6 // 10, size[1] * 6 // 10)), (size[0] // 8, size[1] // 8)
    )
    return image


def wallpaper(size: Size, seed: int) -> Image.Image:
    """A blue desktop: a glow, icons, a taskbar."""
    chance = random.Random(seed)  # noqa: S311 - drawing needs no secrecy
    glow = Image.radial_gradient("L").resize(size)
    image = Image.composite(
        Image.new("RGB", size, (0, 20, 60)), Image.new("RGB", size, (0, 140, 230)), glow
    )
    sheet = Sheet(size, (0, 0, 0), fonts.broad())
    sheet.image.paste(image)
    sheet.box(0, 0.945, 1, 1, (20, 22, 30))
    for n in range(9):
        sheet.box(
            0.01 + 0.03 * n,
            0.955,
            0.03 + 0.03 * n,
            0.99,
            (chance.randrange(256), chance.randrange(256), 90),
        )
    for n, name in enumerate(("Recycle Bin", "This PC", "Reports")):
        sheet.box(0.02, 0.03 + 0.12 * n, 0.05, 0.09 + 0.12 * n, (220, 210, 120 + 30 * n))
        sheet.write(0.012, 0.095 + 0.12 * n, name, 0.018)
    sheet.write(0.93, 0.955, "09:41", 0.018)
    return sheet.image


def flat_desktop(size: Size, font: str) -> Image.Image:
    """A server's desktop of one blue, with a taskbar and a window."""
    sheet = Sheet(size, (0, 90, 158), font)
    sheet.box(0.3, 0.2, 0.8, 0.7, (250, 250, 250))
    sheet.write(0.31, 0.21, "Server Manager", 0.03, (0, 0, 0))
    sheet.write(0.02, 0.10, "Recycle Bin", 0.022)
    sheet.box(0, 0.95, 1, 1, (16, 16, 20))
    for n in range(6):
        sheet.box(0.01 + 0.03 * n, 0.96, 0.028 + 0.03 * n, 0.99, (200 - 20 * n, 40 * n, 180))
    sheet.write(0.93, 0.955, "04:09", 0.02)
    return sheet.image


def article(size: Size, font: str, shown: Image.Image, part: float) -> Image.Image:
    """A page in a browser that tells of blue screens and shows one."""
    sheet = Sheet(size, (255, 255, 255), font)
    sheet.box(0, 0, 1, 0.09, (222, 225, 230))
    sheet.write(0.02, 0.01, "How to fix a blue screen of death", 0.028, (30, 30, 30))
    sheet.write(0.10, 0.05, "https://example.org/how-to-fix-blue-screen", 0.026, (60, 60, 60))
    rows = ("What to do when your PC ran into a problem and needs to restart, and what the stop code on the blue screen means",
            "Most of the time a driver is to blame. Write down the stop code, for instance PAGE_FAULT_IN_NONPAGED_AREA, and look",
            "for the file after the words what failed. Then start in Safe Mode, and remove the driver that was put in last.")  # fmt: skip
    for n, row in enumerate(rows):
        sheet.write(0.05, 0.11 + 0.035 * n, row, 0.022, (20, 20, 20))
    w, h = int(size[0] * part), int(size[1] * part)
    sheet.image.paste(shown.resize((w, h)), ((size[0] - w) // 2, int(size[1] * 0.23)))
    for n, row in enumerate(rows):
        sheet.write(0.05, 0.24 + part + 0.035 * n, row, 0.022, (20, 20, 20))
    sheet.box(0, 0.955, 1, 1, (30, 32, 40))
    return sheet.image


def framed(inner: Image.Image, part: float, kind: str, font: str) -> Image.Image:
    """The same in a viewer, of which it fills `part` of the width and height."""
    w, h = inner.size
    size = (int(w / part), int(h / part))
    grounds: dict[str, Colour] = {
        "vmconnect": (240, 240, 240),
        "novnc": (40, 40, 40),
        "browser": (255, 255, 255),
        "padding": (120, 120, 120),
    }
    sheet = Sheet(size, grounds[kind], font)
    top = int((size[1] - h) * (0.8 if kind != "padding" else 0.5))
    if kind != "padding":
        sheet.box(0, 0, 1, 0.04, (205, 210, 220))
        title = {
            "vmconnect": "host01 on HV1 - Virtual Machine Connection",
            "novnc": "QEMU (host01) - noVNC",
            "browser": "host01 - VMware Remote Console",
        }[kind]
        sheet.write(0.02, 0.005, title, 0.025, (20, 20, 20))
        sheet.box(0, 0.045, 1, 0.08, (228, 230, 235))
        sheet.write(
            0.02,
            0.05,
            "File   Action   Media   Clipboard   View   Help   Ctrl+Alt+Del",
            0.02,
            (30, 30, 30),
        )
    sheet.image.paste(inner, ((size[0] - w) // 2, top))
    return sheet.image


def kernel_code(size: Size, font: str) -> Image.Image:
    """What recent Linux kernels draw when they give up."""
    sheet = Sheet(size, (0, 0, 0), font)
    for n, line in enumerate(
        (
            "KERNEL PANIC!",
            "",
            "Please reboot your computer.",
            "",
            "VFS: Unable to mount root fs on unknown-block(0,0)",
        )
    ):
        sheet.write(0.5, 0.2 + 0.08 * n, line, 0.05, centred=True)
    return sheet.image
