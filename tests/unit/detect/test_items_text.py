"""What is said of artifacts that are not files, and the verdicts on hosts that have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from recovery.detect.items import items_text
from recovery.detect.rules import judge
from recovery.model.case import CaseFile, add_evidence
from recovery.model.evidence import (
    ArtifactItem,
    ArtifactListing,
    BootIdentity,
    FixApplied,
    Judgement,
    Verdict,
)
from recovery.model.incident import Artifact, Incident, Platform, Proof, Remedy
from recovery.model.remedy import ArtifactKind

ZERO = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
KB = {"name": "KB5074109", "state": "bad"}
OLD = {"name": "linux", "version": "5.14.0-362", "state": "other"}
BAD = {"name": "linux", "version": "5.14.0-427", "state": "bad"}


def listing(kind: ArtifactKind, *items: dict[str, Any]) -> ArtifactListing:
    found = tuple(ArtifactItem(**item) for item in items)
    bad = any(item.state in ("bad", "missing") for item in found)
    if kind == "kernel":
        bad = any(item.state == "bad" and "default" in item.detail for item in found)
    return ArtifactListing(
        at=ZERO, source="ssh", exists=bool(items), bad=bad, kind=kind, name="thing", items=found
    )


@pytest.mark.parametrize(
    ("kind", "items", "says"),
    [
        ("update", [KB], "KB5074109 is installed"),
        ("update", [], "thing is not installed"),
        ("update", [{**KB, "state": "pending"}], "KB5074109 goes with the next start"),
        (
            "driver",
            [{"name": "x.sys", "version": "1.0", "state": "bad"}],
            "x.sys 1.0 is loaded at the next start, a bad version",
        ),
        ("driver", [{"name": "x.sys", "state": "bad"}], "x.sys is loaded at the next start"),
        (
            "driver",
            [{"name": "x.sys", "version": "1.0", "state": "disabled"}],
            "x.sys 1.0 is disabled",
        ),
        (
            "package",
            [{"name": "sensor", "version": "7.9", "state": "other"}],
            "sensor 7.9 is installed, not a bad version",
        ),
        (
            "package",
            [{"name": "sensor", "version": "7.9", "state": "good"}],
            "sensor 7.9 is installed, a good version",
        ),
        (
            "definitions",
            [{"name": "defender", "version": "1.2", "state": "bad"}],
            "defender 1.2 is in use, a bad version",
        ),
        ("missing_file", [{"name": "/d/svc.exe", "state": "missing"}], "/d/svc.exe is missing"),
        (
            "missing_file",
            [{"name": "/d/svc.exe", "state": "good"}],
            "/d/svc.exe is there, a good version",
        ),
        (
            "kernel",
            [{**BAD, "detail": "default"}, OLD],
            "linux 5.14.0-427 is started next, a bad version",
        ),
        (
            "kernel",
            [BAD, {**OLD, "detail": "running, default"}],
            "linux 5.14.0-362 is started next, not a bad version",
        ),
        ("none", [], "nothing on the disk is bad in this incident"),
    ],
)
def test_an_item_is_told_in_a_sentence(
    kind: ArtifactKind, items: list[dict[str, Any]], says: str
) -> None:
    assert items_text(listing(kind, *items)) == says


def incident(kind: ArtifactKind) -> Incident:
    platform = Platform(
        artifact=Artifact(kind=kind, name="thing"),
        proof=Proof(settle=600.0),
        remedies={"full_system": Remedy(kind="package_remove")},
    )
    return Incident(name="x", title="x", began=ZERO, platforms={"windows": platform})


def judged(*evidence: Any) -> Judgement:
    case = CaseFile()
    for item in evidence:
        case = add_evidence(case, item)
    return judge(case, incident("update"), "windows", evidence[-1].at)


def boot(minutes: float, boot_id: str, uptime: float = 60.0) -> BootIdentity:
    at = ZERO + timedelta(minutes=minutes)
    return BootIdentity(at=at, source="winrm", boot_id=boot_id, uptime=uptime, clock=at.timestamp())


def test_a_host_with_a_bad_update_is_exposed_and_one_without_is_healthy() -> None:
    exposed = judged(boot(0, "a"), listing("update", KB))
    assert (exposed.verdict, exposed.because[0]) == (Verdict.EXPOSED, "KB5074109 is installed")
    healthy = judged(boot(0, "a"), listing("update"))
    assert (healthy.verdict, healthy.because[0]) == (Verdict.HEALTHY, "thing is not installed")


def test_a_host_is_recovered_when_the_update_is_gone_and_another_boot_stays_up() -> None:
    fix = FixApplied(
        at=ZERO, source="endpoint", intent="i", files=1, boot_id="a", remedy="package_remove"
    )
    waits = judged(boot(0, "a"), listing("update"), fix)
    assert waits.verdict == Verdict.DEGRADED
    assert waits.because[0] == "the bad artifact is removed"
    assert "the bad update may still be loaded" in waits.because[1]
    again = msgspec.structs.replace(listing("update"), at=ZERO + timedelta(minutes=20))
    after = judged(boot(0, "a"), listing("update"), fix, boot(20, "b", 700.0), again)
    assert (after.verdict, after.because[0]) == (Verdict.RECOVERED, "the bad artifact is removed")
