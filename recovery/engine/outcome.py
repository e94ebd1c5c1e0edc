"""How a run ended, and its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from recovery.model.events import Outcome


class ExitCode(IntEnum):
    """What the program's exit status means."""

    OK = 0
    """All recovered, or nothing to do."""
    INTERNAL = 1
    """An error of the program itself."""
    USAGE = 2
    """Wrong use, configuration, inventory or playbook."""
    EMPTY = 3
    """The selection is empty."""
    FAILED = 4
    """Some hosts failed."""
    UNREACHABLE = 5
    """Some hosts could not be reached, or are unknown; none failed."""
    HALTED = 6
    """The guard halted the run."""
    WAITING = 7
    """Nothing failed, but people have to act."""
    INTERRUPTED = 130
    """Interrupted; a checkpoint was written."""


class Ending(msgspec.Struct, frozen=True):
    """How a run ended."""

    reason: str
    code: int
    counts: dict[str, int]


def ending(counts: Mapping[str, int], halt: str = "") -> Ending:
    """The ending that follows from the outcomes, the worst one first."""
    kept = {name: count for name, count in counts.items() if count}
    if halt and halt != "cancelled":
        return Ending(f"halted by the guard: {halt}", ExitCode.HALTED, kept)
    for outcome, code, words in (
        (Outcome.FAILED, ExitCode.FAILED, "failed"),
        (Outcome.UNREACHABLE, ExitCode.UNREACHABLE, "could not be reached"),
        (Outcome.HANDED_OVER, ExitCode.WAITING, "wait for people"),
        (
            Outcome.CANCELLED,
            ExitCode.WAITING,
            "were not begun: the run was cancelled or not approved",
        ),
    ):
        if kept.get(outcome.value):
            return Ending(f"{kept[outcome.value]} hosts {words}", code, kept)
    if kept.get(Outcome.RECOVERED.value):
        return Ending("all recovered", ExitCode.OK, kept)
    if kept.get(Outcome.DONE.value):
        return Ending("every step was carried out", ExitCode.OK, kept)
    return Ending("nothing left to do", ExitCode.OK, kept)
