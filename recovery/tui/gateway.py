"""What screens may ask for. They know this port and never the service behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from recovery.desk.queue import Job
from recovery.journal.views import Line, RunView
from recovery.model.state import HostState
from recovery.planning import Prepared, Request
from recovery.ports import Stored
from recovery.tui.pictures import HostPicture
from recovery.tui.snapshot import Outlook

Verb = Literal["pause", "resume", "abort", "cancel", "approve"]
DeskVerb = Literal["claim", "next", "on_site", "tried", "done", "release", "escalate", "add"]


class PlaybookLine(msgspec.Struct, frozen=True):
    """A playbook that can be chosen."""

    name: str
    """What `Gateway.request` takes."""
    incident: str = ""
    """The incident that it belongs to; empty for a common one."""
    file: str = ""


class DeskAct(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is to happen at the technicians' desk. Which fields count depends on the verb."""

    verb: DeskVerb
    mock: bool
    """The world that is shown: it is refused where the desk is about the other one."""
    host: str = ""
    tech: str = ""
    reason: str = ""
    to: str = ""
    """Whom it is escalated to."""
    site: str = ""
    place: str = ""
    """Floor, room, gate: where the technician is, or the machine that is added."""
    as_lead: bool = False
    """Also against a holder."""


class Sieve(msgspec.Struct, frozen=True):
    """Which events of the journal are wanted; what is empty selects all."""

    run: str = ""
    host: str = ""
    kinds: tuple[str, ...] = ()
    important: bool = False
    """Only what an operator should see."""
    text: str = ""
    """Words that have to be in the event as it is told, or in its host's name; upper and lower case are the same."""


class Gateway(Protocol):
    """The verbs of the dashboard. All raise `RecoveryError` with a sentence for the operator."""

    def request(self, playbook: str, limits: Sequence[str] = (), *, check: bool = False) -> Request:
        """A request for these hosts (queries or names) of the dashboard's fleet, incident and world."""

    async def again(self, run: str, limits: Sequence[str]) -> Request:
        """What a run was asked for, for these hosts. Raises `RefusedError` when it was in the other world."""

    def playbooks(self) -> tuple[PlaybookLine, ...]:
        """The playbooks that can be chosen, those of the incident first."""

    async def prepare(self, request: Request) -> Prepared:
        """Read, verify, select and plan. Nothing begins."""

    async def start(self, request: Request) -> str:
        """Begin the run in a process of its own that outlives the dashboard; returns its id once it has begun."""

    async def take_up(self, run: str) -> str:
        """Go on with an open run that nobody carries out, in a process of its own; returns its id."""

    async def rehearse(self, prepared: Prepared) -> RunView:
        """Carry the plan out for its very hosts on a twin in virtual time, in a journal of its own; how it ended."""

    async def command(self, run: str, verb: Verb, gate: str = "") -> str:
        """Tell a run something through the journal; which process hears it, empty when nobody carries the run out."""

    async def explain(self, host: str, *, mock: bool) -> tuple[HostState, Sequence[Line]]:
        """All that is known of a host of this world, with its whole evidence, and how it came to it."""

    async def pictures(self, host: str, *, mock: bool) -> tuple[HostPicture, ...]:
        """The pictures of the host's screen that are kept, the newest first."""

    async def view(self, run: str) -> RunView:
        """A run with its hosts, folded anew."""

    async def events(self, sieve: Sieve, before: int, count: int) -> tuple[Stored, ...]:
        """The latest `count` events in front of number `before` that pass the sieve, oldest first."""

    async def forecast(self) -> Outlook:
        """Play the hosts as they stand, with the deck's technicians, in a process of its own. Takes a while."""

    async def job(self, host: str, *, mock: bool) -> Job:
        """A host's ticket with checklist, kit and minutes."""

    async def desk(self, act: DeskAct) -> str:
        """Act at the desk; what came of it, in words."""

    def farewell(self) -> str:
        """What somebody who quits should know: which runs go on, and how to come back."""
