"""Events in words, and the timeline of a host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.journal.views import Line, describe, timeline
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    Command,
    CredentialStopped,
    GuardTripped,
    RunFinished,
    RunHeld,
    RunResumed,
    WaveClosed,
    WaveOpened,
)
from recovery.ports import Stored
from tests.unit.journal.happenings import at, finished_step, notice, started

CASES = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases/journal/timelines.yaml").read_text("utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_timeline(case: dict[str, Any]) -> None:
    events = msgspec.convert(case["events"], list[AnyEvent], strict=False)
    lines = timeline([Stored(seq, event) for seq, event in enumerate(events, 1)])
    found = [as_case(line) for line in lines]
    assert found == case["lines"]


def as_case(line: Line) -> dict[str, Any]:
    """The line without what it leaves at its usual value, and without time and run."""
    shown = json.loads(msgspec.json.encode(line))
    usual = json.loads(msgspec.json.encode(Line(at(0), "", "")))
    return {
        name: value
        for name, value in shown.items()
        if name == "what" or (name not in ("at", "run") and value != usual[name])
    }


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (started(mock=True), "run of rollback on 3 hosts, incident crowdstrike-291, MOCK"),
        (RunResumed(at=at(0), by="ada"), "run resumed by ada"),
        (
            RunFinished(at=at(0), exit_reason="done", exit_code=4, counts={"failed": 1, "done": 2}),
            "run finished: done (exit code 4); 1 failed, 2 done",
        ),
        (WaveOpened(at=at(0), wave=2, size=5), "wave 2 begins: up to 5 hosts"),
        (WaveOpened(at=at(0), wave=1, size=1), "wave 1 begins: up to 1 host"),
        (WaveClosed(at=at(0), wave=2), "wave 2 ended: no host"),
        (
            ApprovalAsked(at=at(0), gate="wave:2", question="go?"),
            "waits for approval of wave:2: go?",
        ),
        (
            Command(at=at(0), verb="approve", gate="wave:2", by="ada"),
            "command: approve wave:2 by ada",
        ),
        (Command(at=at(0), verb="pause"), "command: pause"),
        (RunHeld(at=at(0), reason="paused"), "held: paused"),
        (RunHeld(at=at(0), reason="paused", released=True), "goes on, no longer: paused"),
        (
            GuardTripped(at=at(0), rule="failed", count=2, limit=1, denominator="wave 1 (5 hosts)"),
            "GUARD HALTS THE RUN: failed 2 of wave 1 (5 hosts), limit 1",
        ),
        (
            CredentialStopped(at=at(0), credential="ad-admin", refusals=3),
            "credential ad-admin was refused 3 times and is not used again",
        ),
        (notice(7), "notice 7"),
        (finished_step("h1", 3), "quarantine: done -> exposed (exposed as seen after 3 s)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_words(event: AnyEvent, words: str) -> None:
    assert describe(event) == words
