"""What the console of a simulated machine shows, and the bare picture of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from recovery.detect import bugchecks
from recovery.model.console import Power
from recovery.model.host import Os
from recovery.model.incident import Incident
from recovery.model.reading import Label
from recovery.sim.endpoint import OTHER_MODULE, OTHER_STOP_CODE, OTHER_TEXT
from recovery.sim.machine import Machine, Phase

_KEY_ID = "0AF1F50B-5C34-4C1B-9E0B-2F6C4F1B9A5E"


_SIZE = (1024, 768)
_DRAWN: Mapping[Label, str] = {
    "bugcheck": "windows10_bugcheck",
    "linux_panic": "linux_panic",
    "recovery_screen": "recovery",
    "needs_key": "bitlocker",
    "firmware": "firmware",
    "sign_in": "lock",
    "text_console": "login",
    "blank": "blank",
}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A screen, and what stands on it."""

    label: Label
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
            label: Label = "sign_in" if windows else "text_console"
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
    """The screen as PNG."""
    from recovery.sim import screens
    from recovery.sim.screens.canvas import Facts

    facts = Facts(
        stop_code=screen.stop_code or 0,
        stop_name=bugchecks.name(screen.stop_code or 0),
        module=screen.module,
        key_id=screen.key_id,
        host=screen.host,
        panic=screen.panic.removeprefix("Kernel panic - not syncing: "),
    )
    return screens.png(_DRAWN[screen.label], _SIZE, facts)
