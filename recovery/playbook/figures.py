"""The numbers of a playbook: each is bounded, so that the playbook ends and its waves and guard mean something."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from recovery.documents import show_duration
from recovery.model.playbook import Playbook, Share, Step
from recovery.playbook.report import Problem

LONGEST = 30 * 86400.0
"""Seconds that any wait may take at most: after a month it is no incident any more."""
MOST_ATTEMPTS = 100
_ALL = 100.0
_MOST = 50.0
"""Percent: a guard above it halts after most of the harm is done."""


def check_figures(playbook: Playbook) -> Iterator[Problem]:
    """What is wrong with the numbers of `playbook`."""
    if not playbook.steps:
        yield Problem(
            "the playbook has no steps: it would do nothing", playbook.lines.get("steps", 0)
        )
    for step in playbook.steps + playbook.on_failure:
        yield from _step(step)
    yield from _waves(playbook)
    yield from _guard(playbook)
    yield from _limits(playbook)
    for name in ("soak", "keep_trying"):
        seconds = getattr(playbook.strategy, name)
        if not 0 <= seconds <= LONGEST:
            line = playbook.lines.get(f"strategy.{name}", 0)
            yield Problem(
                f"strategy.{name} is from 0 to {show_duration(LONGEST)}: {seconds:g} s does not end in time",
                line,
            )


def _step(step: Step) -> Iterator[Problem]:
    limits = {
        "timeout": step.timeout,
        "wait": getattr(step.arguments, "wait", None),
        "for": getattr(step.arguments, "duration", None),
        "retry.longest": step.retry.longest,
    }
    for name, seconds in limits.items():
        if seconds is not None and not 0 < seconds <= LONGEST:
            yield Problem(
                f"{step.name}.{name} is more than 0 and at most {show_duration(LONGEST)}, not {seconds:g} s",
                step.line,
            )
    if step.retry.first < 0:
        yield Problem(
            f"{step.name}.retry.first is at least 0, not {step.retry.first:g} s", step.line
        )
    for name, attempts in (
        ("attempts", getattr(step.arguments, "attempts", 1)),
        ("retry.attempts", step.retry.attempts),
    ):
        if not 1 <= attempts <= MOST_ATTEMPTS:
            yield Problem(
                f"{step.name}.{name} is from 1 to {MOST_ATTEMPTS}, not {attempts}", step.line
            )


def _waves(playbook: Playbook) -> Iterator[Problem]:
    line = playbook.lines.get("strategy.waves", 0)
    waves = playbook.strategy.waves
    if not waves:
        yield Problem("strategy.waves is empty: say at least [100%]", line)
    for wave in waves:
        yield from _share("strategy.waves", wave, line)
        if wave.percent and wave.of != "run":
            yield Problem(
                f"a wave is a share of the run, not of a {wave.of}: write {wave.value:g}%", line
            )
    for before, after in pairwise(waves):
        if before.percent == after.percent and after.value < before.value:
            yield Problem(
                f"strategy.waves shrink from {before.value:g} to {after.value:g}: let them grow",
                line,
            )


def _guard(playbook: Playbook) -> Iterator[Problem]:
    guard = playbook.strategy.guard
    shares: dict[str, Share | None] = msgspec.structs.asdict(guard) if guard else {}
    for name, share in shares.items():
        line = playbook.lines.get(f"strategy.guard.{name}", 0)
        if share is None:
            continue
        yield from _share(f"guard.{name}", share, line)
        if share.percent and _MOST < share.value <= _ALL:
            gone = "everything" if share.value == _ALL else "most of it"
            yield Problem(
                f"guard.{name} of {share.value:g}% halts only when {gone} has gone wrong: lower it",
                line,
            )


def _share(name: str, share: Share, line: int) -> Iterator[Problem]:
    low, high = (0.0, _ALL) if share.percent else (0.99, float("inf"))
    if not low < share.value <= high:
        form = "above 0% and at most 100%" if share.percent else "at least 1 host"
        yield Problem(f"{name} is {form}, not {share.value:g}", line)


def _limits(playbook: Playbook) -> Iterator[Problem]:
    limits = playbook.strategy.limits
    if limits.total < 1 or limits.per_site < 0 or limits.per_gateway < 0:
        line = playbook.lines.get("strategy.limits", 0)
        yield Problem(
            "strategy.limits: total is at least 1, per_site and per_gateway are 0 (no limit) or more",
            line,
        )
