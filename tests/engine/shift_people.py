"""The people of a simulated shift: technicians who make mistakes, and leads who clear up after them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from recovery.desk.rules import Who
from recovery.desk.sources.table import TableSource
from recovery.errors import RecoveryError, RefusedError
from recovery.model.ticket import Stage, is_overdue
from recovery.service.desk import Desk
from recovery.sim.machine import Phase
from recovery.sim.world import World

MINUTE = 60.0
_TRIES = 3


class Technician:
    """Takes one ticket after another. Each mistake is drawn from a seed of their own."""

    def __init__(
        self,
        name: str,
        site: str,
        desk: Desk,
        world: World,
        keys: Mapping[str, str],
        hosts: list[str],
    ) -> None:
        self.name = name
        self._site = site
        self._desk = desk
        self._world = world
        self._table = TableSource("table", desk.settings.keys.sources[0].path)  # type: ignore[union-attr]
        self._keys = keys
        """Host to the id of its recovery key."""
        self._hosts = hosts
        self._drawn = random.Random(name)  # noqa: S311 - people, not secrets
        self.mistakes: list[str] = []

    async def work(self) -> None:
        """Until the shift ends."""
        near = ""
        while True:
            job = self._desk.next(self.name, self._site, near, take=True)
            if job is None:
                await asyncio.sleep(10 * MINUTE)
                continue
            near = job.location
            await asyncio.sleep((job.walk + 1) * MINUTE)
            try:
                await self._attend(job.ticket.host, job.minutes * MINUTE)
            except RefusedError:
                continue  # the lease ended, a lead has given it away, or the machine has come up by itself

    async def _attend(self, host: str, seconds: float) -> None:
        desk, who = self._desk, Who(tech=self.name)
        mistake = self._drawn.choices(
            ["", "forgot", "too soon", "wrong machine"], weights=[82, 5, 7, 6]
        )[0]
        if mistake:
            self.mistakes.append(mistake)
        if mistake == "forgot":
            await asyncio.sleep(3 * 60 * MINUTE)
            return
        desk.on_site(host, who)
        await asyncio.sleep(seconds * (0.5 + self._drawn.random()))
        if mistake != "too soon":
            worked_on = host if mistake != "wrong machine" else self._drawn.choice(self._hosts)
            if not self._repair(host, worked_on):
                desk.tried(host, who, "the key does not fit", restarts=1)
                await asyncio.sleep(5 * MINUTE)
                desk.release(host, who, "needs another key")
                return
        desk.done(host, who, restarts=1)

    def _repair(self, host: str, worked_on: str) -> bool:
        """Mend the machine in front of them, which may not be that of the ticket."""
        if worked_on not in self._hosts:
            return True  # nobody's machine, which the twin does not know
        machine = self._world.machine(worked_on)
        locked = machine.phase is Phase.NEEDS_KEY or "key_at_reboot" in machine.traits
        if locked and not self._unlock(host):
            return False
        self._world.mend(worked_on)
        self._world.enter_key(worked_on)
        return True

    def _unlock(self, host: str) -> bool:
        """Ask for the key by the id on the screen, which now and then is misread."""
        right = self._drawn.random() > 0.2
        key_id = self._keys[host] if right else self._drawn.choice(list(self._keys.values()))
        keys = self._desk.keys([self._table])
        try:
            keys.show(host, key_id, self.name)
        except RecoveryError:
            return False
        keys.tried(host, key_id, self.name, unlocked=key_id == self._keys[host])
        return key_id == self._keys[host]


class Lead:
    """Looks at the board every quarter of an hour."""

    def __init__(self, name: str, desk: Desk) -> None:
        self.name = name
        self._desk = desk
        self.released = 0

    async def work(self) -> None:
        """Until the shift ends."""
        while True:
            self.clear_up()
            await asyncio.sleep(15 * MINUTE)

    def clear_up(self) -> None:
        """Give back what was said to be done and does not prove it; escalate what was tried too often."""
        desk, who = self._desk, Who(tech=self.name, lead=self.name)
        for ticket in desk.tickets():
            if is_overdue(ticket, desk.clock.now()):
                desk.release(ticket.host, who, "not proven: look again")
                self.released += 1
            elif ticket.tries + ticket.refuted >= _TRIES and ticket.stage in (
                Stage.WAITING,
                Stage.CAME_BACK,
            ):
                desk.escalate(ticket.host, who, "vendor", f"tried often, still {ticket.verdict}")

    def end_the_shift(self) -> None:
        """What is left gets somebody who has it, and a reason."""
        desk, who = self._desk, Who(tech=self.name, lead=self.name)
        for ticket in desk.tickets():
            if ticket.is_open and ticket.stage is not Stage.ESCALATED:
                reason = ticket.reason or "left over by the shift"
                desk.escalate(ticket.host, who, "the next shift", reason)


def held_by_two(events: list[object]) -> list[str]:
    """Claims on tickets that somebody else held, found without the product's own rules."""
    from recovery.model import desk_events as kinds  # noqa: PLC0415 - beside the one use

    holders: dict[str, tuple[str, object]] = {}
    wrong: list[str] = []
    for event in events:
        match event:
            case kinds.TicketClaimed() | kinds.TicketOnSite() | kinds.TicketTried():
                holder = holders.get(event.host)
                if holder and holder[0] != event.tech and holder[1] > event.at and not event.by:  # type: ignore[operator]
                    wrong.append(f"{event.host}: {event.tech} while {holder[0]} held it")
                holders[event.host] = (event.tech, event.until)
            case kinds.TicketSaidDone() | kinds.TicketReleased() | kinds.TicketEscalated():
                holders.pop(event.host, None)
            case _:
                pass
    return wrong
