"""A run on the mock twin, without the command line: everything but the inventory is the real thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from recovery.consoles.mock import MockConsole
from recovery.engine.context import Context, Options, Sight
from recovery.engine.order import ordered
from recovery.engine.outcome import Ending
from recovery.engine.run import Run
from recovery.journal import views
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent, RunStarted
from recovery.model.evidence import Verdict
from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident
from recovery.model.playbook import Playbook
from recovery.model.state import HostState
from recovery.planning import take_up
from recovery.playbook import library
from recovery.playbook.incidents import parse_incident
from recovery.playbook.parser import override, parse_playbook
from recovery.ports import Clock, PictureReader, Transport
from recovery.sim.faults import Faults, Mix
from recovery.sim.virtual import LoopClock, run
from recovery.sim.world import World
from recovery.transports.mock import MockTransport
from recovery.worlds import actions

EPOCH = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
TARGETS = (Verdict.EXPOSED, Verdict.CRASH_LOOP, Verdict.BLUE_SCREEN)


def incident() -> Incident:
    """The bundled profile."""
    return parse_incident(*library.read_incident("crowdstrike-291"))


def playbook(name: str, **changes: str) -> Playbook:
    """A bundled playbook with values replaced; `__` in a name stands for a dot."""
    text, file = library.read_playbook(name)
    return parse_playbook(
        override(text, {key.replace("__", "."): value for key, value in changes.items()}, file),
        file,
    )


def hosts(count: int, **fields: Any) -> tuple[Host, ...]:
    """Simulated servers of one site."""
    return tuple(
        Host(name=f"h{number:03d}", **{"os": "windows", "kind": "server", "site": "ATL", **fields})
        for number in range(count)
    )


def mix(**faults: Any) -> Mix:
    """A fault mix without latencies."""
    return Mix(default=Faults(**faults), latency=0.0)


class Stage:
    """One run of one playbook on one simulated fleet."""

    def __init__(
        self,
        fleet: tuple[Host, ...],
        book: Playbook,
        faults: Mix,
        *,
        path: str = ":memory:",
        seed: int = 1,
        named: frozenset[str] = frozenset(),
        ledger: Path | None = None,
        **options: Any,
    ) -> None:
        self.fleet = Fleet(hosts=fleet)
        self.book = book
        self.faults = faults
        self.path = path
        self.seed = seed
        self.ledger = ledger
        self.options = Options(seed=seed, named=named, mock=True, poll_commands=0.0, **options)
        self.events: list[AnyEvent] = []
        self.run: Run | None = None
        self.known: dict[str, HostState] = {}
        """Evidence that earlier runs have gathered."""
        self.pause = timedelta()
        """Time that passed since the journal's last event, before the run is taken up."""
        self.log_type: type[Log] = Log
        self.reader: PictureReader | None = None
        """Reads what the consoles of the twin draw; without it nobody has a console."""
        self.way: Callable[[MockTransport], Transport] = lambda mock: mock

    def play(self, on_event: Callable[[AnyEvent, Run], None] | None = None) -> Ending:
        """Carry the run out in virtual time."""
        return run(self._go(on_event), speed="max", epoch=self._epoch())

    @property
    def states(self) -> dict[str, HostState]:
        """The hosts as the run left them."""
        assert self.run is not None
        return self.run.context.states

    def outcomes(self) -> dict[str, str]:
        """How each host ended."""
        return {
            name: state.outcome.value if state.outcome else ""
            for name, state in sorted(self.states.items())
        }

    def kinds(self, kind: str) -> list[AnyEvent]:
        """The events of a kind, such as `wave.opened`."""
        return [event for event in self.events if type(event).__struct_config__.tag == kind]

    def _view(self) -> views.RunView | None:
        if self.path == ":memory:" or not Path(self.path).exists():
            return None
        with closing(Reader.open(self.path)) as log:
            view = views.fold("r1", log.read(run="r1"))
        return view if view.started else None

    def _epoch(self) -> datetime:
        view = self._view()
        return view.last + self.pause if view and view.last else EPOCH

    async def _go(self, on_event: Callable[[AnyEvent, Run], None] | None) -> Ending:
        view = self._view()
        clock = LoopClock(asyncio.get_running_loop(), self._epoch())
        world = self._world(clock)
        log = self.log_type.open(self.path, inline=True, sync="normal")
        context = self._context(world, log, clock)
        states = dict(view.states) if view else self.known
        run = self.run = Run(context, ordered(self.fleet, "inventory"), actions(), states)
        context.observers.append(self.events.append)
        self._begin(context, run, view)
        if on_event is not None:
            context.observers.append(lambda event: on_event(event, run))
        log.skip_commands("r1")
        try:
            return await run.go()
        finally:
            await log.aclose()
            world.close()

    def _world(self, clock: Clock) -> World:
        arguments = (self.fleet, incident(), self.faults, self.seed)
        if self.ledger is not None and self.ledger.exists():
            return World.restore(*arguments, clock=clock, ledger=self.ledger)
        return World(*arguments, clock=clock, ledger=self.ledger)

    def _sight(self, world: World) -> Sight:
        """Pictures are documents here, so that nobody has to be able to read pixels."""
        if self.reader is None:
            return Sight()
        world.draw = msgspec.json.encode
        return Sight({"mock": MockConsole(world)}, self.reader)

    def _context(self, world: World, log: Log, clock: Clock) -> Context:
        return Context(
            run="r1",
            fleet=self.fleet,
            playbook=self.book,
            incident=incident(),
            transports=dict.fromkeys(("ssh", "winrm"), self.way(MockTransport(world))),
            recorder=log,
            clock=clock,
            targets=self._targets,
            options=self.options,
            sight=self._sight(world),
        )

    def _begin(self, context: Context, run: Run, view: views.RunView | None) -> None:
        if view is not None and view.started is not None:
            take_up(run, view)
            return
        now, total = context.clock.now(), len(self.fleet.hosts)
        context.emit(
            RunStarted(at=now, run="r1", playbook=self.book.name, incident="x", total=total)
        )

    def _targets(self, _host: Host, state: HostState, _now: datetime) -> bool:
        return not self.book.targets or state.verdict in TARGETS
