"""The screens of a Windows that crashed or does not start."""

from __future__ import annotations

from recovery.sim.screens.canvas import WHITE, Canvas, Facts


def windows_10(canvas: Canvas, facts: Facts) -> None:
    """Windows 10's bug check."""
    canvas.text((0.1, 0.10), ":(", 0.19)
    y = canvas.paragraph(
        (0.1, 0.38),
        "Your PC ran into a problem and needs to restart. We're just collecting some error info, "
        "and then we'll restart for you.",
        0.036,
    )
    canvas.text((0.1, y + 0.03), f"{facts.percent}% complete", 0.036)
    canvas.code((0.105, y + 0.13), 0.13, facts.stop_code)
    y = canvas.paragraph(
        (0.20, y + 0.12),
        "For more information about this issue and possible fixes, visit https://www.windows.com/stopcode",
        0.02,
    )
    canvas.text((0.20, y + 0.02), "If you call a support person, give them this info:", 0.018)
    canvas.text((0.20, y + 0.05), f"Stop code: {facts.stop_name.replace('_', ' ')}", 0.018)
    if facts.module:
        canvas.text((0.20, y + 0.08), f"What failed: {facts.module}", 0.018)


def windows_8(canvas: Canvas, facts: Facts) -> None:
    """Windows 8's bug check."""
    canvas.text((0.22, 0.16), ":(", 0.17)
    y = canvas.paragraph(
        (0.22, 0.40),
        "Your PC ran into a problem and needs to restart. We're just collecting some error info, "
        f"and then we'll restart for you. ({facts.percent}% complete)",
        0.036,
        0.80,
    )
    module = f" ({facts.module})" if facts.module else ""
    canvas.paragraph(
        (0.22, y + 0.05),
        f"If you'd like to know more, you can search online later for this error: {facts.stop_name}{module}",
        0.018,
    )


def windows_11(canvas: Canvas, facts: Facts) -> None:
    """The bug check of Windows 11 since July 2025: no face, no code to scan."""
    canvas.centred(0.42, "Your device ran into a problem and needs to restart", 0.040)
    canvas.centred(0.52, f"{facts.percent}% complete", 0.030)
    canvas.centred(0.86, f"Stop code: {facts.stop_name} (0x{facts.stop_code:X})", 0.022)
    if facts.module:
        canvas.centred(0.90, f"What failed: {facts.module}", 0.022)


def windows_7(canvas: Canvas, facts: Facts) -> None:
    """The bug check of Windows XP to 7."""
    where = (
        "",
        f"***  {facts.module} - Address FFFFF80002A6B4C0 base at FFFFF80002A00000, DateStamp",
        "   4ce7951a",
    )
    canvas.grid(
        (
            "",
            "A problem has been detected and windows has been shut down to prevent damage",
            "to your computer.",
            "",
            *(
                (f"The problem seems to be caused by the following file: {facts.module}", "")
                * bool(facts.module)
            ),
            facts.stop_name,
            "",
            "If this is the first time you've seen this Stop error screen,",
            "restart your computer. If this screen appears again, follow",
            "these steps:",
            "",
            "Check to make sure any new hardware or software is properly installed.",
            "If this is a new installation, ask your hardware or software manufacturer",
            "for any windows updates you might need.",
            "",
            "Technical information:",
            "",
            f"*** STOP: 0x{facts.stop_code:08X} (0xFFFFF8A003EC3000,0x0000000000000000,",
            "0xFFFFF80002A6B4C0,0x0000000000000002)",
            *(where * bool(facts.module)),
        ),
        WHITE,
    )


def recovery(canvas: Canvas, _: Facts) -> None:
    """What Windows shows after starts that failed."""
    canvas.text((0.18, 0.12), "Recovery", 0.085)
    y = canvas.paragraph((0.18, 0.30), "It looks like Windows didn't load correctly", 0.036)
    y = canvas.paragraph(
        (0.18, y + 0.03),
        'If you\'d like to restart and try again, choose "Restart my PC" below. Otherwise, choose '
        '"See advanced repair options" for troubleshooting tools and advanced options.',
        0.024,
        0.8,
    )
    _buttons(canvas, ("See advanced repair options", "Restart my PC"))


def automatic_repair(canvas: Canvas, _: Facts) -> None:
    """The end of a repair that did not help."""
    canvas.text((0.18, 0.14), "Automatic Repair", 0.07)
    canvas.paragraph((0.18, 0.30), "Automatic Repair couldn't repair your PC", 0.032)
    canvas.paragraph(
        (0.18, 0.37),
        'Press "Advanced options" to try other options to repair your PC or "Shut down" to turn off your PC.',
        0.024,
    )
    canvas.paragraph(
        (0.18, 0.48), r"Log file: C:\WINDOWS\System32\Logfiles\Srt\SrtTrail.txt", 0.024
    )
    _buttons(canvas, ("Shut down", "Advanced options"))


def choose_option(canvas: Canvas, _: Facts) -> None:
    """The menu of the recovery environment."""
    canvas.text((0.14, 0.12), "Choose an option", 0.07)
    tiles = (
        ("Continue", "Exit and continue to Windows"),
        ("Troubleshoot", "Reset your PC or see advanced options"),
        ("Turn off your PC", ""),
    )
    for n, (title, said) in enumerate(tiles):
        top = 0.30 + 0.18 * n
        canvas.box((0.14, top, 0.50, top + 0.15), (24, 88, 152))
        canvas.box((0.15, top + 0.03, 0.20, top + 0.12), (60, 120, 180))
        canvas.text((0.22, top + 0.03), title, 0.030)
        canvas.text((0.22, top + 0.08), said, 0.020)


def preparing_repair(canvas: Canvas, _: Facts) -> None:
    """The logo before a repair."""
    for n in range(4):
        x, y = 0.46 + 0.042 * (n % 2), 0.28 + 0.072 * (n // 2)
        canvas.box((x, y, x + 0.038, y + 0.066), (0, 173, 239))
    canvas.centred(0.78, "Preparing Automatic Repair", 0.032)


def bitlocker(canvas: Canvas, facts: Facts) -> None:
    """The disk's recovery key is asked for."""
    canvas.text((0.18, 0.10), "BitLocker recovery", 0.065)
    canvas.text((0.18, 0.24), "Enter the recovery key for this drive", 0.030)
    canvas.box((0.18, 0.31, 0.68, 0.37), WHITE)
    y = canvas.paragraph(
        (0.18, 0.41),
        "Use the number keys or function keys F1-F10 (use F10 for 0).",
        0.024,
    )
    canvas.text((0.18, y + 0.01), "Recovery key ID (to identify your key):", 0.024)
    canvas.text((0.18, y + 0.05), facts.key_id, 0.024)
    canvas.paragraph(
        (0.18, y + 0.12),
        "Here's how to find your key: Try your Microsoft account at: aka.ms/myrecoverykey. "
        "For more information go to: aka.ms/recoverykeyfaq",
        0.024,
        0.70,
    )
    canvas.text((0.18, 0.86), "Press Enter to continue", 0.022)
    canvas.text((0.18, 0.90), "Press Esc for more recovery options", 0.022)


def _buttons(canvas: Canvas, labels: tuple[str, ...]) -> None:
    for n, label in enumerate(labels):
        left = 0.46 + 0.24 * n
        canvas.box((left, 0.80, left + 0.22, 0.87), (20, 72, 140), WHITE)
        canvas.text((left + 0.015, 0.815), label, 0.022)
