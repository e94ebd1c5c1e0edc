"""The verb `simulate`: when it will be over with so many people, and what each order of work costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from recovery.engine.order import ordered
from recovery.errors import EmptySelectionError, UsageError
from recovery.forecast.crew import DAY, Crew
from recovery.forecast.hands import Job, work_off
from recovery.forecast.loss import Losses
from recovery.forecast.outcome import Course, Forecast, course_of, scenario
from recovery.forecast.sample import (
    NEVER,
    End,
    Ends,
    Sample,
    sampled,
    scaled,
    scaled_sites,
    spread,
)
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.selection import select
from recovery.journal import views
from recovery.journal.reader import Reader
from recovery.model.evidence import Progress, Verdict
from recovery.model.host import Fleet
from recovery.model.incident import Incident
from recovery.model.playbook import Order, Playbook
from recovery.model.state import HostState
from recovery.planning import Request, facts_of, mix_beside, read_incident, read_playbook, recorded
from recovery.service.rehearsing import Rehearsal, rehearse
from recovery.service.verbs import MOCK_DELAY
from recovery.settings import Settings
from recovery.sim.conditioned import conditioned
from recovery.sim.faults import DEFAULT_MIX, Mix, load_mix
from recovery.worlds import SystemClock

Tell = Callable[[str], None]
_TWINS = 4
"""Runs of the engine for each order; courses take turns with them."""
_MOST_RUNS = 1000
_FEWEST_HOSTS, _MOST_HOSTS = 50, 100_000
_FOR_HANDS = frozenset((Verdict.NEEDS_KEY, Verdict.RECOVERY_SCREEN))


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be forecast."""

    inventory: tuple[str, ...] = ()
    """Empty: the hosts of the journal's latest run, as they stand."""
    limits: tuple[str, ...] = ()
    mix: str = ""
    incident: str = "crowdstrike-291"
    parameters: Mapping[str, str] = {}
    playbook: str = "rollback"
    patience: float = 1800.0
    """Seconds for which a host may be silent before a person is sent; the program goes on trying meanwhile."""
    crew: Crew = Crew()
    orders: tuple[Order, ...] = ("cost", "dependency", "inventory")
    alone: bool = True
    """Compare with people alone, without the program."""
    runs: int = 8
    seed: int = 0
    hosts: int = 500
    """At most about so many hosts are in a sample."""


class _Stage(msgspec.Struct, frozen=True):
    """What all courses have in common."""

    fleet: Fleet
    states: Mapping[str, HostState]
    """What is known of the hosts; empty where the mix alone says how they stand."""
    playbook: Playbook
    incident: Incident
    mix: Mix
    began: datetime


def forecast(settings: Settings, wanted: Wanted, tell: Tell = lambda _line: None) -> Forecast:
    """Simulate. `tell` hears how far it is. Raises `UsageError`, `EmptySelectionError`, `InputError`."""
    _check(wanted)
    stage = _stage(settings, wanted)
    courses: dict[tuple[str, bool], list[Course]] = {}
    players: list[_Players] = []
    for order in wanted.orders:
        tell(f"the real engine on a sample of the fleet, order {order}")
        player = _Players(stage, wanted, order)
        players.append(player)
        tell(f"{wanted.runs} courses of each scenario, order {order}")
        for alone in (False, True) if wanted.alone else (False,):
            courses[order, alone] = [
                player.course(number, alone=alone) for number in range(wanted.runs)
            ]
    best = min(courses, key=lambda each: sum(course.lost for course in courses[each]))
    scenarios = [
        scenario(order, found, courses[best], alone=alone)
        for (order, alone), found in courses.items()
    ]
    scenarios.sort(key=lambda each: ((each.order, each.alone) != best, each.lost.p50))
    return Forecast(
        fleet=len(stage.fleet.hosts),
        down=players[0].down,
        begins=stage.began.isoformat(),
        crew=wanted.crew,
        runs=wanted.runs,
        seed=wanted.seed,
        scenarios=tuple(scenarios),
        sampled=_sampled_text(stage, wanted, players[0].sample),
        modelled=_modelled_text(wanted),
    )


class _Players:
    """Everything about one order of work."""

    def __init__(self, stage: _Stage, wanted: Wanted, order: Order) -> None:
        self._stage = stage
        self._wanted = wanted
        fleet = stage.fleet
        place = {name: rank for rank, name in enumerate(ordered(fleet, order, wanted.seed))}
        self._ranks = [place[host.name] for host in fleet.hosts]
        self._sites = [host.site for host in fleet.hosts]
        self._losses = Losses(fleet)
        self._known = [_known(stage.states.get(host.name), stage) for host in fleet.hosts]
        self._open = [place for place, end in enumerate(self._known) if end is None]
        rest = msgspec.structs.replace(
            fleet, hosts=tuple(fleet.hosts[place] for place in self._open)
        )
        verdicts = [str(_verdict(stage.states.get(host.name))) for host in rest.hosts]
        self.sample = sampled(rest, wanted.hosts, verdicts, random.Random(wanted.seed))  # noqa: S311
        self._twins = [self._twin(order, number) for number in range(min(_TWINS, wanted.runs))]
        self.down = 0

    def course(self, number: int, *, alone: bool) -> Course:
        """One course; the same number has the same luck in every order."""
        draw = random.Random(f"{self._wanted.seed} {number}")  # noqa: S311 - luck, not a secret
        ends = self._ends(self._twins[number % len(self._twins)], draw)
        down = [place for place, end in enumerate(ends) if end.how != "was_up"]
        self.down = max(self.down, len(down))
        jobs = [job for place in down if (job := self._job(place, ends[place], alone=alone))]
        midnight = self._stage.began.timestamp() % DAY
        done = work_off(jobs, self._wanted.crew, midnight, draw)
        up_at = [0.0] * len(ends)
        for place in down:
            up_at[place] = done.up.get(place, ends[place].at)
        runs = [place for place in down if ends[place].runs]
        return course_of(
            up_at,
            self._sites,
            lost=self._losses.of(_without(up_at, runs)).lost,
            by_program=len(down) - len(done.up),
            done=done,
        )

    def _job(self, place: int, end: End, *, alone: bool) -> Job | None:
        """The person's part in a host: none where nobody would have to go there in time."""
        ready = 0.0 if alone else end.ready
        until = NEVER if alone and end.how == "program" else end.at
        if ready >= until:
            return None
        host = self._stage.fleet.hosts[place]
        rank = self._ranks[place]
        return Job(place, host.site, host.kind, ready, rank, until, end.asks_for_key)

    def _ends(self, twin: Mapping[str, End], draw: random.Random) -> list[End]:
        ranks = [self._ranks[place] for place in self._open]
        drawn = iter(spread(self.sample, twin, ranks, draw) if self._open else ())
        return [end if end is not None else next(drawn) for end in self._known]

    def _twin(self, order: Order, number: int) -> dict[str, End]:
        """How the sample's hosts end in a run of the real engine."""
        ends = Ends(self._wanted.patience)
        stage, share = self._stage, self.sample.share
        if not self.sample.places:
            return {}
        states = {name: _verdict(state) for name, state in stage.states.items()}
        fleet, mix = conditioned(scaled_sites(self.sample.fleet, share), stage.mix, states)
        playbook = msgspec.structs.replace(
            stage.playbook, strategy=scaled(stage.playbook.strategy, len(self._open), share)
        )
        seed = self._wanted.seed * _TWINS + number
        names = ordered(fleet, order, seed)
        rehearse(
            Rehearsal(fleet, stage.incident, playbook, names, mix, stage.began, seed, share),
            ends.add,
        )
        return ends.found


def _stage(settings: Settings, wanted: Wanted) -> _Stage:
    request = Request(
        playbook=wanted.playbook,
        inventory=wanted.inventory,
        incident=wanted.incident,
        parameters=wanted.parameters,
    )
    fleet: Fleet | None = None
    states: Mapping[str, HostState] = {}
    began: datetime | None = None
    if wanted.inventory:
        fleet = load_with_warnings(wanted.inventory)[0]
    else:
        with closing(Reader.open(settings.journal)) as log:
            run = log.find_run("last")
            view = views.fold(run, log.read(run=run))
            prepared = recorded(log, view)
            states = views.known_hosts(log.read())
        fleet, began = prepared.fleet, view.last
        request = msgspec.structs.replace(
            request,
            incident=prepared.request.incident,
            parameters=prepared.request.parameters,
            inventory=prepared.request.inventory,
            mix=prepared.request.mix,
        )
    facts = {name: facts_of(state) for name, state in states.items()}
    fleet = select(fleet, wanted.limits, facts, SystemClock().now())
    if not fleet.hosts:
        raise EmptySelectionError("there are no hosts to forecast for")
    incident = read_incident(request.incident, request.parameters)[0]
    playbook = read_playbook(request, incident)[0]
    named = wanted.mix or request.mix or mix_beside(request.inventory)
    mix = load_mix(Path(named)) if named else DEFAULT_MIX
    met = (incident.ended or incident.began) + MOCK_DELAY
    return _Stage(fleet, states, playbook, incident, mix, began or met)


def _verdict(state: HostState | None) -> Verdict:
    return state.verdict if state is not None else Verdict.UNKNOWN


def _known(state: HostState | None, stage: _Stage) -> End | None:
    """How a host ends of which the journal says so already; None where the twin has to tell."""
    if state is None:
        return None
    if state.verdict in (Verdict.RECOVERED, Verdict.HEALTHY):
        return End("was_up", 0.0)
    if state.progress in (Progress.WITH_TECHNICIAN, Progress.GAVE_UP) or (
        state.verdict in _FOR_HANDS
    ):
        return End("hands", ready=0.0, asks_for_key=state.verdict == Verdict.NEEDS_KEY)
    if state.verdict == Verdict.DEGRADED:
        fixed = state.case.fix is not None
        return End("program", _settle(stage)) if fixed else End("hands", ready=0.0, runs=True)
    return None


def _without(up_at: list[float], runs: Sequence[int]) -> list[float]:
    """The times from which hosts do their work: those of `runs` always did."""
    found = list(up_at)
    for place in runs:
        found[place] = 0.0
    return found


def _settle(stage: _Stage) -> float:
    """Seconds until a host that was fixed is proven, at the longest of the profile's platforms."""
    return max(platform.proof.settle for platform in stage.incident.platforms.values())


def _check(wanted: Wanted) -> None:
    if not 1 <= wanted.runs <= _MOST_RUNS:
        raise UsageError(f"--runs {wanted.runs}: from 1 to {_MOST_RUNS}")
    if not _FEWEST_HOSTS <= wanted.hosts <= _MOST_HOSTS:
        raise UsageError(f"--sample {wanted.hosts}: from {_FEWEST_HOSTS} to {_MOST_HOSTS} hosts")


def _sampled_text(stage: _Stage, wanted: Wanted, sample: Sample) -> tuple[str, ...]:
    played, hosts = len(sample.places), len(sample.strata)
    if not played:
        return ("nothing: the journal says of every host how it ends",)
    what = f"{stage.playbook.name}, mix {stage.mix.mix or 'given'}"
    runs = f"{min(_TWINS, wanted.runs)} runs of the real engine ({what}) for each order"
    return (
        f"{played:,} of {hosts:,} hosts, a share of each site, service and kind, in {runs}, with limits in proportion",
        "by that: which hosts the program brings back and when, and which are silent for how long",
        "every host ends as one of its site, service and kind did that came about as early in turn",
    )


def _modelled_text(wanted: Wanted) -> tuple[str, ...]:
    crew = wanted.crew
    spans: dict[tuple[float, float], list[str]] = {}
    for kind, span in crew.minutes.items():
        spans.setdefault(span, []).append(kind)
    minutes = "; ".join(
        f"{' or '.join(kinds)} {low:g} to {high:g} min" for (low, high), kinds in spans.items()
    )
    people = f"{crew.technicians} on duty in each of {crew.shifts} shifts of {crew.hours:g} h"
    return (
        f"people: {people}; {minutes}, evenly spread; {crew.key_minutes:g} min more where a key is asked for",
        f"{crew.comes_back:.0%} of the visits have to be repeated; it is {crew.travel:g} h to another site",
        f"somebody is sent to a host that has been silent for {wanted.patience / 60:g} min; the program goes on trying",
        "a service is up as far as its own hosts are, and no further than those that it needs; it loses in proportion",
        "the guard never halts the run, nobody has to approve anything, no site is frozen",
    )
