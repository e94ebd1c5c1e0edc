"""What can be done with hosts from the fleet and from a host's page: each is a playbook, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from recovery.model.host import Host


class Act(msgspec.Struct, frozen=True):
    """One way to act on hosts."""

    playbook: str
    key: str
    title: str
    tooltip: str
    console: bool = False
    """It needs a console: power is not switched by the machine itself."""


ACTS: tuple[Act, ...] = (
    Act("triage", "t", "Triage now", "Find out what state the hosts are in; changes nothing"),
    Act("rollback", "f", "Roll back", "Quarantine the bad update, restart, prove"),
    Act("quarantine", "q", "Quarantine", "Move the bad update away, without a restart"),
    Act("reboot", "b", "Reboot", "Restart, and prove by the boot identity that they came back"),
    Act("power_cycle", "c", "Power cycle", "Switch off and on by the console", console=True),
    Act("prove", "p", "Prove", "Prove by evidence which hosts are well; changes nothing"),
    Act("hand_over", "h", "Hand over", "Give the hosts to people, with the checklist"),
    Act("undo", "z", "Undo", "Put quarantined files back exactly as they were"),
)


def why_not(act: Act, playbooks: Collection[str], hosts: Sequence[Host]) -> str:
    """Why it cannot be done with these hosts; nothing when it can."""
    if not hosts:
        return "no host is chosen"
    if act.console:
        without = [host.name for host in hosts if host.console is None]
        if without:
            more = f" and {len(without) - 1} more" if len(without) > 1 else ""
            return f"the inventory names no console for {without[0]}{more}"
    if act.playbook not in playbooks:
        return f"there is no playbook {act.playbook}"
    return ""
