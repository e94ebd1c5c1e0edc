"""What is known already: the verbs that only read the journal. They may be called at any time, beside any run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

from recovery.errors import JournalError, UnknownNameError, UsageError
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.query import HostFacts
from recovery.inventory.selection import select
from recovery.journal import views
from recovery.journal.chain import Verified
from recovery.journal.pictures import kept_pictures
from recovery.journal.reader import Reader
from recovery.model.events import RunStarted
from recovery.model.host import Fleet
from recovery.model.state import HostState
from recovery.planning import facts_of, recorded_plan
from recovery.playbook.library import products
from recovery.report import status as report
from recovery.report.exposure import Exposed, audits, exposed
from recovery.settings import Settings
from recovery.worlds import SystemClock


class Lookups:
    """The reading half of the service."""

    def __init__(self, settings: Settings, stdin: TextIO | None = None) -> None:
        """Act by these settings."""
        self.settings = settings
        self._stdin = stdin

    def view(self, run: str) -> views.RunView:
        """One run."""
        with closing(self.reading()) as log:
            run = log.find_run(run)
            return views.fold(run, log.read(run=run))

    def steps_of(self, view: views.RunView) -> tuple[str, ...]:
        """The names of a run's steps, the failure path's behind them."""
        if view.started is None:
            raise JournalError(f"the journal does not hold the beginning of run {view.run}")
        with closing(self.reading()) as log:
            return recorded_plan(log, view.started).steps

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

    def explain(
        self, host: str, world: views.World = "latest"
    ) -> tuple[HostState, list[views.Line]]:
        """The state of a host and how it came to it. Raises `UnknownNameError` for one that no run has met."""
        with closing(self.reading()) as log:
            events = views.of_world(views.history(log, host), world)
            states = views.known_hosts(events, world=world)
            if host not in states:
                raise UnknownNameError("host in the journal", host, views.known_hosts(log.read()))
        return states[host], views.timeline(events)

    def pictures(self, host: str, world: views.World = "latest") -> list[Path]:
        """The pictures of the host's screen that are kept: of its first crash, and the newest.

        Of the real host, or of the simulated one, as `explain` tells of the one or the other.
        """
        with closing(self.reading()) as log:
            events = [stored.event for stored in views.history(log, host)]
        runs = [event for event in events if isinstance(event, RunStarted)]
        latest = bool(runs) and runs[-1].mock
        mock = latest if world == "latest" else world == "mock"
        kept = kept_pictures(self.settings.journal, mock=mock)
        return [] if kept is None else kept.find(host)

    def head(self) -> Verified:
        """How long the journal is now, and the hash of its last event."""
        with closing(self.reading()) as log:
            return log.head()

    def reading(self) -> Reader:
        """The journal, for reading. Raises `JournalError` when there is none."""
        return Reader.open(self.settings.journal)

    def audited(
        self, inventory: Sequence[str], limits: Sequence[str] = (), run: str = ""
    ) -> tuple[Exposed, ...]:
        """What the hosts of an inventory are exposed to, by their latest audits, or by those of one run.

        Raises `JournalError` when there is no journal, `InputError` and `EmptySelectionError` as a run does.
        """
        fleet = load_with_warnings(tuple(inventory), stdin=self._stdin)[0]
        return self.audited_fleet(select(fleet, tuple(limits), {}, SystemClock().now()), run)

    def audited_fleet(self, fleet: Fleet, run: str = "") -> tuple[Exposed, ...]:
        """The same of hosts that were read already. Raises `JournalError` when there is no journal."""
        with closing(self.reading()) as log:
            run = log.find_run(run) if run else ""
            known = audits(log.read(run=run, kinds=("step.finished",)))
        return exposed(fleet, known, products())

    def _facts(self, world: views.World) -> Mapping[str, HostFacts]:
        if not Path(self.settings.journal).exists():
            return {}
        with closing(self.reading()) as log:
            return {
                name: facts_of(state)
                for name, state in views.known_hosts(log.read(), world=world).items()
            }
