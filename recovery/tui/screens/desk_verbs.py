"""What a lead does with tickets: give, take back, note what technicians say. Each is a word to the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from textual import work

from recovery.errors import RecoveryError
from recovery.inventory.ranges import fold
from recovery.tui.actions import Action, always
from recovery.tui.gateway import DeskAct, DeskVerb
from recovery.tui.screens.desk_form import Asked, DeskForm, Field
from recovery.tui.screens.page import Page
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.host_table import HostTable

_TECH = Field("tech", "Technician")
_REASON = Field("reason", "Reason")
_SAID = 3
"""Tickets of which it is told one by one what became of them."""
_SITE = Field("site", "Site", needed=False)


class _Verb(msgspec.Struct, frozen=True):
    key: str
    title: str
    tooltip: str
    words: str
    fields: tuple[Field, ...]
    lead: bool = False
    """A lead may do it against a holder."""
    tickets: bool = True
    """It is about the tickets that are chosen."""
    shown: bool = False


_VERBS: Mapping[DeskVerb, _Verb] = {
    "claim": _Verb(
        "c", "Claim", "Give the ticket to a technician", "An hour, or as long as they say.",
        (_TECH,), lead=True, shown=True,
    ),
    "next": _Verb(
        "n", "Next", "Give a technician the best ticket that waits",
        "What costs most for each minute that it takes, the way included.",
        (_TECH, _SITE, Field("place", "Near (floor, gate)", needed=False)),
        tickets=False, shown=True,
    ),
    "on_site": _Verb(
        "o", "On site", "The technician stands in front of it", "As the technician says.", (_TECH,)
    ),
    "tried": _Verb(
        "t", "Tried", "Note a try that did not help", "The technician keeps the ticket.",
        (_TECH, Field("reason", "What came of it")), shown=True,
    ),
    "done": _Verb(
        "d", "Says done", "The technician says that it is done",
        "That is a claim: the ticket closes when the machine proves it.", (_TECH,), shown=True,
    ),
    "release": _Verb(
        "r", "Release", "Give the ticket back to the queue", "Anybody may take it then.",
        (_TECH, Field("reason", "Reason", needed=False)), lead=True, shown=True,
    ),
    "escalate": _Verb(
        "e", "Escalate", "Leave the ticket to somebody else", "Nobody gets it from the queue then.",
        (_TECH, Field("to", "To whom"), _REASON), lead=True, shown=True,
    ),
    "add": _Verb(
        "m", "Add machine", "Open a ticket, also for a machine that no inventory knows",
        "Its name as it stands on the sticker.",
        (Field("host", "Machine"), _REASON, _SITE, Field("place", "Floor, gate", needed=False)),
        tickets=False,
    ),
}  # fmt: skip


def _has_tickets(snapshot: Snapshot) -> str:
    return "" if snapshot.tickets else "no ticket is open"


DESK_ACTIONS = tuple(
    Action(
        f"hands.{name}",
        verb.key,
        verb.title,
        verb.tooltip,
        "Desk",
        shown=verb.shown,
        ready=_has_tickets if verb.tickets else always,
    )
    for name, verb in _VERBS.items()
)


class DeskVerbs(Page):
    """A page whose table lists tickets."""

    @property
    def table(self) -> HostTable:
        """The tickets."""
        raise NotImplementedError

    def action_claim(self) -> None:
        """Give the chosen tickets to a technician."""
        self.desk("claim")

    def action_next(self) -> None:
        """Give a technician the best ticket."""
        self.desk("next")

    def action_on_site(self) -> None:
        """The technician is there."""
        self.desk("on_site")

    def action_tried(self) -> None:
        """A try that did not help."""
        self.desk("tried")

    def action_done(self) -> None:
        """The technician says that it is done."""
        self.desk("done")

    def action_release(self) -> None:
        """Back to the queue."""
        self.desk("release")

    def action_escalate(self) -> None:
        """To somebody else."""
        self.desk("escalate")

    def action_add(self) -> None:
        """A machine that has no ticket."""
        self.desk("add")

    @work(exclusive=True, group="desk")
    async def desk(self, name: DeskVerb) -> None:
        """Ask for what the verb needs, do it, and tell what came of it."""
        verb = _VERBS[name]
        hosts = self.table.chosen if verb.tickets else ("",)
        if not hosts:
            self.tell(
                "no ticket is chosen: set the cursor on one, or mark some with Space", severe=True
            )
            return
        tickets = fold(hosts, most=4)
        asked = Asked(
            f"{verb.title}: {tickets}" if verb.tickets else verb.title,
            f"{verb.tooltip}. {verb.words}",
            self._filled(verb.fields, hosts),
            self.dashboard.deck.by if verb.lead else "",
        )

        async def act(values: Mapping[str, str], as_lead: bool) -> str:  # noqa: FBT001 - the form's
            return await self._for_each(
                DeskAct(verb=name, mock=self.snapshot.mock, as_lead=as_lead, **values), hosts
            )

        said = await self.app.push_screen_wait(DeskForm(asked, act))
        if said:
            self.table.action_unmark()
            self.tell(said)

    def _filled(self, fields: Sequence[Field], hosts: Sequence[str]) -> list[Field]:
        """The fields; the technician is the one who has all the tickets."""
        tickets = [self.snapshot.tickets.get(host) for host in hosts]
        techs = {ticket.holder(self.snapshot.clock) if ticket else "" for ticket in tickets}
        tech = techs.pop() if len(techs) == 1 else ""
        return [field._replace(value=tech) if field.name == "tech" else field for field in fields]

    async def _for_each(self, act: DeskAct, hosts: Sequence[str]) -> str:
        """Do it with each ticket. Raises what was refused, where nothing was done."""
        said: list[str] = []
        refused: list[RecoveryError] = []
        for host in hosts:
            try:
                wanted = msgspec.structs.replace(act, host=host) if host else act
                said.append(await self.gateway.desk(wanted))
            except RecoveryError as error:
                refused.append(error)
        if refused and not said:
            raise refused[0]
        shown = "; ".join(said[:_SAID])
        if len(said) > _SAID:
            shown += f"; and {len(said) - _SAID} more"
        return f"{shown}; {len(refused)} refused: {refused[0]}" if refused else shown
