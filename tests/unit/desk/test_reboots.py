"""Restarts: what was asked for, what was said, what the machine shows, and who it was."""

from __future__ import annotations

from datetime import datetime

from recovery.desk.reboots import RebootFold, Restart
from recovery.model.desk_events import TicketTried
from recovery.model.events import AnyEvent, HostObserved
from recovery.model.evidence import (
    AnyEvidence,
    BootIdentity,
    CrashRecord,
    MachineReset,
    RestartCause,
    RestartRecord,
    Verdict,
)
from recovery.ports import Stored
from tests.unit.journal.happenings import RUN, at, intended, started


def boot(name: str, seconds: float, up: float = 5) -> BootIdentity:
    when = at(seconds)
    began = when.timestamp() - up
    return BootIdentity(
        at=when, source="ssh", boot_id=name, boot_time=began, uptime=up, clock=when.timestamp()
    )


def seen(seconds: float, *evidence: AnyEvidence) -> HostObserved:
    return HostObserved(
        at=at(seconds), run=RUN, host="h1", evidence=evidence, verdict=Verdict.UNKNOWN
    )


def tried(seconds: float, restarts: int, *, mock: bool = False) -> TicketTried:
    return TicketTried(
        at=at(seconds),
        host="h1",
        tech="ann",
        reason="x",
        until=at(9999),
        restarts=restarts,
        mock=mock,
    )


def restarts(*events: AnyEvent) -> list[Restart]:
    fold = RebootFold(mock=False)
    fold.add_all(Stored(seq, event) for seq, event in enumerate((started(), *events), 1))
    found = fold.of("h1")
    assert [restart.number for restart in found] == list(range(1, len(found) + 1))
    assert fold.all() == ({"h1": found} if found else {})
    return list(found)


def told(restart: Restart) -> tuple[str, str, bool]:
    return restart.cause, restart.who, restart.proven


def test_the_first_boot_that_is_seen_is_no_restart() -> None:
    assert restarts(seen(0, boot("a", 0)), seen(10, boot("a", 10, 15))) == []


def test_a_restart_by_a_run_is_proven_by_the_next_boot() -> None:
    (found,) = restarts(
        seen(0, boot("a", 0)), intended("h1", 10, step="reboot"), seen(60, boot("b", 60))
    )
    assert told(found) == ("planned", f"run {RUN} (rollback)", True)
    assert (found.before, found.after, found.at) == ("a", "b", at(10))


def test_without_a_new_boot_it_stays_a_claim() -> None:
    (found,) = restarts(seen(0, boot("a", 0)), intended("h1", 10, step="reboot"))
    assert told(found) == ("planned", f"run {RUN} (rollback)", False)


def test_of_three_that_a_technician_says_one_boot_proves_one() -> None:
    found = restarts(seen(0, boot("a", 0)), tried(10, 3), seen(60, boot("b", 60)))
    assert [told(restart) for restart in found] == [
        ("by_hand", "ann", False),
        ("by_hand", "ann", False),
        ("by_hand", "ann", True),
    ]


def test_a_crash_on_record_explains_a_boot_that_nobody_asked_for() -> None:
    crash = CrashRecord(
        at=at(60), source="ssh", stop_code=0x50, module="csagent.sys", logged_at=stamp(at(56))
    )
    (found,) = restarts(seen(0, boot("a", 0)), seen(60, boot("b", 60), crash))
    assert told(found) == ("crash", "itself", True)
    assert found.detail == "stop code 0x50 csagent.sys"


def test_what_the_machine_records_of_other_restarts() -> None:
    cases: list[tuple[RestartCause, str, str]] = [
        ("planned", "planned", "somebody"),
        ("power_loss", "power", "somebody at its power"),
        ("unexpected", "unexplained", "itself"),
    ]
    for recorded, cause, who in cases:
        record = RestartRecord(
            at=at(60),
            source="ssh",
            cause=recorded,
            restarted_at=stamp(at(50)),
            logged_at=stamp(at(56)),
        )
        (found,) = restarts(seen(0, boot("a", 0)), seen(60, boot("b", 60), record))
        assert told(found) == (cause, who, True)


def test_nothing_on_record_stays_unexplained() -> None:
    (found,) = restarts(seen(0, boot("a", 0)), seen(60, boot("b", 60)))
    assert told(found) == ("unexplained", "itself", True)


def test_a_console_that_reset_it() -> None:
    reset = MachineReset(at=at(10), source="qmp")
    (found,) = restarts(seen(0, boot("a", 0)), seen(10, reset), seen(60, boot("b", 60)))
    assert told(found) == ("reset", "console (qmp)", True)


def test_boots_without_an_id_are_told_by_their_time() -> None:
    def plain(seconds: float) -> BootIdentity:
        return BootIdentity(at=at(seconds), source="winrm", boot_time=at(seconds).timestamp())

    (found,) = restarts(seen(0, plain(0)), seen(60, plain(60)))
    assert (found.before, found.after) == (
        f"started {stamp(at(0)):.0f}",
        f"started {stamp(at(60)):.0f}",
    )


def test_the_other_world_does_not_count() -> None:
    assert restarts(tried(10, 2, mock=True)) == []


def stamp(when: datetime) -> float:
    return when.timestamp()
