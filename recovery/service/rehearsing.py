"""A run of the real engine on the mock twin that leaves nothing behind but what its observer kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from recovery.engine.context import Context, Options
from recovery.engine.outcome import Ending
from recovery.engine.run import Run
from recovery.inventory.query import Subject, parse
from recovery.journal.store import MEMORY
from recovery.model.events import AnyEvent
from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident
from recovery.model.playbook import Playbook
from recovery.model.state import HostState
from recovery.planning import facts_of
from recovery.service.carrying import Observer
from recovery.settings import Settings
from recovery.worlds import MockWorld, actions

if TYPE_CHECKING:
    from recovery.sim.faults import Mix

_RUN = "rehearsal"
_LOOKS = Options().looks_per_second


class Rehearsal(NamedTuple):
    """What is rehearsed."""

    fleet: Fleet
    incident: Incident
    playbook: Playbook
    order: tuple[str, ...]
    mix: Mix
    began: datetime
    seed: int
    share: float = 1.0
    """Of the fleet that it stands for: the budget of looks is in proportion too."""


class _Nothing:
    """A journal that keeps nothing."""

    def record(self, event: AnyEvent) -> None:
        """Forget it."""

    async def durable(self) -> None:
        """Nothing is ever late."""

    def pressure(self) -> int:
        """Nothing waits."""
        return 0

    def commands(self, run: str) -> Iterable[AnyEvent]:
        """Nobody says anything to a rehearsal."""
        del run
        return ()


def rehearse(wanted: Rehearsal, observer: Observer) -> Ending:
    """Carry the playbook out on the twin, in virtual time, to its end; `observer` gets every event."""
    world = MockWorld(
        wanted.fleet,
        wanted.incident,
        wanted.began,
        None,
        Settings(journal=MEMORY),
        seed=wanted.seed,
        speed="max",
        mix=wanted.mix,
    )
    return world.run(_carry_out(wanted, world, observer))


async def _carry_out(wanted: Rehearsal, world: MockWorld, observer: Observer) -> Ending:
    playbook, fleet = wanted.playbook, wanted.fleet
    targets = parse(playbook.targets) if playbook.targets else None

    def is_target(host: Host, state: HostState, now: datetime) -> bool:
        return targets is None or targets.matches(Subject(host, fleet, facts_of(state), now))

    context = Context(
        run=_RUN,
        fleet=fleet,
        playbook=playbook,
        incident=wanted.incident,
        transports=world.transports(),
        sight=world.sight(),
        recorder=_Nothing(),
        clock=world.clock(),
        targets=is_target,
        options=Options(
            seed=wanted.seed,
            named=frozenset(host.name for host in fleet.hosts if host.protected),
            mock=True,
            poll_commands=0.0,
            looks_per_second=max(1.0, _LOOKS * wanted.share),
        ),
    )
    context.observers.append(observer)
    return await Run(context, wanted.order, actions(), {}).go()
