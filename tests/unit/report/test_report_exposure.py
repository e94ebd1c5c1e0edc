"""The exposure audit: what a host told before an incident, and what follows for the day of one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.model.events import StepFinished
from recovery.model.evidence import (
    AnyEvidence,
    BitLockerVolume,
    KernelModule,
    KernelModules,
    MachineFacts,
    Readiness,
    ServiceState,
)
from recovery.model.host import ConsoleRef, Fleet, Host
from recovery.playbook.library import products
from recovery.ports import Stored
from recovery.report.exposure import Exposed, audits, exposed, rows, summary

AT = datetime(2024, 7, 1, tzinfo=UTC)
CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "exposure.yaml").read_text())


def _evidence(case: dict[str, Any]) -> tuple[AnyEvidence, ...]:
    modules = tuple(KernelModule(**each) for each in case.get("modules", ()))
    listed = KernelModules(
        at=AT, source="ssh", modules=modules, truncated=case.get("truncated", False)
    )
    found: list[AnyEvidence] = [] if case.get("unlisted") else [listed]
    found += [
        ServiceState(at=AT, source="ssh", name=name, running=True)
        for name in case.get("running", ())
    ]
    if "readiness" in case:
        stamp = {"evidence": "readiness", "at": AT, "source": "ssh"}
        found.append(msgspec.convert({**stamp, **case["readiness"]}, Readiness))
    if "volumes" in case:
        volumes = tuple(
            BitLockerVolume(**{**each, "protectors": tuple(each.get("protectors", ()))})
            for each in case["volumes"]
        )
        found.append(MachineFacts(at=AT, source="ssh", volumes=volumes))
    return tuple(found)


def _audit(case: dict[str, Any], name: str = "h1") -> Exposed:
    console = ConsoleRef(kind="redfish") if case.get("console") else None
    host = Host(name=name, os=case.get("os", "windows"), site="S", console=console)
    event = StepFinished(
        at=AT,
        host=name,
        index=0,
        step="exposure",
        attempt=1,
        outcome="ok",
        evidence=_evidence(case),
    )
    return exposed(Fleet(hosts=(host,)), audits([Stored(1, event)]), products())[0]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_cases(case: dict[str, Any]) -> None:
    found = _audit(case)
    assert found.could_take_down == case["could_take_down"]
    assert found.recoverable == case["recoverable"]
    assert dict(found.products) == case.get("products", {})
    for part in case.get("because", ()):
        assert any(part in reason for reason in found.because), found.because


def test_a_host_that_was_not_audited_is_unknown_and_not_safe() -> None:
    fleet = Fleet(hosts=(Host(name="h1"),))
    failed = StepFinished(
        at=AT, host="h1", index=0, step="exposure", attempt=1, outcome="unreachable"
    )
    other = StepFinished(at=AT, host="h1", index=0, step="triage", attempt=1, outcome="ok")
    known = audits([Stored(1, failed), Stored(2, other)])
    found = exposed(fleet, known, products())[0]
    assert (found.could_take_down, found.recoverable) == ("unknown", "unknown")
    assert rows([found])[0]["audited"] is None


def test_the_counts_add_up_to_the_fleet() -> None:
    found = [_audit(case, f"h{number}") for number, case in enumerate(CASES)]
    counted = summary(found)
    assert counted["total"] == counted["audited"] == len(CASES)
    site = counted["sites"]["S"]
    assert site["hosts"] == len(CASES)
    assert site["could_take_down"] == sum(case["could_take_down"] == "yes" for case in CASES)
    for title, ways in counted["products"].items():
        assert sum(ways.values()) == sum(title in case.get("products", {}) for case in CASES)
