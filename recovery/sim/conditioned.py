"""A twin of a fleet as it stands now: machines in the states that their verdicts say."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from recovery.model.evidence import Verdict
from recovery.model.host import Fleet
from recovery.sim.faults import CONDITIONS, Mix, Rule, Selector

_GROUP = "\0verdict:"
"""Leads the name of a group that no inventory can have."""
_STANDS = {
    Verdict.EXPOSED: "exposed",
    Verdict.CRASH_LOOP: "crash_loop",
    Verdict.BLUE_SCREEN: "blue_screen",
    Verdict.RECOVERY_SCREEN: "recovery_screen",
    Verdict.NEEDS_KEY: "needs_key",
}
_NO_CONDITION = dict.fromkeys(CONDITIONS, 0.0)


def conditioned(fleet: Fleet, mix: Mix, verdicts: Mapping[str, Verdict]) -> tuple[Fleet, Mix]:
    """The fleet and mix in which each host stands as its verdict says; of the others the mix decides.

    A dark host stays off until somebody switches it on, or wakes by itself, in the proportion of the mix.
    """
    marked = tuple(
        msgspec.structs.replace(host, groups=(*host.groups, _GROUP + verdicts[host.name]))
        if verdicts.get(host.name, Verdict.UNKNOWN) != Verdict.UNKNOWN
        else host
        for host in fleet.hosts
    )
    rules = [
        Rule(
            when=Selector(group=_GROUP + verdict),
            faults={**_NO_CONDITION, condition: 1.0, "dark": 0.0, "asleep": 0.0},
        )
        for verdict, condition in _STANDS.items()
    ]
    off = mix.default.dark + mix.default.asleep
    dark = mix.default.dark / off if off else 1.0
    rules.append(
        Rule(
            when=Selector(group=_GROUP + Verdict.DARK), faults={"dark": dark, "asleep": 1.0 - dark}
        )
    )
    return (
        msgspec.structs.replace(fleet, hosts=marked),
        msgspec.structs.replace(mix, rules=(*mix.rules, *rules)),
    )
