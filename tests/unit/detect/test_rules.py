"""The rules, by the cases in tests/cases/verdicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.detect.rules import judge
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactFile,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    FixApplied,
    PersonReport,
    Reachability,
    ServiceState,
    UndoApplied,
)
from recovery.model.incident import Artifact, Crash, Incident, Platform, Proof, Remedy
from recovery.model.state import CaseFile, add_evidence

CASES = [
    case
    for path in sorted(Path(__file__).parents[2].glob("cases/verdicts/*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]
ZERO = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)


def incident(services: tuple[str, ...]) -> Incident:
    artifact = Artifact(
        directory="/CrowdStrike",
        pattern="C-00000291*.sys",
        margin=300.0,
        bad_from=datetime(2024, 7, 19, 4, 9, tzinfo=UTC),
        good_from=datetime(2024, 7, 19, 5, 27, tzinfo=UTC),
    )
    platform = Platform(
        artifact=artifact,
        proof=Proof(services=services, settle=600.0),
        remedies={"full_system": Remedy()},
    )
    return Incident(
        name="x",
        title="x",
        began=datetime(2024, 7, 19, 4, 9, tzinfo=UTC),
        platforms={"linux": platform},
        crash=Crash(stop_codes=(0x50, 0x7E), modules=("csagent.sys",), texts=("csagent",)),
    )


def evidence_of(item: dict[str, Any]) -> AnyEvidence:
    at = ZERO + timedelta(minutes=item["at"])
    kind = next(name for name in item if name in MAKERS)
    return MAKERS[kind](item, {"at": at, "source": "test"})


def boot(item: dict[str, Any], seen: dict[str, Any]) -> AnyEvidence:
    up, now = item.get("up", 30), seen["at"].timestamp()
    clock = now + item.get("clock", 0)
    return BootIdentity(**seen, boot_id=item["boot"], uptime=up, boot_time=now - up, clock=clock)


def folder(item: dict[str, Any], seen: dict[str, Any]) -> AnyEvidence:
    states = item["folder"]
    if states == "none":
        return ArtifactListing(**seen, directory="/CrowdStrike", exists=False, bad=False)
    files = tuple(ArtifactFile(path=f"/{n}", state=state) for n, state in enumerate(states))
    bad = "bad" in states and "good" not in states
    return ArtifactListing(**seen, directory="/CrowdStrike", exists=True, bad=bad, files=files)


def crash(item: dict[str, Any], seen: dict[str, Any]) -> AnyEvidence:
    time = seen["at"] - timedelta(seconds=item.get("after", 0))
    if "time" in item:
        time = datetime.fromisoformat(item["time"])
    return CrashRecord(
        **seen,
        crashed_at=time.timestamp(),
        stop_code=item.get("crash"),
        module=item.get("module", ""),
        text=item.get("panic", ""),
        record="test",
    )


MAKERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], AnyEvidence]] = {
    "silent": lambda item, seen: Reachability(**seen, answers=False, reason=item["silent"]),
    "answers": lambda item, seen: Reachability(**seen, answers=item["answers"]),
    "boot": boot,
    "folder": folder,
    "crash": crash,
    "panic": crash,
    "fix": lambda item, seen: FixApplied(**seen, intent="i", files=1, boot_id=item["fix"]),
    "undo": lambda _item, seen: UndoApplied(**seen, intent="u", files=1),
    "service": lambda item, seen: ServiceState(
        **seen, name=item["service"], running=item["running"]
    ),
    "says": lambda item, seen: PersonReport(**seen, person="p", says=item["says"]),
}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_verdict(case: dict[str, Any]) -> None:
    file = CaseFile()
    for item in case["evidence"]:
        if "asked" in item:
            file = msgspec.structs.replace(file, reboot_asked=item["asked"])
        else:
            file = add_evidence(file, evidence_of(item))
    latest = max((item["at"] for item in case["evidence"]), default=0)
    now = ZERO + timedelta(minutes=case.get("now", latest))
    judged = judge(file, incident(tuple(case.get("services", ()))), case.get("os", "linux"), now)
    assert judged.verdict == case["verdict"], judged.because
    assert case.get("because", "") in "; ".join(judged.because)
    assert judged.because
