"""The verbs of the dashboard over the service of this program."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from recovery.desk.queue import Job
from recovery.errors import RecoveryError, RefusedError, UnknownNameError, UsageError
from recovery.inventory.completion import written
from recovery.inventory.syntax import Value, show_value
from recovery.journal import views
from recovery.journal.lease import holder, is_held_by
from recovery.journal.reader import Reader
from recovery.model.events import RunStarted
from recovery.model.state import HostState
from recovery.planning import Prepared, Request, new_run_ids, recorded_request
from recovery.playbook import library
from recovery.ports import Stored
from recovery.service import Service
from recovery.tui.children import Child, words_for, words_to_resume
from recovery.tui.deck import Deck
from recovery.tui.desk_acts import DeskSide
from recovery.tui.gateway import DeskAct, PlaybookLine, Sieve, Verb
from recovery.tui.outlook import forecast
from recovery.tui.pictures import HostPicture, host_pictures
from recovery.tui.sieve import latest
from recovery.tui.snapshot import Outlook
from recovery.worlds import SystemClock

T = TypeVar("T")

_REHEARSAL = "rehearsal"
_LOOK = 0.1
_PATIENCE = 120.0
"""Seconds in which a run has to begin: it may ask for credentials, and large fleets take a while to plan."""


_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""None that is taken for another one when it is read out."""
_REFUSED = (2, 3)
"""Exit codes of a process that has begun nothing."""


def _mark() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(3))


class ServiceGateway:
    """Looks in this process, and starts what acts in processes of their own."""

    def __init__(self, service: Service, deck: Deck, mark: Callable[[], str] = _mark) -> None:
        """Act as the deck says, on the service's journal. `mark` tells starts in the same second apart."""
        self._service = service
        self._mark = mark
        self._deck = deck
        self._journal = service.settings.journal
        self._children: list[Child] = []
        self._desk = DeskSide(service, deck)

    def request(self, playbook: str, limits: Sequence[str] = (), *, check: bool = False) -> Request:
        """A request for these hosts of the dashboard's fleet."""
        deck = self._deck
        sources = deck.inventory or self._service.settings.inventory
        if not sources:
            raise UsageError(
                "which hosts? open the dashboard with an inventory: recovery tui -i FILE"
            )
        return Request(
            playbook=playbook,
            inventory=sources,
            incident=deck.incident,
            limits=tuple(limits),
            mock=deck.mock,
            speed=deck.speed,
            seed=deck.seed,
            mix=deck.mix,
            check=check,
            concurrency=self._service.settings.concurrency or 0,
            blocker=self._service.settings.blocker,
            by=deck.by,
        )

    async def again(self, run: str, limits: Sequence[str]) -> Request:
        """As a run was asked for, with this dashboard's inventory and pace."""
        asked = await asyncio.to_thread(self._reading, lambda log: _asked(log, run))
        here = self.request(asked.playbook, limits, check=asked.check)
        if asked.mock != here.mock:
            was, are = ("the mock twin", "real") if asked.mock else ("real machines", "simulated")
            raise RefusedError(
                f"run {run} was on {was}, and runs that are begun here are {are}: "
                f"`recovery runs retry {run}` tries it again where it was"
            )
        return msgspec.structs.replace(
            here,
            incident=asked.incident,
            overrides=asked.overrides,
            parameters=asked.parameters,
            concurrency=asked.concurrency or here.concurrency,
            blocker=asked.blocker or here.blocker,
        )

    def playbooks(self) -> tuple[PlaybookLine, ...]:
        """The bundled ones: the incident's own, then the common ones. Others are named by their path."""
        found = []
        for name, path in library.playbook_names().items():
            incident, slash, own = name.rpartition("/")
            if not slash or incident == self._deck.incident:
                found.append(PlaybookLine(own, incident, str(path)))
        return tuple(sorted(found, key=lambda line: (not line.incident, line.name)))

    async def prepare(self, request: Request) -> Prepared:
        """Read, verify, select and plan."""
        return await asyncio.to_thread(self._service.prepare, request)

    async def start(self, request: Request) -> str:
        """Begin the run in a process of its own. Its id is of this start alone, whoever begins at the same second."""
        run = request.run or f"{next(new_run_ids(SystemClock().now()))}-{self._mark()}"
        request = msgspec.structs.replace(request, run=run)
        words = words_for(request, self._journal, self._deck.config)
        return await self._begun(words, run, lambda: run in self._runs())

    async def take_up(self, run: str) -> str:
        """Go on with an open run."""
        speed = self._deck.speed if self._deck.mock else ""
        words = words_to_resume(run, self._journal, self._deck.config, speed)
        before = await asyncio.to_thread(self._resumed, run)
        return await self._begun(words, run, lambda: self._resumed(run) > before)

    async def rehearse(self, prepared: Prepared) -> views.RunView:
        """Carry the plan out on a mock twin, as fast as it goes."""
        with tempfile.TemporaryDirectory(prefix="recovery-rehearsal-") as folder:
            request = msgspec.structs.replace(
                prepared.request,
                limits=_these(prepared, Path(folder)),
                mock=True,
                speed="max",
                run=_REHEARSAL,
            )
            journal = str(Path(folder) / "journal.db")
            child = Child(words_for(request, journal, self._deck.config), Path(folder) / "log")
            try:
                await asyncio.to_thread(child.wait)
            finally:
                child.stop()
            return await asyncio.to_thread(_rehearsed, journal, child)

    async def command(self, run: str, verb: Verb, gate: str = "") -> str:
        """Tell a run something through the journal; which process hears it."""
        return (await asyncio.to_thread(self._service.command, run, verb, gate, self._deck.by))[1]

    async def explain(self, host: str, *, mock: bool) -> tuple[HostState, Sequence[views.Line]]:
        """All that is known of a host of this world."""
        return await asyncio.to_thread(self._service.explain, host, _world(mock=mock))

    async def pictures(self, host: str, *, mock: bool) -> tuple[HostPicture, ...]:
        """The pictures of the host's screen, the newest first."""
        return await asyncio.to_thread(host_pictures, self._service, host, _world(mock=mock))

    async def view(self, run: str) -> views.RunView:
        """A run with its hosts."""
        return await asyncio.to_thread(self._service.view, run)

    async def events(self, sieve: Sieve, before: int, count: int) -> tuple[Stored, ...]:
        """The latest events in front of `before` that pass the sieve."""
        return await asyncio.to_thread(self._reading, lambda log: latest(log, sieve, before, count))

    async def forecast(self) -> Outlook:
        """Play the hosts as they stand, with the deck's technicians."""
        now = SystemClock().now()
        return await forecast(self._journal, self._deck.config, self._deck.technicians, now)

    async def job(self, host: str, *, mock: bool) -> Job:
        """A host's ticket with checklist, kit and minutes."""
        return await asyncio.to_thread(self._desk.job, host, mock=mock)

    async def desk(self, act: DeskAct) -> str:
        """Act at the desk."""
        return await asyncio.to_thread(self._desk.carry_out, act)

    def farewell(self) -> str:
        """Which runs go on, and how to come back."""
        try:
            going = [run for run in self._runs() if holder(self._journal, run)]
        except RecoveryError:
            going = []
        lines = [f"run {run} goes on without this screen" for run in going]
        return "\n".join(
            [*lines, f"come back: {shlex.join(['recovery', *self._deck.words(self._journal)])}"]
        )

    async def _begun(self, words: list[str], run: str, begun: Callable[[], bool]) -> str:
        """Start a process, and wait until it has begun what it is for. Raises `RefusedError` if it has not."""
        child = await asyncio.to_thread(Child, words, Path(f"{self._journal}.{run}.log"))
        self._children = [*(other for other in self._children if other.code is None), child]
        for _ in range(round(_PATIENCE / _LOOK)):
            if await asyncio.to_thread(self._is_doing, child, run, begun):
                return run
            if child.code is not None:
                break
            await asyncio.sleep(_LOOK)
        else:
            raise RefusedError(
                f"run {run} has not begun after {_PATIENCE:.0f} s; process {child.pid} is at it still and may yet "
                f"begin it: look at the Runs screen before you begin it again, and at {child.log}"
            )
        if child.code not in _REFUSED and await asyncio.to_thread(begun):
            return run  # it was over before anybody looked
        raise RefusedError(child.said() or f"the run did not begin, see {child.log}")

    def _is_doing(self, child: Child, run: str, begun: Callable[[], bool]) -> bool:
        """Whether this process, and not one that had the same in mind, has begun."""
        return begun() and is_held_by(self._journal, run, child.pid)

    def _runs(self) -> list[str]:
        if not Path(self._journal).exists():
            return []
        return self._reading(lambda log: log.runs())

    def _resumed(self, run: str) -> int:
        """How often the run was taken up."""
        found = self._reading(lambda log: views.summaries(log.run_events()))
        return next((summary.resumed for summary in found if summary.run == run), 0)

    def _reading(self, work: Callable[[Reader], T]) -> T:
        with closing(Reader.open(self._journal)) as log:
            return work(log)


def _world(*, mock: bool) -> views.World:
    return "mock" if mock else "real"


def _asked(log: Reader, run: str) -> Request:
    for stored in log.run_events():
        if isinstance(stored.event, RunStarted) and stored.event.run == run:
            return recorded_request(log, stored.event)
    raise UnknownNameError("run", run, log.runs())


def _these(prepared: Prepared, folder: Path) -> tuple[str, ...]:
    """A limit to the hosts of the plan: in a journal of its own nothing is known of them that could be asked for."""
    if not prepared.request.limits:
        return ()
    file = folder / "hosts"
    file.write_text("\n".join(prepared.order))
    named = map(written, sorted(prepared.named.intersection(prepared.order)))
    return (" or ".join([show_value(Value(str(file), "file")), *named]),)


def _rehearsed(journal: str, child: Child) -> views.RunView:
    if not Path(journal).exists():
        raise RefusedError(child.said())
    with closing(Reader.open(journal)) as log:
        view = views.fold(_REHEARSAL, log.read(run=_REHEARSAL))
    if view.finished is None:
        raise RefusedError(child.said())
    return view
