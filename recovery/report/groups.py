"""Where a host stands for those who were not there: one rule for every count of proven, claimed and waiting hosts."""

from __future__ import annotations

from enum import StrEnum

from recovery.model.evidence import Progress, Verdict
from recovery.model.state import HostState
from recovery.model.ticket import Stage, Ticket

_SCREENS = frozenset((Verdict.NEEDS_KEY, Verdict.RECOVERY_SCREEN))
_UNDER_PROOF = frozenset((Progress.FIXED, Progress.REBOOTING, Progress.SETTLING))


class Group(StrEnum):
    """Where a host stands for those who were not there."""

    WELL = "well"
    """Looked at, and never hit."""
    PROVEN = "proven"
    """Fixed, and shown by the machine itself."""
    CLAIMED = "claimed"
    """Somebody or something says that it is fixed; not proven."""
    PEOPLE = "people"
    """Waits for a person: handed over, given up by the program, or at a screen that needs hands."""
    TO_DO = "to_do"
    """Hit or silent, and left to the program."""
    UNKNOWN = "unknown"
    """Nothing is known of it."""


AFFECTED = (Group.PROVEN, Group.CLAIMED, Group.PEOPLE, Group.TO_DO)

ILL = frozenset(
    (
        *(Verdict.EXPOSED, Verdict.CRASH_LOOP, Verdict.BLUE_SCREEN),
        *(Verdict.RECOVERY_SCREEN, Verdict.NEEDS_KEY),
    )
)
"""Verdicts of a host that was hit. A dark one may only be off."""


def group_of(  # noqa: PLR0911 - a case for each rule
    state: HostState | None, *, says_done: bool = False, was_hit: bool = False
) -> Group:
    """The one group that a host belongs to; one without a state is unknown.

    `says_done`: a technician says that it is done, and nothing has proven or refuted it since. `was_hit`: it was `ILL`
    before, so that it is not well by itself.
    """
    if state is None:
        return Group.UNKNOWN
    if state.verdict == Verdict.RECOVERED:
        return Group.PROVEN
    if says_done:
        return Group.CLAIMED
    if state.verdict == Verdict.HEALTHY:
        return Group.PROVEN if was_hit else Group.WELL
    if state.progress == Progress.WITH_TECHNICIAN:
        return Group.PEOPLE
    if state.progress == Progress.GAVE_UP or state.verdict in _SCREENS:
        return Group.PEOPLE
    if state.progress in _UNDER_PROOF:
        return Group.CLAIMED
    return Group.UNKNOWN if state.verdict == Verdict.UNKNOWN else Group.TO_DO


class Groups:
    """The group of each host, while events come."""

    def __init__(self) -> None:
        """Nobody is known yet."""
        self._known: dict[str, Group] = {}
        self._hit: set[str] = set()

    @property
    def known(self) -> dict[str, Group]:
        """The groups by host; those that it does not name are unknown. Grows while hosts change."""
        return self._known

    def see(self, state: HostState, ticket: Ticket | None) -> tuple[Group, Group]:
        """A host, or its ticket at the desk, has changed: the group that it was in, and the one that it is in now."""
        name = state.name
        if state.verdict in ILL or (ticket is not None and ticket.stage is Stage.PROVEN):
            self._hit.add(name)
        says_done = ticket is not None and ticket.stage is Stage.SAYS_DONE
        new = group_of(state, says_done=says_done, was_hit=name in self._hit)
        old = self._known.get(name, Group.UNKNOWN)
        if new is not old:
            self._known[name] = new
        return old, new
