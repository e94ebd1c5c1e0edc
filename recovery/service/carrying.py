"""Carrying a prepared run out: its world, its journal, and the engine between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from recovery.blocker import blocker
from recovery.engine.context import Context, Options, Sight
from recovery.engine.outcome import Ending, ExitCode
from recovery.engine.run import Run
from recovery.errors import JournalError, UsageError
from recovery.inventory.query import Subject, parse
from recovery.journal import views
from recovery.journal.lease import Lease
from recovery.journal.log import Log
from recovery.model.events import AnyEvent, Command, Notice, RunResumed
from recovery.model.host import Host
from recovery.model.state import HostState
from recovery.planning import (
    Prepared,
    facts_of,
    mix_beside,
    new_run_ids,
    record_start,
    take_up,
)
from recovery.ports import Recorder, Stored, Transport
from recovery.settings import Settings
from recovery.worlds import MockWorld, RealWorld, Surroundings, actions

Observer = Callable[[AnyEvent], None]
OnStart = Callable[[Run], None]


class Watch(NamedTuple):
    """Who follows a run."""

    observer: Observer
    on_start: OnStart | None = None
    """Gets the run once it can be stopped."""


@contextmanager
def new_run(journal: str, wanted: str, began: datetime) -> Iterator[str]:
    """An id that no run has, with its lease: no other process begins one of that id at the same moment."""
    with closing(Log.open(journal)) as log:
        for run in [wanted] if wanted else new_run_ids(began):
            lease = Lease.take(journal, run)
            if lease is None:
                continue
            if run not in log.runs():
                break
            lease.release()
        else:
            raise UsageError(f"there is a run {wanted!r} already")
    with lease:
        yield run


def surroundings(settings: Settings, prepared: Prepared, run: str, began: datetime) -> Surroundings:
    """The world that a run acts on: real machines, or a twin that a later process of this run finds again."""
    request = prepared.request
    if not request.mock:
        return RealWorld(settings, prepared.fleet, run)
    memory = settings.journal == ":memory:"
    ledger = None if memory else Path(f"{settings.journal}.{run}.twin")
    return MockWorld(
        prepared.fleet,
        prepared.incident,
        began,
        ledger,
        settings,
        seed=request.seed,
        speed=request.speed,
        mix=request.mix or mix_beside(request.inventory),
    )


async def carry_out(
    journal: str,
    run_id: str,
    prepared: Prepared,
    world: Surroundings,
    watch: Watch,
    view: views.RunView | None = None,
) -> Ending:
    """Work until the run ends or is stopped; from where it stands, if there is a `view` of it.

    Raises `JournalError` when it could not write down any more what it does.
    """
    clock = world.clock()
    mock = prepared.request.mock
    log = Log.open(journal, inline=mock, sync="normal" if mock else "full")
    transports: Mapping[str, Transport] = {}
    sight = Sight()
    try:
        transports = world.transports()
        sight = world.sight()
        await world.prepare()
        told = not_obeyed(log.read(run=run_id)) if view is not None else ()
        context = _context(prepared, run_id, (transports, sight), Told(log, told), world)
        world.tell(context.emit)
        context.observers.append(watch.observer)
        run = Run(context, prepared.order, actions(), _states(view, log, prepared))
        if watch.on_start is not None:
            watch.on_start(run)
        if view is None:
            record_start(log, context.emit, clock.now(), run_id, prepared)
            await log.durable()
        else:
            take_up(run, view)
            context.emit(RunResumed(at=clock.now(), run=run_id, by=prepared.request.by))
        log.skip_commands(run_id)
        return await _to_the_end(run)
    finally:
        await _hang_up(transports, sight, log)


def not_obeyed(events: Iterable[Stored]) -> tuple[Command, ...]:
    """Commands for the process that takes a run up: those behind the last sign of life of the one before it.

    A `cancel` counts always, since the process before may have obeyed only half of it.
    """
    cancels: list[Command] = []
    left: list[Command] = []
    for stored in events:
        match stored.event:
            case Command(verb="cancel") as command:
                cancels.append(command)
            case Command() as command:
                left.append(command)
            case _:
                left.clear()
    return (*cancels[:1], *left)


class Told:
    """A run's journal that gives out commands of the time before the run was taken up, then those that come."""

    def __init__(self, recorder: Recorder, before: Sequence[Command]) -> None:
        """`before` are given out first."""
        self.record = recorder.record
        self.durable = recorder.durable
        self.pressure = recorder.pressure
        self._recorder = recorder
        self.before = tuple(before)

    def commands(self, run: str) -> Iterable[AnyEvent]:
        """Commands to `run` since the last call."""
        before, self.before = self.before, ()
        return (*before, *self._recorder.commands(run))


def _context(
    prepared: Prepared,
    run: str,
    ways: tuple[Mapping[str, Transport], Sight],
    recorder: Told,
    world: Surroundings,
) -> Context:
    request = prepared.request
    targets = parse(prepared.playbook.targets) if prepared.playbook.targets else None
    fleet = prepared.fleet

    def is_target(host: Host, state: HostState, now: datetime) -> bool:
        return targets is None or targets.matches(Subject(host, fleet, facts_of(state), now))

    virtual = request.mock and request.speed == "max"
    options = Options(
        seed=request.seed,
        named=prepared.named,
        mock=request.mock,
        by=request.by,
        blocker=blocker(request.blocker),
        rest=world.rest,
        poll_commands=0.0 if virtual and not recorder.before else 0.5,
    )
    return Context(
        run=run,
        fleet=fleet,
        playbook=prepared.playbook,
        incident=prepared.incident,
        transports=ways[0],
        sight=ways[1],
        recorder=recorder,
        clock=world.clock(),
        targets=is_target,
        options=options,
    )


def _states(view: views.RunView | None, log: Log, prepared: Prepared) -> Mapping[str, HostState]:
    """Where the hosts stand: as the run left them, or new, with the evidence that earlier runs have gathered."""
    if view is not None:
        return view.states
    if prepared.request.mock or not log.last_seq():
        return {}
    known = views.known_hosts(log.read(), world="real")
    names = {host.name for host in prepared.fleet.hosts}
    return {
        name: HostState(name, verdict=state.verdict, because=state.because, case=state.case)
        for name, state in known.items()
        if name in names
    }


async def _to_the_end(run: Run) -> Ending:
    """Let the run work. Raises `JournalError` when it could not write down any more what it does."""
    try:
        ending = await run.go()
    except BaseExceptionGroup as group:
        lost, others = group.split(JournalError)
        if lost is None or others is not None:
            raise
        raise _first_of(lost) from None
    if ending.code == ExitCode.INTERRUPTED:  # also the sign that the commands before it were obeyed
        context, message = run.context, "interrupted; a checkpoint was written"
        context.emit(Notice(at=context.clock.now(), run=context.run, message=message))
    return ending


def _first_of(group: BaseExceptionGroup[JournalError]) -> JournalError:
    """One of the errors of hosts in flight, which all met the same."""
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


async def _hang_up(transports: Mapping[str, Transport], sight: Sight, log: Log) -> None:
    """Let go of everything, the journal last; a plug-in that breaks over it keeps none of the others from it."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(log.aclose)
        for transport in {id(way): way for way in transports.values()}.values():
            stack.push_async_callback(transport.aclose)
        for console in {id(way): way for way in sight.consoles.values()}.values():
            stack.push_async_callback(console.aclose)
