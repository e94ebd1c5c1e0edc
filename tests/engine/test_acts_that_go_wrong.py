"""Acts that are refused, whose answers are lost, or that do not take: what the run makes of them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.model.case import CaseFile, add_evidence
from recovery.model.events import StepFinished, StepIntended
from recovery.model.evidence import Reachability, Verdict
from recovery.model.state import HostState
from recovery.playbook.parser import parse_playbook
from recovery.ports import Command
from recovery.remote.records import Trouble
from recovery.sim.acts import read_ledger
from recovery.sim.endpoint import Endpoint
from recovery.sim.machine import Machine
from tests.engine.stage import EPOCH, Stage, hosts, mix, playbook


def calm(name: str, **changes: str) -> Any:
    """A bundled playbook with a guard that lets much go wrong."""
    return playbook(
        name, strategy__guard="{failed: 1000, unreachable: 1000, new_crashes: 1000}", **changes
    )


def test_a_loop_that_crashed_within_its_act_is_restarted_before_it_is_proven(
    tmp_path: Path,
) -> None:
    """An answer that is lost must not let a boot from before the act count as one that followed it."""
    ledger = tmp_path / "ledger"
    stage = Stage(
        hosts(30),
        calm("rollback"),
        mix(crash_loop=1.0, window=(20.0, 60.0), resets=0.4),
        ledger=ledger,
    )
    assert set(stage.play().counts) == {"recovered"}
    closed = [e for e in stage.events if isinstance(e, StepFinished) and e.step == "rollback"]
    assert {"already", "interrupted", "ok"} & {e.outcome for e in closed} >= {"already", "ok"}
    _, acts = read_ledger(ledger)
    assert set(Counter(a.host for a in acts if a.act == "quarantine").values()) == {1}


@pytest.mark.parametrize("faults", [{"resets": 0.4}, {"cut": 0.3}, {"drops": 0.4}])
@pytest.mark.parametrize("name", ["rollback", "race"])
def test_a_bad_network_only_delays(faults: dict[str, float], name: str, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    stage = Stage(
        hosts(10),
        calm(name),
        mix(crash_loop=1.0, window=(10.0, 40.0), **faults),
        ledger=ledger,
        seed=4,
    )
    assert set(stage.play().counts) == {"recovered"}
    _, acts = read_ledger(ledger)
    assert set(Counter(a.host for a in acts if a.act == "quarantine").values()) == {1}
    intents = [act.intent for act in acts if act.act == "reboot"]
    assert len(intents) == len(set(intents))


def test_a_race_without_a_long_enough_window_is_lost() -> None:
    stage = Stage(hosts(2), calm("race"), mix(dark=1.0))
    ending = stage.play()
    assert ending.counts == {"handed_over": 2}
    assert not [e for e in stage.events if isinstance(e, StepFinished) and e.outcome == "ok"]


def test_silence_that_an_earlier_run_met_does_not_lose_a_race_at_its_first_look() -> None:
    fleet = hosts(2)
    stage = Stage(fleet, calm("race"), mix(crash_loop=1.0, window=(6.0, 12.0)))
    silent = Reachability(at=EPOCH - timedelta(hours=3), source="look", answers=False)
    case = add_evidence(CaseFile(), silent)
    stage.known = {host.name: HostState(host.name, case=case) for host in fleet}
    assert stage.play().counts == {"recovered": 2}


def test_a_race_for_nothing_leaves_the_host_alone() -> None:
    stage = Stage(hosts(3), calm("race"), mix())
    assert stage.play().counts == {"healthy": 3}
    assert all(state.reboots == 0 for state in stage.states.values())


def test_a_host_that_never_comes_back_from_its_restart_is_unreachable() -> None:
    fleet = tuple(h for h in hosts(2, kind="desktop"))
    stage = Stage(fleet, calm("rollback"), mix(exposed=1.0, key_at_reboot=1.0))
    assert stage.play().counts == {"handed_over": 2}
    reboots = [e for e in stage.events if isinstance(e, StepIntended) and e.step == "reboot"]
    assert Counter(e.host for e in reboots) == {"h000": 1, "h001": 1}
    assert all("did not come back" in state.message for state in stage.states.values())


def test_hosts_lost_after_their_restart_halt_the_run() -> None:
    fleet = hosts(20, kind="desktop")
    book = playbook("rollback", strategy__guard="{unreachable: 2}")
    ending = Stage(fleet, book, mix(exposed=1.0, key_at_reboot=1.0)).play()
    assert ending.code == 6
    assert "unreachable: " in ending.reason
    assert ending.reason.endswith("limit 2")


def test_a_fix_that_does_not_hold_is_a_new_crash() -> None:
    stage = Stage(hosts(2), calm("rollback"), mix(exposed=1.0, crash_anew=1.0))
    assert stage.play().counts == {"handed_over": 2}
    assert all(state.new_crash for state in stage.states.values())
    assert all(state.verdict == Verdict.CRASH_LOOP for state in stage.states.values())


def test_a_host_in_safe_mode_is_not_proven() -> None:
    stage = Stage(hosts(1), calm("rollback"), mix(exposed=1.0, safe_mode=1.0))
    assert stage.play().counts == {"handed_over": 1}
    assert "not proven" in stage.states["h000"].message


def test_without_a_failure_path_a_host_fails() -> None:
    text = (
        "playbook: own\ntargets: verdict in (exposed)\nstrategy: {guard: {failed: 100}}\n"
        "steps:\n  - triage\n  - quarantine\n"
    )
    stage = Stage(
        hosts(2), parse_playbook(text, "own.yaml"), mix(exposed=1.0, quarantine_fails=1.0)
    )
    assert stage.play().counts == {"failed": 2}
    assert all(
        "failed" in state.message or "refused" in state.message for state in stage.states.values()
    )


def test_a_platform_that_the_incident_does_not_concern_is_left_alone() -> None:
    stage = Stage(hosts(2, os="macos"), calm("rollback"), mix(exposed=1.0))
    assert stage.play().counts == {"healthy": 2}
    assert all("does not concern" in state.message for state in stage.states.values())


def _blind(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """From now on the simulated machines cannot read the artifact's folder for `action`."""
    whole = Endpoint.answer

    def answer(self: Endpoint, machine: Machine, command: Command, *rest: Any) -> bytes:
        reply = whole(self, machine, command, *rest)
        if command.action != action:
            return reply
        kept = [line for line in reply.split(b"\n") if b'"record":"folder"' not in line]
        trouble = msgspec.json.encode(Trouble(reason="permission", detail_hex=b"/d".hex()))
        return b"\n".join([trouble, *kept])

    monkeypatch.setattr(Endpoint, "answer", answer)


def test_what_cannot_be_read_any_more_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _blind(monkeypatch, "prove")
    stage = Stage(hosts(2), calm("rollback"), mix(exposed=1.0))
    assert stage.play().counts == {"handed_over": 2}
    proofs = [e for e in stage.events if isinstance(e, StepFinished) and e.step == "prove"]
    assert {(e.outcome, e.verdict) for e in proofs} == {("failed", Verdict.DEGRADED)}
    assert {e.message for e in proofs} == {
        "not proven, degraded: what is left of the bad update could not be read: permission (/d)"
    }


def test_why_a_triage_saw_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    _blind(monkeypatch, "triage")
    stage = Stage(hosts(1), playbook("rollback"), mix(exposed=1.0))
    assert stage.play().counts == {"unreachable": 1}
    assert stage.states["h000"].message.endswith("; permission (/d)")
