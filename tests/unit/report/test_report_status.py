"""The JSON that status and hosts give out."""

from __future__ import annotations

import json

from recovery.journal.views import RunView, fold
from recovery.model.case import CaseFile, add_evidence
from recovery.model.events import AnyEvent, ApprovalAsked, GuardTripped, RunFinished, WaveOpened
from recovery.model.evidence import (
    BootIdentity,
    CrashRecord,
    Progress,
    Reachability,
    Verdict,
)
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState
from recovery.ports import Stored
from recovery.report.status import host_rows, run_status, status, stop_code
from tests.unit.journal.happenings import RUN, at, ended, finished_step, started

FLEET = Fleet(
    hosts=(Host(name="h2", site="ATL", service="check-in", kind="kiosk"), Host(name="h1"))
)


def crashed(stop: int | None) -> CrashRecord:
    return CrashRecord(at=at(1), source="ssh", stop_code=stop, record="dump", text=str(stop))


def known(*evidence: object) -> HostState:
    case = CaseFile()
    for item in evidence:
        case = add_evidence(case, item)  # type: ignore[arg-type]
    return HostState("h1", verdict=Verdict.CRASH_LOOP, because=("two crashes",), case=case)


def test_status_counts_what_is_known() -> None:
    found = status({"h1": known(), "h3": HostState("h3", progress=Progress.DONE)})
    assert (found["schema"], found["total"]) == (1, 2)
    assert {name: count for name, count in found["verdicts"].items() if count} == {
        "crash_loop": 1,
        "unknown": 1,
    }
    assert {name: count for name, count in found["progress"].items() if count} == {
        "done": 1,
        "untouched": 1,
    }
    assert set(found["verdicts"]) == set(Verdict)
    assert set(found["progress"]) == set(Progress)


def test_status_of_a_fleet_counts_its_hosts_and_no_others() -> None:
    found = status({"h1": known(), "foreign": known()}, FLEET)
    assert found["total"] == 2
    assert (found["verdicts"]["crash_loop"], found["verdicts"]["unknown"]) == (1, 1)


def test_status_of_no_host() -> None:
    found = status({})
    assert found["total"] == sum(found["verdicts"].values()) == sum(found["progress"].values()) == 0


def test_status_of_a_run_says_where_it_stands() -> None:
    guard = GuardTripped(
        at=at(9), run=RUN, rule="failed", count=2, limit=1, denominator="wave 1 (5 hosts)"
    )
    events: list[AnyEvent] = [
        started(total=5, mock=True),
        WaveOpened(at=at(1), run=RUN, wave=1, size=1),
        finished_step("h1", 2, index=0),
        ended("h2", 3),
        ApprovalAsked(at=at(4), run=RUN, gate="wave:2", question="go?"),
        guard,
    ]
    view = fold(RUN, (Stored(seq, event) for seq, event in enumerate(events, 1)))
    found = json.loads(json.dumps(run_status(view, view.waiting(("triage", "quarantine"), at(62)))))
    assert (found["schema"], found["run"], found["total"], found["mock"]) == (1, RUN, 5, True)
    assert found["outcomes"] == {"recovered": 1}
    assert (
        found["verdicts"]["unknown"],
        found["verdicts"]["exposed"],
        found["verdicts"]["recovered"],
    ) == (3, 1, 1)
    assert [(wait["step"], wait["hosts"]) for wait in found["waiting"]] == [
        ("quarantine", 1),
        ("begin", 3),
    ]
    assert found["waiting"][0] == {
        "step": "quarantine",
        "hosts": 1,
        "oldest": ["h1"],
        "seconds": 60.0,
        "silent": 0,
    }
    assert found["approvals"] == [{"gate": "wave:2", "question": "go?"}]
    assert found["guard"]["limit"] == 1
    assert [wave["number"] for wave in found["waves"]] == [1]
    assert (found["finished"], found["exit_code"], found["started"]) == (
        None,
        None,
        "2024-07-19T06:00:00Z",
    )


def test_status_of_a_run_that_has_ended_and_of_one_without_beginning() -> None:
    finish = RunFinished(at=at(9), run=RUN, exit_reason="all recovered", exit_code=0)
    found = run_status(RunView(RUN, finished=finish))
    assert (found["total"], found["playbook"], found["started"], found["guard"]) == (
        0,
        "",
        None,
        None,
    )
    assert (found["exit_code"], found["exit_reason"], found["finished"]) == (
        0,
        "all recovered",
        "2024-07-19T06:00:09Z",
    )


def test_rows_are_in_the_order_of_the_fleet_and_bear_what_is_known() -> None:
    boot = BootIdentity(at=at(3), source="ssh", boot_id="b")
    silence = Reachability(at=at(7), source="look", answers=False, reason="no route")
    rows = json.loads(
        json.dumps(host_rows({"h1": known(boot, crashed(0x50), crashed(None), silence)}, FLEET))
    )
    first, second = rows
    assert (first["name"], first["site"], first["service"], first["kind"]) == (
        "h2",
        "ATL",
        "check-in",
        "kiosk",
    )
    assert (first["verdict"], first["progress"], first["last_seen"], first["stop_code"]) == (
        "unknown",
        "untouched",
        None,
        None,
    )
    assert (second["name"], second["verdict"], second["because"]) == (
        "h1",
        "crash_loop",
        ["two crashes"],
    )
    assert (second["last_seen"], second["silent_since"]) == (
        "2024-07-19T06:00:03Z",
        "2024-07-19T06:00:07Z",
    )
    assert second["stop_code"] == 0x50


def test_rows_without_a_fleet_are_those_that_have_a_state() -> None:
    (row,) = host_rows({"h1": HostState("h1", wave=2, runbook="safe_mode")})
    assert (row["name"], row["site"], row["wave"], row["runbook"], row["outcome"]) == (
        "h1",
        "",
        2,
        "safe_mode",
        "",
    )


def test_the_latest_stop_code_counts() -> None:
    assert stop_code(known(crashed(0x50), crashed(0x7E))) == 0x7E
    assert stop_code(known(crashed(None))) is None
    assert stop_code(HostState("h1")) is None
