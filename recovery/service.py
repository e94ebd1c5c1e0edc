"""Every verb of the product, one method each: the Python API, and the only place that picks adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from recovery.blocker import blocker
from recovery.engine.context import Context, Options
from recovery.engine.order import ordered
from recovery.engine.outcome import Ending, ExitCode
from recovery.engine.run import Run
from recovery.engine.waves import slices
from recovery.errors import EmptySelectionError, JournalError, UnknownNameError, UsageError
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.query import HostFacts, Subject, parse
from recovery.inventory.selection import named_one_by_one, select
from recovery.journal import views
from recovery.journal.chain import Verified
from recovery.journal.lease import Lease, take_over
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent, Command, Notice, Outcome, RunResumed
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState
from recovery.planning import (
    Prepared,
    Request,
    Told,
    check_alone,
    check_asked,
    facts_of,
    mix_beside,
    new_run_ids,
    not_obeyed,
    read_incident,
    read_playbook,
    record_start,
    recorded,
    take_up,
)
from recovery.ports import Transport
from recovery.report import status as report
from recovery.settings import Settings
from recovery.worlds import (
    MockWorld,
    RealWorld,
    Surroundings,
    SystemClock,
    actions,
    plugin_warnings,
)

Observer = Callable[[AnyEvent], None]

MOCK_DELAY = timedelta(minutes=33)
"""A simulated incident is met so long after the bad update was withdrawn, or came out: its machines are down."""


class Service:
    """The verbs. Reading ones may be called at any time, beside a run of this or another process."""

    def __init__(self, settings: Settings, stdin: TextIO | None = None) -> None:
        """Act by these settings."""
        self.settings = settings
        self._stdin = stdin
        self.running: Run | None = None

    def prepare(self, request: Request) -> Prepared:
        """Read, verify, select and plan. Raises `UsageError`, `RefusedError`, `EmptySelectionError`."""
        fleet, warnings = load_with_warnings(request.inventory, stdin=self._stdin)
        check_asked(request, fleet)
        incident, incident_text = read_incident(request.incident, request.parameters)
        playbook, playbook_text, found = read_playbook(request, incident)
        chosen = select(fleet, request.limits, self._facts(), SystemClock().now())
        order = ordered(chosen, playbook.strategy.order, request.seed)
        return Prepared(
            request,
            chosen,
            playbook,
            incident,
            found,
            order,
            slices(playbook.strategy.waves, len(order)),
            named_one_by_one(request.limits, fleet),
            {"playbook": playbook_text, "incident": incident_text},
            (*warnings, *(problem.shown() for problem in found.warnings), *plugin_warnings()),
        )

    def execute(
        self, prepared: Prepared, observer: Observer, on_start: Callable[[Run], None] | None = None
    ) -> Ending:
        """Carry a prepared run out, until it ends or is stopped. `on_start` gets the run once it can be stopped."""
        request = prepared.request
        met = (prepared.incident.ended or prepared.incident.began) + MOCK_DELAY
        began = met if request.mock else SystemClock().now()
        with self._new_run(request.run, began) as run_id:
            check_alone(self.settings.journal, prepared)
            world = self._surroundings(prepared, run_id, began)
            return world.run(self._started(run_id, prepared, world, observer, on_start))

    def resume(
        self,
        run: str,
        observer: Observer,
        on_start: Callable[[Run], None] | None = None,
        *,
        by: str = "",
        speed: str = "",
    ) -> Ending:
        """Go on with a run where its journal ends, a twin at another `speed` if wanted.

        Raises `UsageError` for a run that has finished, `RefusedError` for one that another process carries out.
        """
        with closing(self.reading()) as log:
            run = log.find_run(run)
        with take_over(self.settings.journal, run):
            return self._resumed(run, observer, on_start, by, speed)

    def _resumed(
        self,
        run: str,
        observer: Observer,
        on_start: Callable[[Run], None] | None,
        by: str,
        speed: str,
    ) -> Ending:
        with closing(self.reading()) as log:
            view = views.fold(run, log.read(run=run))
            if view.finished is not None:
                raise UsageError(
                    f"run {run} has finished: {view.finished.exit_reason}; "
                    f"`recovery runs retry {run}` begins a new one with the hosts that are left"
                )
            prepared = recorded(log, view)
        check_alone(self.settings.journal, prepared)
        request = msgspec.structs.replace(
            prepared.request, by=by, speed=speed or prepared.request.speed
        )
        prepared = msgspec.structs.replace(prepared, request=request)
        began = view.last if prepared.request.mock and view.last else SystemClock().now()
        world = self._surroundings(prepared, run, began)
        return world.run(self._started(run, prepared, world, observer, on_start, view))

    def retry(
        self, run: str, outcomes: Sequence[str] = ("failed", "unreachable", "cancelled")
    ) -> Prepared:
        """A new run with the hosts of a run that ended so. Raises `EmptySelectionError` when there are none."""
        known = [*(outcome.value for outcome in Outcome), "open"]
        for name in set(outcomes) - set(known):
            raise UnknownNameError("outcome", name, known)
        with closing(self.reading()) as log:
            run = log.find_run(run)
            view = views.fold(run, log.read(run=run))
            prepared = recorded(log, view)
        wanted = {
            name
            for name, state in view.states.items()
            if (state.outcome.value if state.outcome else "open") in outcomes
        }
        fleet = prepared.fleet.where(lambda host: host.name in wanted)
        if not fleet.hosts:
            raise EmptySelectionError(f"no host of run {run} ended as {', '.join(outcomes)}")
        order = ordered(fleet, prepared.playbook.strategy.order, prepared.request.seed)
        return msgspec.structs.replace(
            prepared,
            request=msgspec.structs.replace(prepared.request, run=""),
            fleet=fleet,
            order=order,
            waves=slices(prepared.playbook.strategy.waves, len(order)),
        )

    def command(
        self,
        run: str,
        verb: Literal["pause", "resume", "abort", "cancel", "approve"],
        gate: str = "",
        by: str = "",
    ) -> str:
        """Tell a run something through the journal; returns the run's whole id."""
        with closing(Log.open(self.settings.journal, create=False)) as log:
            run = log.find_run(run)
            if views.fold(run, log.read(run=run)).finished is not None:
                raise UsageError(f"run {run} has finished: there is nobody to {verb} it")
            log.append(Command(at=SystemClock().now(), run=run, verb=verb, gate=gate, by=by))
        return run

    def view(self, run: str) -> views.RunView:
        """One run."""
        with closing(self.reading()) as log:
            run = log.find_run(run)
            return views.fold(run, log.read(run=run))

    def steps_of(self, view: views.RunView) -> tuple[str, ...]:
        """The names of a run's steps, the failure path's behind them."""
        with closing(self.reading()) as log:
            playbook = recorded(log, view).playbook
        return tuple(step.name for step in (*playbook.steps, *playbook.on_failure))

    def runs(self) -> list[views.RunSummary]:
        """All runs."""
        with closing(self.reading()) as log:
            return views.summaries(log.run_events())

    def hosts(
        self, inventory: Sequence[str] = (), limits: Sequence[str] = ()
    ) -> tuple[Mapping[str, HostState], Fleet | None]:
        """What is known of the hosts, of an inventory's hosts if one is given."""
        if limits and not inventory:
            raise UsageError("a limit needs the inventory that it selects from: -i FILE")
        states: Mapping[str, HostState] = {}
        if not inventory or Path(self.settings.journal).exists():
            with closing(self.reading()) as log:
                states = views.known_hosts(log.read())
        if not inventory:
            return states, None
        fleet = load_with_warnings(tuple(inventory), stdin=self._stdin)[0]
        facts = {name: facts_of(state) for name, state in states.items()}
        return states, select(fleet, tuple(limits), facts, SystemClock().now())

    def status(self, inventory: Sequence[str] = ()) -> dict[str, Any]:
        """Counts over the fleet."""
        return report.status(*self.hosts(inventory))

    def explain(self, host: str) -> tuple[HostState, list[views.Line]]:
        """The state of a host and how it came to it. Raises `UnknownNameError` for one that no run has met."""
        with closing(self.reading()) as log:
            events = list(views.history(log, host))
            states = views.known_hosts(events)
            if host not in states:
                raise UnknownNameError("host in the journal", host, views.known_hosts(log.read()))
        return states[host], views.timeline(events)

    def head(self) -> Verified:
        """How long the journal is now, and the hash of its last event."""
        with closing(self.reading()) as log:
            return log.head()

    def reading(self) -> Reader:
        """The journal, for reading. Raises `JournalError` when there is none."""
        return Reader.open(self.settings.journal)

    def _facts(self) -> Mapping[str, HostFacts]:
        if not Path(self.settings.journal).exists():
            return {}
        with closing(self.reading()) as log:
            return {
                name: facts_of(state)
                for name, state in views.known_hosts(log.read(), world="real").items()
            }

    @contextmanager
    def _new_run(self, wanted: str, began: datetime) -> Iterator[str]:
        """An id that no run has, with its lease: no other process begins one of that id at the same moment."""
        journal = self.settings.journal
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

    def _surroundings(self, prepared: Prepared, run: str, began: datetime) -> Surroundings:
        request = prepared.request
        if not request.mock:
            return RealWorld(self.settings, prepared.fleet, run)
        memory = self.settings.journal == ":memory:"
        ledger = None if memory else Path(f"{self.settings.journal}.{run}.twin")
        return MockWorld(
            prepared.fleet,
            prepared.incident,
            began,
            ledger,
            seed=request.seed,
            speed=request.speed,
            mix=request.mix or mix_beside(request.inventory),
        )

    async def _started(
        self,
        run_id: str,
        prepared: Prepared,
        world: Surroundings,
        observer: Observer,
        on_start: Callable[[Run], None] | None,
        view: views.RunView | None = None,
    ) -> Ending:
        clock = world.clock()
        mock = prepared.request.mock
        log = Log.open(self.settings.journal, inline=mock, sync="normal" if mock else "full")
        transports: Mapping[str, Transport] = {}
        try:
            transports = world.transports()
            await world.prepare()
            told = not_obeyed(log.read(run=run_id)) if view is not None else ()
            context = self._context(prepared, run_id, transports, Told(log, told), world)
            world.tell(context.emit)
            context.observers.append(observer)
            run = Run(context, prepared.order, actions(), self._states(view, log, prepared))
            self.running = run
            if on_start is not None:
                on_start(run)
            if view is None:
                record_start(log, context.emit, clock.now(), run_id, prepared)
                await log.durable()
            else:
                take_up(run, view)
                context.emit(RunResumed(at=clock.now(), run=run_id, by=prepared.request.by))
            log.skip_commands(run_id)
            return await _to_the_end(run)
        finally:
            self.running = None
            for transport in {id(way): way for way in transports.values()}.values():
                await transport.aclose()
            await log.aclose()

    def _context(
        self,
        prepared: Prepared,
        run: str,
        transports: Mapping[str, Transport],
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
            transports=transports,
            recorder=recorder,
            clock=world.clock(),
            targets=is_target,
            options=options,
        )

    def _states(
        self, view: views.RunView | None, log: Log, prepared: Prepared
    ) -> Mapping[str, HostState]:
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
