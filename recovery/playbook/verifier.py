"""The verifier: what is proven of a playbook before it may touch a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from recovery.errors import UsageError, suggestion
from recovery.model.console import BOOT_DEVICES, medium_problem
from recovery.model.incident import Incident, Reach, Remedy
from recovery.model.playbook import STEPS, Playbook, Retry, Step, StepSpec
from recovery.playbook.figures import check_figures
from recovery.playbook.report import Problem, Report

Specs = Mapping[str, StepSpec]
_NEEDS: Mapping[str, tuple[Reach, ...]] = {
    "quarantine": ("full_system",),
    "rollback": ("full_system",),
    "race": ("boot_window", "full_system"),
    "undo": ("full_system",),
}
"""The remedies of which a step needs one."""
_REMEDIES: Mapping[str, tuple[tuple[Reach, ...], ...]] = {
    "quarantine": (("full_system",), ("safe_mode",)),
    "rollback": (("full_system",), ("safe_mode",)),
    "race": (("boot_window", "full_system"),),
}
"""Steps that carry a remedy out, and for which reaches; of a group the first that is given."""
_LARGE_COUNT = 100
_LARGE_FIRST = 10.0
"""Percent of the run above which a first wave is no trial any more."""


def verify(
    playbook: Playbook,
    *,
    incident: Incident | None,
    specs: Specs = STEPS,
    check_query: Callable[[str], None] | None = None,
) -> Report:
    """Prove that the playbook ends, acts only inside a guard and after evidence, and proves each restart.

    Names are resolved too: runbooks and remedies in the `incident`, the targets by `check_query`, which raises
    `UsageError` for a query that cannot be read.
    """
    unknown = list(_unknown_steps(playbook, specs))
    if unknown:
        return Report(problems=tuple(unknown))
    every = playbook.steps + playbook.on_failure
    problems = [
        *check_figures(playbook),
        *_guarded(playbook, specs),
        *_path(playbook.steps, specs),
        *_path(playbook.on_failure, specs),
        *_gates(playbook, specs),
        *_undoable(every, specs),
        *_names(playbook, incident, check_query),
    ]
    return Report(
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
        warnings=tuple(_warnings(playbook, incident, specs)),
        worst_case=sum(longest(step, incident) for step in every),
        irreversible=tuple(_irreversible(every, incident, specs)),
        privileges=tuple(dict.fromkeys(_privileges(every, incident, specs))),
    )


def _irreversible(
    steps: tuple[Step, ...], incident: Incident | None, specs: Specs
) -> Iterator[str]:
    for step in steps:
        if _changes(step, specs) and not specs[step.name].undo:
            yield f"line {step.line}: nothing undoes {step.name}"
        for os, remedy in _remedies(step, incident):
            if not remedy.spec.undo:
                yield f"line {step.line}: nothing undoes {step.name} on {os}, which is {remedy.kind}"


def _privileges(steps: tuple[Step, ...], incident: Incident | None, specs: Specs) -> Iterator[str]:
    for step in steps:
        own = [remedy.spec.privileges for _, remedy in _remedies(step, incident)]
        yield from filter(None, own or [specs[step.name].privileges])


def _remedies(step: Step, incident: Incident | None) -> Iterator[tuple[str, Remedy]]:
    """What the step carries out, by operating system."""
    groups = _REMEDIES.get(step.name, ())
    for os, platform in (incident.platforms if incident is not None else {}).items():
        found = [remedy for group in groups if (remedy := platform.remedy(*group)) is not None]
        for kind, remedy in {remedy.kind: remedy for remedy in found}.items():
            if kind != "hand_over_only":
                yield os, remedy


def longest(step: Step, incident: Incident | None = None) -> float:
    """Seconds that the step can take at most on a host that answers: its attempts, their limits, the waits between."""
    attempts = max(1, getattr(step.arguments, "attempts", None) or step.retry.attempts)
    span = getattr(step.arguments, "duration", None)
    if step.name == "settle" and span is None and incident is not None:
        span = max((platform.proof.settle for platform in incident.platforms.values()), default=0.0)
    own = STEPS.get(step.name)
    once = (
        step.timeout
        + (own.console if own else 0.0)
        + (span or 0.0)
        + (getattr(step.arguments, "wait", None) or 0.0)
    )
    return attempts * once + _pauses(step.retry, attempts - 1)


def _pauses(retry: Retry, count: int) -> float:
    """Seconds that so many pauses take, each twice as long as the one before up to the longest."""
    total, pause = 0.0, retry.first
    while count > 0 and 0 < pause < retry.longest:
        total, pause, count = total + pause, pause * 2, count - 1
    return total + count * min(pause, retry.longest)


def _changes(step: Step, specs: Specs) -> bool:
    """Whether the step changes the machine, by what it says itself or by its spec."""
    own = getattr(step.arguments, "changes", None)
    return own if isinstance(own, bool) else specs[step.name].changes


def _unknown_steps(playbook: Playbook, specs: Specs) -> Iterator[Problem]:
    for step in playbook.steps + playbook.on_failure:
        if step.name not in specs:
            yield Problem(
                f"there is no step {step.name!r}{suggestion(step.name, specs)}", step.line
            )


def _guarded(playbook: Playbook, specs: Specs) -> Iterator[Problem]:
    changing = [step for step in playbook.steps + playbook.on_failure if _changes(step, specs)]
    guard = playbook.strategy.guard
    if not changing:
        return
    if guard is None:
        yield Problem(
            f"{changing[0].name} changes machines, but the playbook has no guard: add strategy.guard, "
            'for example guard: {failed: "2%", unreachable: "20%", new_crashes: 1}',
            changing[0].line,
        )
    elif guard.failed is None and guard.new_crashes is None:
        yield Problem(
            "the guard counts neither failed nor new_crashes, so it cannot see that a fix does harm: add one",
            playbook.lines.get("strategy.guard", 0),
        )


def _path(steps: tuple[Step, ...], specs: Specs) -> Iterator[Problem]:
    """The order of one way through the playbook: evidence before changes, proofs after restarts."""
    evidence = False
    for place, step in enumerate(steps):
        spec, rest = specs[step.name], steps[place + 1 :]
        evidence = evidence or spec.evidence
        if _changes(step, specs) and not evidence:
            yield Problem(
                f"{step.name} changes machines before there is evidence: put triage before it",
                step.line,
            )
        if spec.reboots and not _proven(rest, specs):
            yield Problem(
                f"{step.name} is not followed by a proof: put settle and prove behind it", step.line
            )
        if step.name == "hand_over" and rest:
            yield Problem(
                f"{rest[0].name} is never carried out: hand_over ends the work on a host",
                rest[0].line,
            )


def _proven(rest: tuple[Step, ...], specs: Specs) -> bool:
    """Whether a proof comes before the next restart."""
    for step in rest:
        if step.name == "prove":
            return True
        if specs[step.name].reboots:
            return False
    return False


def _gates(playbook: Playbook, specs: Specs) -> Iterator[Problem]:
    """A freeze that comes after a change is too late, and a failure path must not wait for a person's word."""
    changed = False
    for step in playbook.steps:
        if step.name == "freeze" and changed:
            yield Problem(
                "freeze comes after a change: stop the vendor's feed first, or the bad file comes back",
                step.line,
            )
        changed = changed or _changes(step, specs)
    yield from _unapproved(playbook)
    for step in playbook.on_failure:
        if step.name in ("freeze", "approve"):
            yield Problem(
                f"{step.name} in on_failure would hold every host that failed: put it into steps",
                step.line,
            )


def _unapproved(playbook: Playbook) -> Iterator[Problem]:
    """Machines are started from something else by a person's word alone."""
    asked = False
    for step in playbook.steps:
        asked = asked or step.name == "approve"
        if step.name == "boot_once" and not asked:
            yield Problem(
                "boot_once starts machines from something else than their disk: put approve before it",
                step.line,
            )
    for step in playbook.on_failure:
        if step.name == "boot_once":
            yield Problem(
                "boot_once in on_failure would start hosts without a person's word: put it into steps, behind approve",
                step.line,
            )


def _undoable(steps: tuple[Step, ...], specs: Specs) -> Iterator[Problem]:
    for step in steps:
        undo = specs[step.name].undo
        if undo and undo not in specs:
            yield Problem(
                f"{step.name} is said to be undone by {undo!r}, which is no step", step.line
            )


def _names(
    playbook: Playbook, incident: Incident | None, check_query: Callable[[str], None] | None
) -> Iterator[Problem]:
    if playbook.targets and check_query is not None:
        try:
            check_query(playbook.targets)
        except UsageError as error:
            yield Problem(f"targets: {error}", playbook.lines.get("targets", 0))
    for step in playbook.steps + playbook.on_failure:
        if step.name == "run" and not step.arguments.command:
            yield Problem("run has no command: give it a list of words", step.line)
        if step.name == "boot_once":
            wrong = medium_problem(BOOT_DEVICES[step.arguments.device], step.arguments.media)
            yield from [Problem(f"boot_once: {wrong}", step.line)] if wrong else []
        if incident is not None:
            yield from _incident_names(step, incident)


def _incident_names(step: Step, incident: Incident) -> Iterator[Problem]:
    if step.name == "hand_over" and step.arguments.runbook not in incident.runbooks:
        name = step.arguments.runbook
        near = suggestion(name, incident.runbooks)
        yield Problem(f"{incident.name} has no runbook {name!r}{near}", step.line)
    for os, remedy in _remedies(step, incident):
        if step.name == "quarantine" and remedy.kind != "quarantine":
            message = f"quarantine moves files, but {incident.name} has {remedy.kind} for {os}: use rollback"
            yield Problem(message, step.line)
        if step.name == "race" and not remedy.spec.window:
            message = (
                f"a crash in the middle of {remedy.kind} ({os}) does harm: it cannot be raced for"
            )
            yield Problem(message, step.line)
    if step.name == "undo":
        yield from _undo_problems(step, incident)
    needed = _NEEDS.get(step.name, ())
    for os, platform in incident.platforms.items():
        if needed and not any(reach in platform.remedies for reach in needed):
            yield Problem(
                f"{step.name} needs a remedy for {' or '.join(needed)}, which {incident.name} does not give for {os}",
                step.line,
            )


def _undo_problems(step: Step, incident: Incident) -> Iterator[Problem]:
    for os, platform in incident.platforms.items():
        remedy = platform.remedy("full_system", "boot_window")
        if remedy is not None and not remedy.spec.undo:
            message = (
                f"nothing undoes {remedy.kind}, which is the remedy of {incident.name} for {os}"
            )
            yield Problem(message, step.line)


def _warnings(playbook: Playbook, incident: Incident | None, specs: Specs) -> Iterator[Problem]:
    every = playbook.steps + playbook.on_failure
    changing = [step for step in every if _changes(step, specs)]
    if incident is None and any(step.name in ("hand_over", *_NEEDS) for step in every):
        yield Problem("checked without an incident: runbooks and remedies were not looked up")
    for_good = [step for step in changing if not specs[step.name].undo]
    if for_good and not playbook.targets:
        yield Problem(
            "no targets: every host of the selection is changed, healthy ones too", for_good[0].line
        )
    if changing:
        yield from _wave_warnings(playbook)
        yield from _guard_warnings(playbook)
    for place, step in enumerate(playbook.steps):
        yield from _order_warnings(playbook.steps[:place], step, playbook.steps[place:], specs)
    for step in every:
        if step.name == "run" and not _changes(step, specs):
            message = "run says that it changes nothing, which cannot be checked: no guard and no wave holds it"
            yield Problem(message, step.line)
        if hasattr(step.arguments, "attempts") and step.retry.attempts > 1:
            yield Problem(
                f"{step.name} counts its own attempts; retry.attempts is not used", step.line
            )


def _order_warnings(
    before: tuple[Step, ...], step: Step, rest: tuple[Step, ...], specs: Specs
) -> Iterator[Problem]:
    if step.name == "prove" and _unsettled(before, specs):
        message = "prove follows a restart without settle: a host that answers once may still crash"
        yield Problem(message, step.line)
    if step.name == "approve" and not any(_changes(other, specs) for other in rest):
        yield Problem("approve holds nothing back: no change comes after it", step.line)


def _unsettled(before: tuple[Step, ...], specs: Specs) -> bool:
    """Whether the latest restart among these steps has no settle behind it."""
    for step in reversed(before):
        if step.name == "settle":
            return False
        if specs[step.name].reboots:
            return True
    return False


def _guard_warnings(playbook: Playbook) -> Iterator[Problem]:
    guard = playbook.strategy.guard
    for name, share in (msgspec.structs.asdict(guard) if guard else {}).items():
        if share is not None and not share.percent and share.value > _LARGE_COUNT:
            message = f"guard.{name} lets {share.value - 1:g} hosts come to harm before it halts: lower it"
            yield Problem(message, playbook.lines.get(f"strategy.guard.{name}", 0))


def _wave_warnings(playbook: Playbook) -> Iterator[Problem]:
    waves, line = playbook.strategy.waves, playbook.lines.get("strategy.waves", 0)
    if waves and waves[0].percent and waves[0].value > _LARGE_FIRST:
        yield Problem(
            "the first wave is large: begin with a few hosts, such as [1, 5, 1%, 10%, 100%]", line
        )
    if waves and not waves[-1].percent:
        count = waves[-1].value
        yield Problem(
            f"the last wave is {count:g} hosts: a large fleet follows in waves of {count:g}; end with 100%",
            line,
        )
