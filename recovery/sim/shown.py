"""What the console of a simulated machine shows, and the bare picture of it."""

from __future__ import annotations

import io
from collections.abc import Mapping

import msgspec

from recovery.model.console import Power, ScreenLabel
from recovery.model.host import Os
from recovery.model.incident import Incident
from recovery.sim.endpoint import OTHER_MODULE, OTHER_STOP_CODE, OTHER_TEXT
from recovery.sim.machine import Machine, Phase

_KEY_ID = "0AF1F50B-5C34-4C1B-9E0B-2F6C4F1B9A5E"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A screen, and what stands on it."""

    label: ScreenLabel
    os: Os
    host: str
    stop_code: int | None = None
    module: str = ""
    panic: str = ""
    key_id: str = ""


def shown(machine: Machine, incident: Incident, os: Os) -> Shown:
    """The screen of the machine as it is."""
    windows = os == "windows"
    match machine.phase:
        case Phase.CRASHED | Phase.BLUE_SCREEN:
            return crash_screen(machine, incident, os)
        case Phase.RECOVERY_SCREEN:
            return Shown(label="recovery_screen", os=os, host=machine.host)
        case Phase.NEEDS_KEY:
            return Shown(label="needs_key", os=os, host=machine.host, key_id=_KEY_ID)
        case Phase.BOOTING:
            return Shown(label="firmware", os=os, host=machine.host)
        case Phase.WINDOW | Phase.RUNNING:
            label: ScreenLabel = "sign_in" if windows else "text_console"
            return Shown(label=label, os=os, host=machine.host)
        case Phase.OFF:
            return Shown(label="blank", os=os, host=machine.host)


def crash_screen(machine: Machine, incident: Incident, os: Os) -> Shown:
    """The screen of the machine's latest crash."""
    rule, other = incident.crash, machine.crashed_by == "other"
    if os != "windows":
        text = (
            OTHER_TEXT if other else f"Kernel panic - not syncing: {next(iter(rule.texts), 'mock')}"
        )
        return Shown(label="linux_panic", os=os, host=machine.host, panic=text)
    return Shown(
        label="bugcheck",
        os=os,
        host=machine.host,
        stop_code=OTHER_STOP_CODE if other else next(iter(rule.stop_codes), None),
        module=OTHER_MODULE if other else next(iter(rule.modules), ""),
    )


_POWER: Mapping[Phase, Power] = {Phase.OFF: "off"}


def power(machine: Machine) -> Power:
    """As a management board tells it."""
    return _POWER.get(machine.phase, "on")


def draw(screen: Shown) -> bytes:
    """The screen as PNG, in plain text on its colour."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only twins with consoles need it

    blue = screen.label in ("bugcheck", "recovery_screen", "needs_key")
    image = Image.new("RGB", (1024, 768), (0, 120, 215) if blue else (0, 0, 0))
    lines = [
        screen.label.replace("_", " "),
        screen.host,
        screen.module,
        screen.panic,
        screen.key_id,
    ]
    if screen.stop_code is not None:
        lines.append(f"*** STOP: 0x{screen.stop_code:08X}")
    text = "\n".join(filter(None, lines))
    ImageDraw.Draw(image).multiline_text((40, 40), text, fill=(255, 255, 255))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
