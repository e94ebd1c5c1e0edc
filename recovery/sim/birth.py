"""How a simulated machine stands when its world begins."""

from __future__ import annotations

from recovery.model.host import Host
from recovery.model.incident import Incident
from recovery.sim.faults import CONDITIONS, TRAITS, Faults, between, chance, first_success
from recovery.sim.machine import NEVER, Machine, Phase, advance, start

_DESKTOPS = ("desktop", "laptop", "kiosk")
_UPTIME = (3600.0, 2_592_000.0)
_shared: dict[frozenset[str], frozenset[str]] = {}
"""One object for each set of traits: fleets are large, and their machines have few different ones."""


def born(host: Host, incident: Incident, faults: Faults, seed: bytes, began: float) -> Machine:
    """The machine of `host` at the time `began`."""
    platform = incident.platforms.get(host.os)
    has_good = platform is not None and platform.artifact.good_from is not None
    condition = _condition(host.name, faults, seed) if platform else "healthy"
    machine = Machine(
        host=host.name,
        seed=seed,
        faults=faults,
        traits=_traits(host, faults, seed, condition),
        boot_takes=between(faults.boot, chance(seed, host.name, "boot")),
        dump_takes=between(faults.dump, chance(seed, host.name, "dump")),
        pace=chance(seed, host.name, "pace"),
        skew=_skew(host.name, faults, seed),
    )
    if faults.lucky and has_good:
        drawn = first_success(faults.lucky, chance(seed, host.name, "lucky"))
        machine.lucky_boot = 1 + drawn if drawn else 0
    if platform is not None and platform.artifact.kind != "none":
        _fill_folder(machine, condition, has_good=has_good)
    _stand(machine, condition, began)
    _silence(machine, began)
    return machine


def _condition(name: str, faults: Faults, seed: bytes) -> str:
    drawn = chance(seed, name, "condition")
    for condition in CONDITIONS:
        drawn -= getattr(faults, condition)
        if drawn < 0.0:
            return condition
    return "healthy"


def _traits(host: Host, faults: Faults, seed: bytes, condition: str) -> frozenset[str]:
    drawn = {
        trait
        for trait in TRAITS
        if (share := getattr(faults, trait)) and chance(seed, host.name, trait) < share
    }
    if host.os == "windows" and host.kind in _DESKTOPS:
        drawn.add("gives_up")
    own = {"exposed": "late", "blue_screen": "halts", "other_crash": "other"}.get(condition)
    if own:
        drawn.add(own)
    return _shared.setdefault(frozenset(drawn), frozenset(drawn))


def _skew(name: str, faults: Faults, seed: bytes) -> float:
    if not faults.clock_off or chance(seed, name, "clock_off") >= faults.clock_off:
        return 0.0
    return between(faults.clock_by, chance(seed, name, "clock_by"))


def _fill_folder(machine: Machine, condition: str, *, has_good: bool) -> None:
    variant = (1 + int(3 * chance(machine.seed, machine.host, "variant")),)
    match condition:
        case "healthy":
            machine.good = has_good
        case "reverted":
            machine.bad, machine.good = (variant if has_good else ()), has_good
        case "other_crash" if (
            chance(machine.seed, machine.host, "other_bad") >= machine.faults.other_bad
        ):
            machine.good = has_good
        case _:
            machine.bad = variant


def _stand(machine: Machine, condition: str, began: float) -> None:
    match condition:
        case "healthy" | "reverted" | "exposed":
            machine.boot = 1
            machine.boot_at = began - between(_UPTIME, chance(machine.seed, machine.host, "uptime"))
            machine.phase, machine.since = Phase.RUNNING, machine.boot_at + machine.boot_takes
        case "recovery_screen" if "gives_up" in machine.traits:
            _freeze(machine, Phase.RECOVERY_SCREEN, began)
        case "needs_key":
            _freeze(machine, Phase.NEEDS_KEY, began)
        case "blue_screen":
            _freeze(machine, Phase.BLUE_SCREEN, began)
        case _:
            _loop(machine, "other" if condition == "other_crash" else "incident", began)


def _freeze(machine: Machine, phase: Phase, began: float) -> None:
    """It crashed, and has been in `phase` since."""
    machine.boot = 1
    machine.crashed_at, machine.crashed_by = (
        began - machine.dump_takes - machine.boot_takes,
        "incident",
    )
    machine.boot_at = machine.crashed_at - machine.boot_takes
    machine.phase, machine.since, machine.until = phase, began, NEVER


def _loop(machine: Machine, cause: str, began: float) -> None:
    """It crashes again and again; `began` is somewhere in its boot, or a moment later."""
    moment = chance(machine.seed, machine.host, "moment")
    at = began - between((0.0, machine.boot_takes + machine.dump_takes), moment)
    machine.crashed_at, machine.crashed_by = at - machine.dump_takes, cause
    start(machine, at)
    advance(machine, began)


def _silence(machine: Machine, began: float) -> None:
    """Some machines are off, whatever else is wrong with them."""
    faults = machine.faults
    drawn = chance(machine.seed, machine.host, "dark") if faults.dark or faults.asleep else 1.0
    if drawn >= faults.dark + faults.asleep:
        return
    wakes = began + between(faults.wake, chance(machine.seed, machine.host, "wake"))
    machine.phase, machine.since = Phase.OFF, began
    machine.until = wakes if drawn >= faults.dark else NEVER
    machine.crash_due, machine.cause = NEVER, ""
