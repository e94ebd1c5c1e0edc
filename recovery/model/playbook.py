"""Playbooks: ordered steps and the strategy by which they go over a fleet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from recovery.model.console import BootName

Order = Literal["cost", "dependency", "inventory", "random"]
Denominator = Literal["wave", "site", "run"]


class Share(msgspec.Struct, frozen=True):
    """A number of hosts, or a percentage of some."""

    value: float
    percent: bool = False
    of: Denominator = "wave"
    """What a percentage is taken of."""

    def hosts(self, whole: int) -> int:
        """How many hosts of `whole`: percentages are rounded up, and the answer is at least one."""
        count = math.ceil(self.value * whole / 100 - 1e-9) if self.percent else int(self.value)
        return max(1, count)


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that halts the run: it does so when a count reaches its figure."""

    failed: Share | None = None
    unreachable: Share | None = None
    """Hosts that this run has changed, or given up waiting for, and that do not answer."""
    new_crashes: Share | None = None
    """Hosts that crashed anew after this run had fixed them."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many hosts are worked on at once."""

    total: int = 500
    per_site: int = 0
    """0 means no limit of its own."""
    per_gateway: int = 50


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How often a step is tried, and how long it waits in between (seconds, doubled each time)."""

    attempts: int = 1
    first: float = 1.0
    longest: float = 60.0


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """How a playbook goes over the fleet."""

    order: Order = "cost"
    waves: tuple[Share, ...] = (Share(100, percent=True, of="run"),)
    soak: float = 0.0
    """Seconds between the end of a wave and the start of the next."""
    limits: Limits = Limits()
    guard: Guard | None = None
    keep_trying: float = 0.0
    """Seconds for which hosts that do not answer are waited for; 0 means one look."""
    approve: Literal["none", "waves"] = "none"
    """`waves`: a person lets each wave after the first begin."""


class NoArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step that needs nothing said."""


class RebootArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`reboot`: restart the host, and wait until another boot of it answers."""

    attempts: int = 1
    """How many restarts may be asked for; up to 15 have helped (Microsoft on Azure machines, 19 July 2024)."""
    wait: float = 600.0
    """Seconds to wait for each return."""


class BootOnceArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`boot_once`: start the host from something else once, by its console and its power, and wait for its own system.

    Whatever it starts from, such as an image that carries the remedy out on the disk, has to restart it.
    """

    device: BootName
    media: str = ""
    """For `cd`: the URL of the image."""
    attempts: int = 1
    wait: float = 1800.0
    """Seconds to wait for its return."""


class PowerCycleArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`power_cycle`: take the host's power and give it back by its console, and wait until another boot answers."""

    attempts: int = 1
    wait: float = 900.0
    """Seconds to wait for each return."""


class SettleArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`settle`: the host has to stay up in one boot for so long."""

    duration: float | None = msgspec.field(default=None, name="for")
    """Seconds; the profile's settle time where it is not given."""


class RaceArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`race`: apply the remedy inside the seconds in which a crash-looping host answers."""

    duration: float = msgspec.field(default=3600.0, name="for")
    """Seconds after which the race is given up."""


class HandOverArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`hand_over`: give the host to people, with a runbook of the profile."""

    runbook: str


class ApproveArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`approve`: wait until a person lets the run go on."""

    question: str


class RunArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`run`: an own command on the host, given as a list of words (never through a shell)."""

    command: tuple[str, ...]
    changes: bool = True
    """Whether it changes the host."""


class NotifyArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`notify`: write a notice to the journal and the run's output."""

    message: str


class StepSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the parser and the verifier have to know of a kind of step."""

    name: str
    arguments: type[msgspec.Struct]
    changes: bool = False
    """It changes the machine."""
    undo: str = ""
    """Name of the step that undoes it; empty with `changes` means that nothing does."""
    reboots: bool = False
    evidence: bool = False
    """It gathers evidence."""
    timeout: float = 120.0
    """Seconds for one attempt where the playbook says nothing."""
    console: float = 0.0
    """Seconds that the host's console may take for it, beside the timeout."""
    privileges: str = ""
    """What the credential has to be allowed on the host."""


STEPS: Mapping[str, StepSpec] = {
    spec.name: spec
    for spec in (
        StepSpec(
            name="triage",
            arguments=NoArguments,
            evidence=True,
            privileges="read the artifact's folder",
        ),
        StepSpec(
            name="exposure",
            arguments=NoArguments,
            evidence=True,
            privileges="read the lists of drivers and services",
        ),
        StepSpec(name="freeze", arguments=NoArguments, timeout=86400.0),
        StepSpec(
            name="quarantine",
            arguments=NoArguments,
            changes=True,
            undo="undo",
            privileges="move files out of the artifact's folder",
        ),
        StepSpec(
            name="rollback",
            arguments=NoArguments,
            changes=True,
            undo="undo",
            privileges="what the profile's remedy needs",
        ),
        StepSpec(
            name="race",
            arguments=RaceArguments,
            changes=True,
            undo="undo",
            evidence=True,
            privileges="move files out of the artifact's folder",
        ),
        StepSpec(
            name="reboot",
            arguments=RebootArguments,
            changes=True,
            reboots=True,
            timeout=60.0,
            privileges="restart the host",
        ),
        StepSpec(
            name="boot_once",
            arguments=BootOnceArguments,
            changes=True,
            reboots=True,
            evidence=True,
            console=720.0,
            privileges="choose the next start and switch the power, by the console",
        ),
        StepSpec(
            name="power_cycle",
            arguments=PowerCycleArguments,
            changes=True,
            reboots=True,
            evidence=True,
            timeout=60.0,
            console=480.0,
            privileges="switch the power, by the console",
        ),
        StepSpec(name="settle", arguments=SettleArguments, evidence=True),
        StepSpec(
            name="prove",
            arguments=NoArguments,
            evidence=True,
            privileges="read the artifact's folder",
        ),
        StepSpec(name="hand_over", arguments=HandOverArguments),
        StepSpec(name="approve", arguments=ApproveArguments, timeout=86400.0),
        StepSpec(
            name="run", arguments=RunArguments, changes=True, privileges="what the command needs"
        ),
        StepSpec(name="notify", arguments=NotifyArguments),
        StepSpec(
            name="undo",
            arguments=NoArguments,
            changes=True,
            undo="quarantine",
            privileges="move files into the artifact's folder",
        ),
    )
}
"""The steps that come with the program; plug-ins add theirs."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a playbook."""

    name: str
    arguments: Any
    """An instance of the spec's `arguments` type."""
    timeout: float
    """Seconds for one attempt."""
    retry: Retry = Retry()
    line: int = 0
    may_change: bool | None = None
    """What the spec of the step says of it; None where the spec is one of `STEPS`."""

    @property
    def changes(self) -> bool:
        """Whether it changes the machine, by what it says itself or by its spec. Of what nothing is known, it does."""
        own = getattr(self.arguments, "changes", None)
        if isinstance(own, bool):
            return own
        if self.may_change is not None:
            return self.may_change
        spec = STEPS.get(self.name)
        return spec is None or spec.changes


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """A whole playbook."""

    name: str
    summary: str = ""
    targets: str = ""
    """Query over the evidence; a host that does not match after triage is left alone. Empty means every host."""
    strategy: Strategy = Strategy()
    steps: tuple[Step, ...] = ()
    on_failure: tuple[Step, ...] = ()
    lines: Mapping[str, int] = {}
    """Where its parts stand in the file, by dotted name, for messages."""

    @property
    def changes(self) -> bool:
        """Whether any step changes a machine."""
        return any(step.changes for step in self.steps + self.on_failure)
