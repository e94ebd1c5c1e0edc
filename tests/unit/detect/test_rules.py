"""The rules, by the cases in tests/cases/verdicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.detect import event_xml
from recovery.detect.crashes import fold
from recovery.detect.rules import judge
from recovery.model.case import CaseFile, add_evidence
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactFile,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    FixApplied,
    MachineFacts,
    MachineReset,
    PersonReport,
    PowerSeen,
    Reachability,
    RestartRecord,
    ScreenSeen,
    ServiceState,
    UndoApplied,
)
from recovery.model.incident import Artifact, Crash, Incident, Platform, Proof, Remedy
from recovery.model.reading import Reading
from tests.unit.detect import event_text

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
        platforms={"linux": platform, "windows": platform},
        crash=Crash(stop_codes=(0x50, 0x1000007E), modules=("csagent.sys",), texts=("csagent",)),
    )


def evidence_of(item: dict[str, Any]) -> tuple[AnyEvidence, ...]:
    at = ZERO + timedelta(minutes=item["at"])
    if "events" in item:
        text = "\n".join(event_text.from_case(event, ZERO) for event in item["events"])
        return fold(event_xml.read(text.encode()), (), at=at, source="test")
    kind = next(name for name in item if name in MAKERS)
    return (MAKERS[kind](item, {"at": at, "source": "test"}),)


def minute(item: dict[str, Any], name: str) -> float | None:
    return ZERO.timestamp() + 60 * item[name] if name in item else None


def restart(item: dict[str, Any], seen: dict[str, Any]) -> AnyEvidence:
    return RestartRecord(
        **seen,
        cause=item["restart"],
        restarted_at=minute(item, "asked_at"),
        logged_at=minute(item, "logged"),
        record="test",
    )


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
        crashed_at=None if "undated" in item else time.timestamp(),
        stop_code=item.get("crash"),
        module=item.get("module", ""),
        text=item.get("panic", ""),
        record="test",
        logged_at=minute(item, "logged"),
    )


def screen(item: dict[str, Any], seen: dict[str, Any]) -> AnyEvidence:
    reading = Reading(
        label=item["screen"],
        confidence=0.9,
        meaning=item.get("meaning", ""),
        alternatives=tuple(item.get("alternatives", ())),
        stop_code=item.get("code"),
        module=item.get("module", ""),
        key_id=item.get("key_id", ""),
        panic=item.get("panic", ""),
    )
    return ScreenSeen(**seen, reading=reading, last_crash=item.get("kept", False))


def told(item: dict[str, Any], seen: dict[str, Any]) -> AnyEvidence:
    if item["told"] == "reset":
        return MachineReset(**seen, asked_for=item.get("by_hand", False))
    return CrashRecord(
        **seen, stop_code=item.get("code"), record="panic_event", report=str(item["at"])
    )


MAKERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], AnyEvidence]] = {
    "screen": screen,
    "told": told,
    "power": lambda item, seen: PowerSeen(
        **seen, state=item["power"], reason=item.get("reason", "")
    ),
    "silent": lambda item, seen: Reachability(**seen, answers=False, reason=item["silent"]),
    "answers": lambda item, seen: Reachability(**seen, answers=item["answers"]),
    "boot": boot,
    "folder": folder,
    "crash": crash,
    "panic": crash,
    "restart": restart,
    "safe": lambda item, seen: MachineFacts(**seen, safe_mode=item["safe"]),
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
            for evidence in evidence_of(item):
                file = add_evidence(file, evidence)
    latest = max((item["at"] for item in case["evidence"]), default=0)
    now = ZERO + timedelta(minutes=case.get("now", latest))
    judged = judge(file, incident(tuple(case.get("services", ()))), case.get("os", "linux"), now)
    assert judged.verdict == case["verdict"], judged.because
    assert case.get("because", "") in "; ".join(judged.because)
    assert judged.because
