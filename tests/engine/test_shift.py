"""A whole shift on the mock twin, in virtual time: people with errors, a spreadsheet in the middle, keys, relapses."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery.desk.rules import Who
from recovery.desk.takeover import Taken
from recovery.engine.context import Sight
from recovery.errors import RecoveryError
from recovery.journal.reader import Reader
from recovery.model.desk_events import KeyTried, TicketReleased
from recovery.model.events import AnyEvent
from recovery.model.evidence import Verdict
from recovery.model.host import Fleet
from recovery.model.key_source import FromTable
from recovery.model.ticket import Stage
from recovery.planning import Request
from recovery.ports import Clock, Transport
from recovery.report.documents import review_html
from recovery.report.groups import Group
from recovery.service import Service
from recovery.service.carrying import Watch, carry_out
from recovery.service.desk import Desk
from recovery.service.reporting import Asked, report
from recovery.settings import KeysSection, Settings
from recovery.sim.faults import Faults, Mix
from recovery.sim.virtual import LoopClock, run
from recovery.sim.world import World
from recovery.transports.mock import MockTransport
from tests.engine.shift_people import MINUTE, Lead, Technician, held_by_two
from tests.engine.stage import incident
from tests.unit.desk.key_cases import key_ids, key_text, write_keys

EPOCH = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
SITES = ("ATL", "MSP", "LAX", "DTW")
HOSTS = 500
HOUR = 60 * MINUTE
WELL = (Verdict.HEALTHY, Verdict.RECOVERED)
STRANGERS = ("attic-1", "attic-2")

FLEET = """
services:
  check-in: {tier: 1, cost_per_hour: 90000, needs: [directory]}
  directory: {tier: 1, cost_per_hour: 1000}
  office: {tier: 3, cost_per_hour: 500}
defaults: {os: windows, transport: winrm}
hosts:
"""


class OneTwin:
    """The surroundings of every run of the shift: one world for all of them."""

    def __init__(self, world: World, fleet: Fleet, clock: Clock) -> None:
        self._world = world
        self._fleet = fleet
        self._clock = clock

    def clock(self) -> Clock:
        return self._clock

    def transports(self) -> Mapping[str, Transport]:
        return {"winrm": MockTransport(self._world)}

    def sight(self) -> Sight:
        return Sight()

    async def prepare(self) -> None:
        """A twin needs nothing."""

    def tell(self, emit: Callable[[AnyEvent], None]) -> None:
        """It has no events of its own."""

    @property
    def rest(self) -> Callable[[], Awaitable[None]] | None:
        return None

    def run(self, work: object) -> object:
        raise AssertionError


class Shift:
    """Everything that happens, from the rollback to the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = [f"h{number:03d}" for number in range(HOSTS)]
        lines = [
            f"  {name}: {{site: {SITES[number % 4]}, location: Floor {number // 4 % 5} room {number},"
            f" service: {('check-in', 'office', 'directory')[number % 3]}}}"
            for number, name in enumerate(self.names)
        ]
        self.inventory = folder / "fleet.yaml"
        self.inventory.write_text(FLEET + "\n".join(lines) + "\n")
        ids = key_ids(HOSTS)
        self.keys = dict(zip(self.names, ids, strict=True))
        table = write_keys(folder / "keys.csv", {each: key_text(n) for n, each in enumerate(ids)})
        self.settings = Settings(
            journal=str(folder / "journal.db"),
            keys=KeysSection(sources=(FromTable(path=str(table)),)),
        )
        self.service = Service(self.settings)
        self.imports: list[Taken] = []
        self.runs = 0

    def play(self) -> None:
        """The whole of it, in virtual time."""
        run(self._go(), speed="max", epoch=EPOCH)

    def events(self) -> list[AnyEvent]:
        with closing(Reader.open(self.settings.journal)) as log:
            log.verify()
            return [stored.event for stored in log.read()]

    async def _go(self) -> None:
        clock = LoopClock(asyncio.get_running_loop(), EPOCH)
        prepared = self.service.prepare(self._request("rollback"))
        mix = Mix(
            default=Faults(
                exposed=0.2,
                crash_loop=0.15,
                recovery_screen=0.3,
                needs_key=0.1,
                other_crash=0.01,
                dark=0.05,
                crash_anew=0.02,
                key_at_reboot=0.1,
            ),
            latency=0.0,
        )
        self.world = World(prepared.fleet, incident(), mix, 3, clock=clock)
        self.twin = OneTwin(self.world, prepared.fleet, clock)
        await self._run("rollback")
        self.desk = Desk(self.settings, clock)
        self.leads = [Lead(name, Desk(self.settings, clock)) for name in ("lea", "leo")]
        self.techs = [
            Technician(
                f"tech-{n}",
                SITES[n % 4],
                Desk(self.settings, clock),
                self.world,
                self.keys,
                self.names,
            )
            for n in range(20)
        ]
        self._open_for_the_rest()
        self.opened = len(self.desk.tickets())
        await self._work()
        self.leads[0].end_the_shift()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            people = [group.create_task(tech.work()) for tech in self.techs]
            people += [group.create_task(lead.work()) for lead in self.leads]
            people.append(group.create_task(self._prove_for_ever()))
            await asyncio.sleep(2 * HOUR)
            self._import()
            await asyncio.sleep(10 * HOUR)
            await self._relapse()
            await self._until_done()
            for person in people:
                person.cancel()

    async def _until_done(self) -> None:
        """Nothing waits for the technicians any more, or the day is over."""
        for _ in range(30):
            await asyncio.sleep(HOUR)
            if all(t.stage in (Stage.PROVEN, Stage.ESCALATED) for t in self.desk.tickets()):
                return

    def _open_for_the_rest(self) -> None:
        """A lead opens tickets for what no run could reach."""
        states, _ = self.service.hosts()
        open_ = {ticket.host for ticket in self.desk.tickets()}
        rest = [
            name for name in self.names if name not in open_ and states[name].verdict not in WELL
        ]
        self.desk.add(rest, "no run could reach it", by="lea")

    async def _prove_for_ever(self) -> None:
        """Look at the machines that people say are done, and at those that they stand at."""
        while True:
            await asyncio.sleep(20 * MINUTE)
            said = [
                t.host for t in self.desk.tickets() if t.stage in (Stage.SAYS_DONE, Stage.ON_SITE)
            ]
            await self._run("prove", [name for name in said if name in self.keys])

    async def _relapse(self) -> None:
        """The bad file comes back on machines that were proven; a look at all of them finds out."""
        proven = [
            t.host for t in self.desk.tickets() if t.stage is Stage.PROVEN and t.host in self.keys
        ]
        self.relapsed = proven[:12]
        for name in self.relapsed:
            self.world.strike(name)
        await self._run("triage", self.relapsed)

    def _import(self) -> None:
        """People have kept a spreadsheet beside the desk."""
        waiting = [t for t in self.desk.tickets() if t.stage is Stage.WAITING][:30]
        rows = ["Computer,Status,Technician,Room,Asset tag"]
        for number, ticket in enumerate(waiting):
            self.world.mend(ticket.host)
            self.world.enter_key(ticket.host)
            status = ("done,temp", "in progress,temp", ",")[number % 3]
            rows.append(f"{ticket.host.upper()},{status},,{number}")
        rows += [f"{name},,,attic,{name}" for name in STRANGERS]
        bad = [*rows, "h001,whatever,,,", ",done,temp,,"]
        raw = "\r\n".join(bad).encode("utf-16")
        for skip in (False, True, True):
            self.imports.append(self.desk.take_over(raw, "sheet.csv", "leo", skip=skip))

    def _request(self, playbook: str, names: list[str] | None = None) -> Request:
        limits: tuple[str, ...] = ()
        if names is not None:
            chosen = self.folder / f"names-{self.runs}.txt"
            chosen.write_text("\n".join(names) + "\n")
            limits = (f"@{chosen}",)
        return Request(
            playbook=playbook,
            inventory=(str(self.inventory),),
            limits=limits,
            overrides={"strategy.keep_trying": "30m"} if playbook == "rollback" else {},
            mock=True,
        )

    async def _run(self, playbook: str, names: list[str] | None = None) -> None:
        if names == []:
            return
        prepared = self.service.prepare(self._request(playbook, names))
        self.runs += 1
        twin = OneTwin(self.world, prepared.fleet, self.twin.clock())
        run_id, journal = f"r{self.runs:03d}", self.settings.journal
        await carry_out(journal, run_id, prepared, twin, Watch(lambda _event: None))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Shift:
    played = Shift(tmp_path_factory.mktemp("shift"))
    played.play()
    return played


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shift")]


def test_every_host_is_proven_or_has_an_owner_and_a_reason(shift: Shift) -> None:
    states, _ = shift.service.hosts()
    tickets = {ticket.host: ticket for ticket in shift.desk.tickets()}
    for name in (*shift.names, *STRANGERS):
        ticket = tickets.get(name)
        if ticket is None:
            assert states[name].verdict in WELL, name
        elif ticket.is_open:
            assert (ticket.stage, bool(ticket.owner), bool(ticket.reason)) == (
                Stage.ESCALATED,
                True,
                True,
            )
        else:
            assert states[name].verdict in WELL, name


def test_the_figures_add_up_to_the_inventory(shift: Shift) -> None:
    found = shift.desk.board()
    stages = Counter(ticket.stage.value for ticket in shift.desk.tickets())
    assert {
        stage.value: getattr(found, stage.value) for stage in Stage if getattr(found, stage.value)
    } == stages
    states, _ = shift.service.hosts()
    tickets = {ticket.host for ticket in shift.desk.tickets()}
    never_needed_hands = [name for name in shift.names if name not in tickets]
    assert len(never_needed_hands) + found.total == HOSTS + len(STRANGERS)
    assert all(states[name].verdict in WELL for name in never_needed_hands)
    well = sum(states[name].verdict in WELL for name in shift.names)
    assert well == len(never_needed_hands) + found.proven
    assert found.waiting + found.claimed + found.on_site + found.says_done + found.came_back == 0


def test_the_report_adds_up_and_tells_of_everybody(shift: Shift) -> None:
    found = report(shift.settings, Asked())
    page = found.page
    assert page.tally.whole.total == HOSTS + len(STRANGERS)
    assert sum(page.tally.whole.counts.values()) == HOSTS + len(STRANGERS)
    open_ = [ticket for ticket in shift.desk.tickets() if ticket.is_open]
    assert page.tally.whole.counts[Group.PEOPLE] == len(open_)
    assert page.tally.whole.counts[Group.UNKNOWN] == page.tally.whole.counts[Group.CLAIMED] == 0
    # Machines that only people have mended are proven, too: nobody takes them for never hit.
    mended = {ticket.host for ticket in shift.desk.tickets()} - {each.host for each in open_}
    assert page.tally.whole.counts[Group.PROVEN] >= len(mended)
    samples = page.brief.standing.samples
    assert (samples[-1].proven, samples[-1].left) == (
        page.tally.whole.counts[Group.PROVEN],
        len(open_),
    )
    listed = report(shift.settings, Asked(inventory=(str(shift.inventory),))).page.tally.whole
    assert (listed.total, sum(listed.counts.values())) == (HOSTS, HOSTS)
    efforts = {each.tech: each for each in found.effort}
    assert {tech.name for tech in shift.techs} <= set(efforts)
    assert sum(each.proven for each in efforts.values()) > 100
    assert all(0 < each.seconds < 48 * HOUR for each in efforts.values() if each.said_done)
    assert {use[1] for use in found.keys} == {use.key_id for use in shift.desk.keys().to_rotate()}
    assert {mistake.host for mistake in found.story.mistakes} >= set(shift.relapsed)
    html = review_html(found)
    assert all(f">{name}<" in html for name in efforts)
    keys = (shift.folder / "keys.csv").read_text().splitlines()[1:]
    assert not [line for line in keys if line.partition(",")[2] in html]


def test_no_ticket_was_held_by_two(shift: Shift) -> None:
    assert held_by_two(list(shift.events())) == []


def test_people_made_mistakes_and_all_of_them_came_out(shift: Shift) -> None:
    mistakes = Counter(mistake for tech in shift.techs for mistake in tech.mistakes)
    assert min(mistakes[kind] for kind in ("forgot", "too soon", "wrong machine")) >= 3
    released = [e for e in shift.events() if isinstance(e, TicketReleased)]
    assert any(event.reason == "not proven: look again" for event in released)
    assert shift.opened > 150


def test_right_and_wrong_keys_were_tried_and_none_is_in_the_journal(shift: Shift) -> None:
    tried = [event for event in shift.events() if isinstance(event, KeyTried)]
    assert {event.unlocked for event in tried} == {True, False}
    shown = {use.key_id for use in shift.desk.keys().to_rotate()}
    assert shown == {event.key_id for event in tried}
    raw = b"".join(file.read_bytes() for file in shift.folder.glob("journal.db*"))
    keys = (shift.folder / "keys.csv").read_text().splitlines()[1:]
    assert not [line for line in keys if line.partition(",")[2].encode() in raw]


def test_the_spreadsheet_was_taken_over_whole_or_not_at_all(shift: Shift) -> None:
    refused, taken, again = shift.imports
    assert (refused.done, refused.opened, refused.changed) == (False, 2, 30)
    assert [doubt.line for doubt in refused.doubts] == [34, 35]
    assert (taken.done, taken.opened, taken.changed, taken.unchanged) == (True, 2, 30, 0)
    assert (again.opened, again.changed, again.unchanged) == (0, 0, 32)


def test_machines_that_came_back_got_their_tickets_back(shift: Shift) -> None:
    tickets = {ticket.host: ticket for ticket in shift.desk.tickets()}
    assert len(shift.relapsed) == 12
    assert all(tickets[name].returns >= 1 for name in shift.relapsed)


def test_restarts_are_told_one_by_one(shift: Shift) -> None:
    reboots = shift.desk.reboots()
    causes = Counter(restart.cause for each in reboots.values() for restart in each)
    assert causes["planned"] > 50
    assert causes["by_hand"] > 50
    assert causes["crash"] > 0
    by_techs = [r for each in reboots.values() for r in each if r.who.startswith("tech-")]
    assert {restart.proven for restart in by_techs} == {True, False}
    assert all(
        restart.before != restart.after
        for each in reboots.values()
        for restart in each
        if restart.proven
    )


def test_the_desk_is_closed_to_what_is_proven(shift: Shift) -> None:
    proven = next(ticket for ticket in shift.desk.tickets() if not ticket.is_open)
    with pytest.raises(RecoveryError, match="proven well"):
        shift.leads[0]._desk.release(proven.host, Who(tech="lea", lead="lea"))
