"""What was changed, or would be: the same answers folded, and nothing said of hosts that were left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from recovery.model.events import AnyEvent, HostFinished, Outcome, StepFinished
from recovery.model.evidence import ArtifactFile, ArtifactListing, FixApplied, UndoApplied
from recovery.model.playbook import NoArguments, RunArguments, Step
from recovery.report.changes import Changes

AT = datetime(2024, 7, 19, 6, tzinfo=UTC)
SHOWN = "/a/1.sys (3 bytes, 1970-01-01 00:00:07 UTC, SHA-256 abababababababab)"


def step(name: str, arguments: Any = None) -> Step:
    return Step(name=name, arguments=arguments or NoArguments(), timeout=1.0)


def listing(*states: Any, bad: bool = True, quarantined: int = 0) -> ArtifactListing:
    files = tuple(
        ArtifactFile(path=f"/a/{n}.sys", state=state, size=3, mtime=7.0, sha256="ab" * 32)
        for n, state in enumerate(states, 1)
    )
    return ArtifactListing(
        at=AT,
        source="x",
        directory="/a",
        exists=True,
        bad=bad,
        files=files,
        quarantined=quarantined,
    )


def done(host: str, name: str, *evidence: Any, intent: str = "", message: str = "") -> StepFinished:
    return StepFinished(
        at=AT,
        run="r",
        host=host,
        index=0,
        step=name,
        attempt=1,
        outcome="ok",
        evidence=evidence,
        intent=intent,
        message=message,
    )


def ended(host: str, outcome: Outcome = Outcome.DONE) -> HostFinished:
    return HostFinished(at=AT, run="r", host=host, outcome=outcome)


def told(changes: Changes, *events: AnyEvent) -> dict[tuple[str, ...], tuple[str, ...]]:
    for event in events:
        changes.add(event)
    return {change.hosts: change.lines for change in changes.found()}


def test_a_plan_names_the_files_of_hosts_that_would_be_changed() -> None:
    acts = (step("rollback"), step("reboot"), step("run", RunArguments(command=("a", "b"))))
    changes = Changes(acts, planned=True, untouchable=("dc",))
    bad = listing("bad", "old", "foreign", "link")
    found = told(
        changes,
        *(done(host, "triage", bad) for host in ("h2", "h1", "dc", "dark")),
        done("odd", "triage", listing("bad", "bad")),
        done("fine", "triage", listing("bad", "good", bad=False)),
        *(ended(host) for host in ("h2", "h1", "dc", "odd")),
        ended("fine", Outcome.HEALTHY),
        ended("dark", Outcome.UNREACHABLE),
    )
    more = ("would be restarted", "would run: a b")
    moved = f"{SHOWN}: would be moved to quarantine"
    other = moved.replace("1.sys", "2.sys")
    assert found == {("h1", "h2"): (moved, *more), ("odd",): (moved, other, *more)}
    assert next(iter(found)) == ("h1", "h2")


def test_a_plan_of_an_undo_counts_what_is_in_quarantine() -> None:
    changes = Changes((step("undo"), step("greet")), planned=True)
    held = done("h1", "triage", listing(bad=False, quarantined=2))
    assert told(changes, held, ended("h1"), ended("h2")) == {
        ("h1",): (
            "2 files would be put back from quarantine",
            "greet would be carried out",
        ),
        ("h2",): ("greet would be carried out",),
    }


def test_a_run_tells_what_was_really_moved() -> None:
    fix = FixApplied(at=AT, source="endpoint", intent="i", files=1)
    found = told(
        Changes((), planned=False),
        done("h1", "triage", listing("bad", "bad")),
        done("h1", "rollback", listing("old", "bad"), fix, intent="i"),
        done("h1", "reboot", intent="j"),
        ended("h1", Outcome.RECOVERED),
        done("raced", "race", listing("old"), fix, intent="i"),
        done(
            "back", "undo", UndoApplied(at=AT, source="endpoint", intent="i", files=2), intent="i"
        ),
        done("own", "run", intent="k", message="exit status 0"),
        done("same", "reboot"),
        done("far", "triage", listing("bad")),
    )
    assert found == {
        ("back",): ("2 files put back from quarantine",),
        ("h1",): (f"{SHOWN}: moved to quarantine", "restarted"),
        ("own",): ("run: exit status 0",),
        ("raced",): ("1 files moved to quarantine",),
    }
