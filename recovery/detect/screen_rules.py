"""What consoles tell, in rules and in sentences: a host that answers nobody may still show what it is in.

They decide only while the host does not answer on its in-band way, and only by what was seen since it last did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from recovery.detect.bugchecks import effective
from recovery.model.case import CaseFile
from recovery.model.console import CRASHED, RUNNING
from recovery.model.evidence import (
    CrashRecord,
    Evidence,
    Judgement,
    PowerSeen,
    ScreenSeen,
    Verdict,
)
from recovery.model.incident import Incident
from recovery.model.reading import Label, Reading

PANIC_EVENT = "panic_event"
"""`record` of a crash that a console told of."""

_SHOWS: Mapping[Label, str] = {
    "bugcheck": "a bug check",
    "recovery_screen": "a recovery screen",
    "needs_key": "a prompt for the BitLocker recovery key",
    "firmware": "the firmware",
    "boot_menu": "a boot menu",
    "linux_panic": "a kernel panic",
    "text_console": "a text console",
    "sign_in": "a sign-in screen",
    "desktop": "a desktop",
    "blank": "nothing",
    "unknown": "something that was not recognised",
}


_MOVED_ON = RUNNING | {"firmware", "boot_menu", "recovery_screen", "needs_key"}
"""What stands on a screen after a crash is over."""


def screen_text(reading: Reading) -> str:
    """A reading for an operator."""
    parts = [f"its screen shows {_SHOWS[reading.label]}"]
    if reading.label == "unknown" and reading.meaning:
        parts.append(reading.meaning)
    if reading.stop_code is not None:
        parts.append(f"stop code 0x{reading.stop_code:X}")
    if reading.module:
        parts.append(f"what failed: {reading.module}")
    if reading.panic:
        parts.append(reading.panic[:200])
    if reading.key_id:
        parts.append(f"key id {reading.key_id}")
    if reading.percent is not None:
        parts.append(f"{reading.percent} %")
    return ", ".join(parts)


def has_console_evidence(case: CaseFile) -> bool:
    """Whether a console was looked through at all."""
    panics = any(crash.record == PANIC_EVENT for crash in case.crashes)
    return bool(case.screen or case.crash_screen or case.power or case.resets or panics)


def judge_console(case: CaseFile, incident: Incident, now: datetime) -> Judgement | None:
    """The verdict on a silent host by its console since it last answered; None where that decides nothing."""
    screen = _since(case, case.screen)
    power = _since(case, case.power)
    if power is not None and power.state == "off" and not _older(power, screen):
        return Judgement(Verdict.DARK, ("its console says that it is switched off",))
    held = power is not None and power.state == "crashed"
    if screen is not None and not held:
        standing = _standing(screen)
        if standing is not None:
            return standing
    crash = _crash_shown(case, screen)
    looped = _loop(case, incident, now, crash)
    if looped is not None:
        return looped
    panics = _panics(case, now - timedelta(seconds=incident.crash.within))
    told = [_panic_text(panics[-1], incident)] if panics else []
    if crash is not None and crash is screen:
        return Judgement(Verdict.BLUE_SCREEN, (_crash_text(crash, incident), *told))
    if panics and (held or not _moved_on(case, panics[-1], screen)):
        return Judgement(Verdict.BLUE_SCREEN, (*told, *_reading(crash, incident)))
    return _running(screen, told)


def console_notes(case: CaseFile, incident: Incident, now: datetime) -> tuple[str, ...]:
    """What consoles add to a verdict that other evidence decides."""
    screen = _since(case, case.screen)
    panics = _panics(case, now - timedelta(seconds=incident.crash.within))
    notes = [_panic_text(panics[-1], incident)] if panics else []
    if screen is not None:
        notes.append(screen_text(screen.reading))
    power = _since(case, case.power)
    if power is not None and power.state == "unknown" and power.reason:
        notes.append(f"its console: {power.reason}")
    if power is not None and power.checks:
        notes.append(f"its console's checks: {power.checks}")
    return tuple(notes)


def _standing(screen: ScreenSeen) -> Judgement | None:
    """What waits for people at its screen."""
    verdicts: Mapping[Label, Verdict] = {
        "needs_key": Verdict.NEEDS_KEY,
        "recovery_screen": Verdict.RECOVERY_SCREEN,
    }
    verdict = verdicts.get(screen.reading.label)
    return None if verdict is None else Judgement(verdict, (screen_text(screen.reading),))


def _loop(
    case: CaseFile, incident: Incident, now: datetime, crash: ScreenSeen | None
) -> Judgement | None:
    earliest = now - timedelta(seconds=incident.crash.within)
    panics = _panics(case, earliest)
    if len(panics) >= incident.crash.returns:
        times = (
            f"its console told of {len(panics)} panics within {incident.crash.within / 60:.0f} min"
        )
        latest = _panic_text(panics[-1], incident)
        return Judgement(Verdict.CRASH_LOOP, (times, latest, *_reading(crash, incident)))
    resets = [r for r in case.resets if r.at >= earliest and not r.asked_for and _counts(case, r)]
    if len(resets) > incident.crash.returns:  # an update restarts a machine twice, too
        times = f"its console told of {len(resets)} restarts within {incident.crash.within / 60:.0f} min"
        return Judgement(Verdict.CRASH_LOOP, (times, *_reading(crash, incident)))
    return None


def _running(screen: ScreenSeen | None, told: Sequence[str]) -> Judgement | None:
    if screen is None:
        return None
    if screen.reading.label in RUNNING:
        runs = f"{screen_text(screen.reading)}: a system runs there that does not answer"
        return Judgement(Verdict.UNKNOWN, (runs, *told))
    if "bugcheck" in screen.reading.alternatives:
        return Judgement(Verdict.UNKNOWN, (screen_text(screen.reading), *told))
    return None


def _panics(case: CaseFile, earliest: datetime) -> list[CrashRecord]:
    return [
        crash
        for crash in case.crashes
        if crash.record == PANIC_EVENT and crash.at >= earliest and _counts(case, crash)
    ]


def _counts(case: CaseFile, seen: Evidence) -> bool:
    """After a fix only what follows the first boot counts: up to that one the bad thing may still be loaded."""
    if case.fix is None:
        return True
    since = case.boots_since_fix
    return bool(since) and seen.at > since[0].first_seen


def _moved_on(case: CaseFile, panic: CrashRecord, screen: ScreenSeen | None) -> bool:
    """Whether something else was seen after the panic."""
    reset = any(reset.at >= panic.at for reset in case.resets)
    return reset or (
        screen is not None and screen.at > panic.at and screen.reading.label in _MOVED_ON
    )


def _crash_shown(case: CaseFile, screen: ScreenSeen | None) -> ScreenSeen | None:
    if screen is not None and screen.reading.label in CRASHED:
        return screen
    return _since(case, case.crash_screen)


def _reading(crash: ScreenSeen | None, incident: Incident) -> tuple[str, ...]:
    return () if crash is None else (_crash_text(crash, incident),)


def _crash_text(crash: ScreenSeen, incident: Incident) -> str:
    when = "the screen of its last crash: " if crash.last_crash else ""
    return f"{when}{screen_text(crash.reading)}{_foreign(crash.reading.stop_code, incident)}"


def _panic_text(panic: CrashRecord, incident: Incident) -> str:
    code = "" if panic.stop_code is None else f", stop code 0x{panic.stop_code:X}"
    return f"its console told of a panic{code}{_foreign(panic.stop_code, incident)}"


def _foreign(stop_code: int | None, incident: Incident) -> str:
    known = incident.crash.stop_codes
    if stop_code is None or not known or effective(stop_code) in map(effective, known):
        return ""
    return f", which is not one of {incident.name}"


_Seen = TypeVar("_Seen", ScreenSeen, PowerSeen)


def _since(case: CaseFile, seen: _Seen | None) -> _Seen | None:
    """What was seen after the host last answered."""
    if seen is None or (case.answered_at is not None and seen.at <= case.answered_at):
        return None
    return seen


def _older(power: PowerSeen, screen: ScreenSeen | None) -> bool:
    return screen is not None and power.at < screen.at
