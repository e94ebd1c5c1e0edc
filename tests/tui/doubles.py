"""What stands in for the feed and the gateway, where a test says what they bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from recovery.desk.queue import Job
from recovery.errors import RefusedError
from recovery.journal.views import Line, RunView
from recovery.model.state import HostState
from recovery.planning import Prepared, Request
from recovery.ports import Stored
from recovery.tui.deck import Deck
from recovery.tui.desk_acts import DeskSide
from recovery.tui.gateway import DeskAct, PlaybookLine, Sieve, Verb
from recovery.tui.pictures import HostPicture, host_pictures
from recovery.tui.service_gateway import ServiceGateway
from recovery.tui.sieve import passes
from recovery.tui.snapshot import Outlook, Snapshot

if TYPE_CHECKING:
    from tests.tui.scene import Stage


class FakeSource:
    """Brings the snapshots that it is given."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.next = snapshot
        self.ways = 0
        """How often somebody had the processor before it."""

    def poll(self) -> Snapshot | None:
        snapshot, self.next = self.next, None
        return snapshot

    def give_way(self) -> None:
        self.ways += 1


class FakeGateway:
    """Notes what it is asked, and answers what it was told to, or refuses."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.calls: list[tuple[Any, ...]] = []
        self.refusal = ""
        self.hears = "process 4711 on ops-1"
        self.outlook: Outlook | None = None
        self.views: dict[str, RunView] = {}
        self.stored: tuple[Stored, ...] = ()

    def request(self, playbook: str, limits: Sequence[str] = (), *, check: bool = False) -> Request:
        return Request(
            playbook=playbook,
            inventory=(str(self.stage.inventory),),
            limits=tuple(limits),
            mock=self.stage.mock,
            check=check,
            by="ada",
        )

    async def again(self, run: str, limits: Sequence[str]) -> Request:
        deck = Deck(inventory=(str(self.stage.inventory),), mock=self.stage.mock, by="ada")
        return await ServiceGateway(self.stage.service, deck).again(run, limits)

    def playbooks(self) -> tuple[PlaybookLine, ...]:
        return tuple(PlaybookLine(name) for name in ("power_cycle", "rollback", "triage", "undo"))

    async def prepare(self, request: Request) -> Prepared:
        self._note("prepare", request)
        return self.stage.service.prepare(request)

    async def start(self, request: Request) -> str:
        self._note("start", request)
        return "r240719-070000"

    async def take_up(self, run: str) -> str:
        self._note("take_up", run)
        return run

    async def rehearse(self, prepared: Prepared) -> RunView:
        self._note("rehearse", prepared.request)
        return self.views["rehearsal"]

    async def command(self, run: str, verb: Verb, gate: str = "") -> str:
        self._note("command", run, verb, gate)
        return self.hears

    async def explain(self, host: str, *, mock: bool) -> tuple[HostState, Sequence[Line]]:
        self._note("explain", host)
        return self.stage.service.explain(host, "mock" if mock else "real")

    async def pictures(self, host: str, *, mock: bool) -> tuple[HostPicture, ...]:
        self._note("pictures", host)
        return host_pictures(self.stage.service, host, "mock" if mock else "real")

    async def view(self, run: str) -> RunView:
        self._note("view", run)
        return self.stage.service.view(run)

    async def events(self, sieve: Sieve, before: int, count: int) -> tuple[Stored, ...]:
        self._note("events", sieve, before, count)
        wanted = passes(sieve)
        found = [
            item for item in self.stored if (not before or item.seq < before) and wanted(item.event)
        ]
        return tuple(found[-count:])

    async def forecast(self) -> Outlook:
        if self.outlook is None:
            raise RefusedError("the mix cannot be read")
        return self.outlook

    async def job(self, host: str, *, mock: bool) -> Job:
        self._note("job", host, mock)
        return self.stage.service.desk(clock=self.stage.clock).job(host)

    async def desk(self, act: DeskAct) -> str:
        self._note("desk", act)
        return DeskSide(self.stage.service, Deck(by="ada")).carry_out(act)

    def farewell(self) -> str:
        return "come back: recovery tui"

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if self.refusal:
            raise RefusedError(self.refusal)
