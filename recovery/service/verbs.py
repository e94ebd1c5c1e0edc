"""Every verb of the product, one method each: the Python API, and the only place that picks adapters."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from recovery.engine.order import ordered
from recovery.engine.outcome import Ending
from recovery.engine.power import Switched
from recovery.engine.waves import slices
from recovery.errors import EmptySelectionError, UnknownNameError, UsageError
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.selection import named_one_by_one, select
from recovery.journal import views
from recovery.journal.lease import holder, take_over
from recovery.journal.log import Log
from recovery.model.console import BootDevice, PowerAct
from recovery.model.events import Command, Outcome
from recovery.model.host import Host
from recovery.planning import (
    Prepared,
    Request,
    as_confirmed,
    check_alone,
    check_asked,
    read_incident,
    read_playbook,
    recorded,
)
from recovery.ports import Clock
from recovery.service.carrying import Observer, OnStart, Watch, carry_out, new_run, surroundings
from recovery.service.lookups import Lookups
from recovery.service.power import boot_once, power
from recovery.worlds import SystemClock, check_consoles, standing_warnings

if TYPE_CHECKING:
    from recovery.service.desk import Desk

MOCK_DELAY = timedelta(minutes=33)
"""A simulated incident is met so long after the bad update was withdrawn, or came out: its machines are down."""


class Service(Lookups):
    """The verbs. Those that begin or steer a run stand here; those that only read are inherited."""

    def prepare(self, request: Request) -> Prepared:
        """Read, verify, select and plan. Raises `UsageError`, `RefusedError`, `EmptySelectionError`.

        A request that names the plan that was confirmed is refused when it has become another one.
        """
        fleet, warnings = load_with_warnings(request.inventory, stdin=self._stdin)
        check_asked(request, fleet)
        incident, incident_text = read_incident(request.incident, request.parameters)
        playbook, playbook_text, found = read_playbook(request, incident)
        facts = self._facts("latest" if request.mock else "real")  # a rehearsal is of what is shown
        chosen = select(fleet, request.limits, facts, SystemClock().now())
        lacking = check_consoles(playbook, chosen, mock=request.mock)
        order = ordered(chosen, playbook.strategy.order, request.seed)
        prepared = Prepared(
            request,
            chosen,
            playbook,
            incident,
            found,
            order,
            slices(playbook.strategy.waves, len(order)),
            named_one_by_one(request.limits, fleet),
            {"playbook": playbook_text, "incident": incident_text},
            (
                *warnings,
                *standing_warnings(self.settings, chosen, found, mock=request.mock),
                *lacking,
            ),
        )
        return as_confirmed(prepared)

    def execute(
        self, prepared: Prepared, observer: Observer, on_start: OnStart | None = None
    ) -> Ending:
        """Carry a prepared run out, until it ends or is stopped. `on_start` gets the run once it can be stopped."""
        request = prepared.request
        met = (prepared.incident.ended or prepared.incident.began) + MOCK_DELAY
        began = met if request.mock else SystemClock().now()
        with new_run(self.settings.journal, request.run, began) as run_id:
            check_alone(self.settings.journal, prepared)
            world = surroundings(self.settings, prepared, run_id, began)
            return world.run(
                carry_out(self.settings.journal, run_id, prepared, world, Watch(observer, on_start))
            )

    def resume(
        self,
        run: str,
        observer: Observer,
        on_start: OnStart | None = None,
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
            return self._resumed(run, Watch(observer, on_start), by, speed)

    def _resumed(
        self,
        run: str,
        watch: Watch,
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
        world = surroundings(self.settings, prepared, run, began)
        return world.run(carry_out(self.settings.journal, run, prepared, world, watch, view))

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
            request=msgspec.structs.replace(prepared.request, run="", plan=""),
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
    ) -> tuple[str, str]:
        """Tell a run something through the journal: the run's whole id, and who heard it; nothing where nobody did."""
        with closing(Log.open(self.settings.journal, create=False)) as log:
            run = log.find_run(run)
            if views.fold(run, log.read(run=run)).finished is not None:
                raise UsageError(f"run {run} has finished: there is nobody to {verb} it")
            carrier = holder(self.settings.journal, run)  # it may obey and be gone in no time
            log.append(Command(at=SystemClock().now(), run=run, verb=verb, gate=gate, by=by))
        return run, carrier

    def desk(self, inventory: Sequence[str] = (), clock: Clock | None = None) -> Desk:
        """The technicians' desk. `inventory` places and weighs its hosts; else what the runs have recorded does."""
        from recovery.service.desk import Desk  # noqa: PLC0415 - most commands do without

        return Desk(self.settings, clock, self._stdin, inventory or self.settings.inventory)

    def power(self, inventory: Sequence[str], name: str, act: PowerAct | None) -> Switched:
        """Switch a host by its console, written down before; without `act` read its state. Raises `UsageError`."""
        return power(self.settings, self.host(inventory, name), act)

    def boot_once(
        self, inventory: Sequence[str], name: str, device: BootDevice, medium: str
    ) -> Switched:
        """Choose what a host starts from the next time and only then, written down before. Raises `UsageError`."""
        return boot_once(self.settings, self.host(inventory, name), device, medium)

    def host(self, inventory: Sequence[str], name: str) -> Host:
        """One host of an inventory, by its name. Raises `UsageError`."""
        fleet = load_with_warnings(tuple(inventory), stdin=self._stdin)[0]
        host = next((host for host in fleet.hosts if host.name == name), None)
        if host is None:
            raise UnknownNameError("host", name, [host.name for host in fleet.hosts])
        return host
