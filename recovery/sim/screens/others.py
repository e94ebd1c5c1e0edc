"""The screens of firmware, boot managers and Linux, and those of machines that run."""

from __future__ import annotations

from recovery.sim.screens.canvas import GREY, VGA_BLUE, WHITE, Canvas, Facts


def firmware(canvas: Canvas, _: Facts) -> None:
    """A set-up of the blue and grey kind."""
    canvas.box((0, 0, 1, 0.05), GREY)
    canvas.text(
        (0.25, 0.005),
        "Aptio Setup Utility - Copyright (C) 2024 American Megatrends, Inc.",
        0.03,
        VGA_BLUE,
    )
    canvas.text((0.02, 0.06), "Main   Advanced   Boot   Security   Save & Exit", 0.03)
    canvas.box((0.01, 0.12, 0.99, 0.93), GREY, WHITE)
    rows = (
        "BIOS Information", "BIOS Vendor            American Megatrends", "BIOS Version           2.14", "",
        "Total Memory           16384 MB", "System Language        [English]",
        "System Date            [Fri 07/19/2024]",
        "System Time            [04:09:10]", "Access Level           Administrator",
    )  # fmt: skip
    for n, row in enumerate(rows):
        canvas.text((0.03, 0.15 + n * 0.045), row, 0.03, VGA_BLUE)
    canvas.text((0.70, 0.60), "Enter: Select", 0.028, VGA_BLUE)
    canvas.text((0.70, 0.65), "F9: Optimized Defaults", 0.028, VGA_BLUE)
    canvas.text((0.70, 0.70), "F10: Save & Exit", 0.028, VGA_BLUE)
    canvas.text(
        (0.20, 0.94), "Version 2.18.1264. Copyright (C) 2024 American Megatrends, Inc.", 0.03
    )


def grub(canvas: Canvas, facts: Facts) -> None:
    """GRUB's menu."""
    bar = "-" * 74
    canvas.grid(
        (
            "", "                        GNU GRUB  version 2.06", "", f"  +{bar}+",
            "  | *Debian GNU/Linux", "  |  Advanced options for Debian GNU/Linux", "  |  UEFI Firmware Settings",
            f"  +{bar}+", "",
            "      Use the arrow keys to select which entry is highlighted.",
            "      Press enter to boot the selected OS, `e' to edit the commands",
            "      before booting or `c' for a command-line.",
            f"   The highlighted entry will be executed automatically in {facts.percent % 10}s.",
        ),
    )  # fmt: skip


def boot_error(canvas: Canvas, _: Facts) -> None:
    """Windows Boot Manager does not find what to start."""
    canvas.grid(
        (
            "                          Windows Boot Manager", "",
            "Windows failed to start. A recent hardware or software change might be the",
            "cause. To fix the problem:", "",
            "  1. Insert your Windows installation disc and restart your computer.",
            "  2. Choose your language settings, and then click \"Next.\"",
            "  3. Click \"Repair your computer.\"", "",
            "If you do not have this disc, contact your system administrator or computer",
            "manufacturer for assistance.", "",
            "    File: \\Boot\\BCD", "", "    Status: 0xc000000f", "",
            "    Info: An error occurred while attempting to read the boot configuration",
            "          data.", "", "", "ENTER=Continue                                                ESC=Exit",
        ),
    )  # fmt: skip


def panic(canvas: Canvas, facts: Facts) -> None:
    """The end of a Linux kernel."""
    canvas.grid(
        (
            "[    1.402113] List of all partitions:",
            "[    1.402377] No filesystem could mount root, tried: ",
            f"[    1.402561] Kernel panic - not syncing: {facts.panic}",
            "[    1.402804] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0-21-amd64 #1",
            "[    1.403022] Hardware name: QEMU Standard PC (i440FX + PIIX, 1996)",
            "[    1.403288] Call Trace:", "[    1.403390]  <TASK>",
            "[    1.403488]  dump_stack_lvl+0x44/0x5c", "[    1.403642]  panic+0x118/0x2ed",
            "[    1.403775]  mount_block_root+0x1d3/0x1e6", "[    1.404013]  kernel_init+0x16/0x130",
            "[    1.404160]  ret_from_fork+0x22/0x30", "[    1.404310]  </TASK>",
            "[    1.404420] Kernel Offset: 0x2e000000 from 0xffffffff81000000",
            f"[    1.404684] ---[ end Kernel panic - not syncing: {facts.panic} ]---",
        ),
    )  # fmt: skip


def login(canvas: Canvas, facts: Facts) -> None:
    """A text console that waits for somebody."""
    canvas.grid(("", f"Debian GNU/Linux 12 {facts.host} tty1", "", f"{facts.host} login: _"))


def lock(canvas: Canvas, _: Facts) -> None:
    """A Windows that waits for somebody."""
    _scenery(canvas)
    canvas.centred(0.14, "4:09", 0.16)
    canvas.centred(0.34, "Friday, July 19", 0.04)
    canvas.centred(0.90, "Press Ctrl+Alt+Delete to unlock.", 0.03)


def desktop(canvas: Canvas, _: Facts) -> None:
    """A Windows at work."""
    _scenery(canvas)
    canvas.box((0, 0.95, 1, 1), (32, 32, 36))
    for n in range(7):
        left = 0.01 + 0.03 * n
        canvas.box((left, 0.96, left + 0.018, 0.99), (40 + 30 * n, 200 - 20 * n, 120))
    canvas.text((0.94, 0.955), "4:09 AM", 0.016)
    canvas.text((0.935, 0.975), "7/19/2024", 0.016)
    for n, label in enumerate(("Recycle Bin", "This PC", "Network")):
        top = 0.03 + 0.13 * n
        canvas.box((0.025, top, 0.055, top + 0.06), (230, 200 - 40 * n, 90))
        canvas.text((0.015, top + 0.07), label, 0.018)


def _scenery(canvas: Canvas) -> None:
    """A wallpaper: no two rows of one colour."""
    for y in range(canvas.height):
        part = y / canvas.height
        colour = (int(20 + 60 * part), int(90 + 90 * part), int(200 - 90 * part))
        canvas.pen.line((0, y, canvas.width, y), colour)
    for n in range(24):
        left, top = (n * 37 % 100) / 100, 0.4 + (n * 53 % 50) / 100
        canvas.pen.ellipse(
            (left * canvas.width, top * canvas.height, (left + 0.12) * canvas.width, (top + 0.1) * canvas.height),
            (30 + 5 * n, 110 + 3 * n, 60 + 4 * n),
        )  # fmt: skip


def updating(canvas: Canvas, facts: Facts) -> None:
    """Updates that are being put in."""
    for n in range(5):
        canvas.box((0.485 + n * 0.007, 0.40, 0.488 + n * 0.007, 0.405), WHITE)
    canvas.centred(0.46, f"Working on updates {facts.percent}% complete", 0.032)
    canvas.centred(0.51, "Don't turn off your computer", 0.032)
