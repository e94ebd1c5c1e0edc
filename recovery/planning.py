"""What an operator asks for, and the plan that is made of it before anything begins."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from recovery import plugins
from recovery.blocker import blocker
from recovery.engine.run import Run
from recovery.engine.windows import parse_window
from recovery.errors import InputError, JournalError, RefusedError, UsageError
from recovery.inventory.query import NO_FACTS, HostFacts, parse
from recovery.inventory.ranges import fold as folded
from recovery.journal.lease import holder
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.journal.views import RunView, fold, summaries
from recovery.model.events import AnyEvent, RunStarted
from recovery.model.host import Fleet
from recovery.model.incident import Incident
from recovery.model.playbook import STEPS, NoArguments, Playbook, Step, StepSpec
from recovery.model.state import HostState
from recovery.playbook import library
from recovery.playbook.incidents import parse_incident, verify_incident
from recovery.playbook.parser import override, parse_playbook
from recovery.playbook.report import Report
from recovery.playbook.verifier import verify
from recovery.report.changes import Changes
from recovery.report.status import stop_code

DEFAULT_INCIDENT = "crowdstrike-291"
"""The profile of whoever names none."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator asks for."""

    playbook: str
    inventory: tuple[str, ...]
    incident: str = DEFAULT_INCIDENT
    limits: tuple[str, ...] = ()
    overrides: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    """Values of the profile's parameters."""
    mock: bool = False
    speed: str = "max"
    seed: int = 0
    mix: str = ""
    check: bool = False
    """Only read; say what would be done."""
    concurrency: int = 0
    blocker: tuple[str, ...] = ()
    """Program with its arguments, or one URL, that says whether machines may be changed now."""
    by: str = ""
    run: str = ""
    """Id for the run; empty makes one."""
    plan: str = ""
    """`Prepared.digest` of the plan that was confirmed: nothing else may begin. Empty asks for none."""


class Prepared(msgspec.Struct, frozen=True):
    """A run that was verified and planned, and has not begun."""

    request: Request
    fleet: Fleet
    playbook: Playbook
    incident: Incident
    report: Report
    order: tuple[str, ...]
    waves: tuple[int, ...]
    named: frozenset[str]
    texts: Mapping[str, str]
    warnings: tuple[str, ...]

    @property
    def untouchable(self) -> list[str]:
        """The protected hosts that nobody named one by one: they are not changed."""
        return [h.name for h in self.fleet.hosts if h.protected and h.name not in self.named]

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, over what would be done, to which hosts, and in which world."""
        asked = self.request
        whole = (
            sorted(self.order),
            sorted(self.untouchable),
            self.texts["playbook"],
            self.texts["incident"],
            sorted(asked.parameters.items()),
            asked.check,
            asked.mock,
        )
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def as_confirmed(prepared: Prepared) -> Prepared:
    """The plan, if it is still the one that its request names. Raises `RefusedError`."""
    wanted = prepared.request.plan
    if wanted and wanted.lower() != prepared.digest:
        raise RefusedError(
            f"nothing was begun: this is not the plan that was confirmed. {prepared.playbook.name} would now be for "
            f"{len(prepared.order)} hosts ({folded(prepared.order, 4)}); look at the plan again"
        )
    return prepared


def read_playbook(request: Request, incident: Incident) -> tuple[Playbook, str, Report]:
    """The verified playbook of a request, its text and what the verifier says. Raises `InputError` when refused."""
    text, file = library.read_playbook(request.playbook, incident.name)
    known = specs()
    if request.overrides:
        text, file = override(text, request.overrides, file, known), f"{file} (with --set)"
    playbook = parse_playbook(text, file, known)
    found = verify(playbook, incident=incident, check_query=check_query, specs=known)
    if not found.ok:
        shown = "\n  ".join(problem.shown(file) for problem in found.problems)
        message = f"the playbook is refused by the verifier:\n  {shown}"
        raise InputError(message)
    return as_asked(playbook, request), text, found


def specs() -> Mapping[str, StepSpec]:
    """The steps that playbooks may name: the program's own, and those of plug-ins, whose classes have a `spec`."""
    loaded = plugins.load_all("recovery.steps").plugins
    own = {
        name: spec
        for name, plugin in loaded.items()
        if isinstance(spec := getattr(plugin, "spec", None), StepSpec)
    }
    return {**own, **STEPS}


def as_asked(playbook: Playbook, request: Request) -> Playbook:
    """The playbook with the request's concurrency, and reduced to what a check may do."""
    strategy = playbook.strategy
    if request.concurrency:
        limits = msgspec.structs.replace(strategy.limits, total=request.concurrency)
        strategy = msgspec.structs.replace(strategy, limits=limits)
    playbook = msgspec.structs.replace(playbook, strategy=strategy)
    return read_only(playbook) if request.check else playbook


def changes_of(prepared: Prepared) -> Changes:
    """What collects the changes that a run makes, or would make."""
    text, asked = prepared.texts["playbook"], prepared.request
    steps = parse_playbook(text, asked.playbook, specs()).steps
    acts = [step for step in steps if step.changes]
    return Changes(acts, planned=asked.check, untouchable=prepared.untouchable)


def read_incident(name: str, given: Mapping[str, str]) -> tuple[Incident, str]:
    """A verified profile with the parameters `given`, and its text. Raises `InputError` when it is refused."""
    text, file = library.read_incident(name)
    incident = parse_incident(text, file, given)
    found = verify_incident(incident)
    if not found.ok:
        shown = "\n  ".join(problem.shown(file) for problem in found.problems)
        message = f"the incident profile is refused:\n  {shown}"
        raise InputError(message)
    return incident, text


def check_query(text: str) -> None:
    """Raise `QueryError` when a playbook's `targets` cannot be read."""
    parse(text)


def read_only(playbook: Playbook) -> Playbook:
    """What a check may do: the steps before the first change, or triage where none of them gathers evidence."""
    steps: list[Step] = []
    for step in playbook.steps:
        if step.changes or step.name in ("approve", "freeze"):
            break
        steps.append(step)
    if not any(step.name in ("triage", "prove") for step in steps):
        triage = Step(name="triage", arguments=NoArguments(), timeout=STEPS["triage"].timeout)
        steps.insert(0, triage)
    strategy = msgspec.structs.replace(playbook.strategy, keep_trying=0.0)
    return msgspec.structs.replace(playbook, steps=tuple(steps), on_failure=(), strategy=strategy)


def facts_of(state: HostState) -> HostFacts:
    """What a query can ask of a host's state."""
    if state.updated is None:
        return NO_FACTS
    return HostFacts(
        verdict=state.verdict.value,
        progress=state.progress.value,
        outcome=state.outcome.value if state.outcome else "",
        last_seen=state.case.answered_at,
        stop_code=stop_code(state),
        wave=state.wave,
        attempts=state.attempts,
    )


def new_run_ids(now: datetime) -> Iterator[str]:
    """Short ids that sort by time, for a run that begins `now`."""
    base = now.strftime("r%y%m%d-%H%M%S")
    for number in itertools.count():
        yield base + (f"-{number}" if number else "")


def record_start(
    log: Log, emit: Callable[[AnyEvent], None], now: datetime, run: str, prepared: Prepared
) -> None:
    """Write down that the run begins, with everything that it takes to go on with it from the journal alone."""
    request = prepared.request
    plan = {"order": prepared.order, "waves": prepared.waves, "named": sorted(prepared.named)}
    texts = {
        **prepared.texts,
        "request": json.dumps(msgspec.to_builtins(request), sort_keys=True),
        "fleet": msgspec.json.encode(prepared.fleet).decode(),
        "plan": json.dumps(plan),
    }
    documents = {
        name: log.put_document(text.encode("utf-8", "surrogateescape"))
        for name, text in texts.items()
    }
    emit(
        RunStarted(
            at=now,
            run=run,
            playbook=prepared.playbook.name,
            incident=prepared.incident.name,
            total=len(prepared.order),
            documents=documents,
            mock=request.mock,
            by=request.by,
            check=request.check,
        )
    )


def recorded(log: Reader, view: RunView) -> Prepared:
    """A run as it was planned, from the documents in the journal and nothing else."""
    if view.started is None:
        raise JournalError(f"the journal does not hold the beginning of run {view.run}")
    texts = {
        name: _text(log, digest)
        for name, digest in view.started.documents.items()
        if name != "fleet"
    }
    request = msgspec.convert(json.loads(texts["request"]), Request)
    incident = parse_incident(texts["incident"], f"incident of run {view.run}", request.parameters)
    playbook = parse_playbook(texts["playbook"], f"playbook of run {view.run}", specs())
    plan = json.loads(texts["plan"])
    return Prepared(
        msgspec.structs.replace(request, run=view.run),
        recorded_fleet(log, view.started),
        as_asked(playbook, request),
        incident,
        Report(),
        tuple(plan["order"]),
        tuple(plan["waves"]),
        frozenset(plan["named"]),
        {name: texts[name] for name in ("playbook", "incident")},
        (),
    )


_UNREADABLE = (KeyError, UnicodeDecodeError, RecursionError, msgspec.DecodeError)
"""What a document that somebody has tampered with raises when it is read."""


class RecordedPlan(msgspec.Struct, frozen=True):
    """What a run goes by, as far as those who watch it need it."""

    playbook: Playbook
    waves: tuple[int, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps, the failure path's behind them."""
        return tuple(step.name for step in (*self.playbook.steps, *self.playbook.on_failure))


class _Waves(msgspec.Struct, frozen=True):
    waves: tuple[int, ...]


def recorded_plan(log: Reader, started: RunStarted) -> RecordedPlan:
    """The plan of a run, without its hosts: cheap for fleets of any size. Raises `JournalError`."""
    digests = started.documents
    request = recorded_request(log, started)
    try:
        text = _text(log, digests["playbook"])
        waves = msgspec.json.decode(log.document(digests["plan"]), type=_Waves).waves
    except _UNREADABLE as error:
        raise JournalError(
            f"the journal does not hold the plan of run {started.run}: {error}"
        ) from None
    playbook = parse_playbook(text, f"playbook of run {started.run}", specs())
    return RecordedPlan(as_asked(playbook, request), waves)


def recorded_request(log: Reader, started: RunStarted) -> Request:
    """What the run was asked for. Raises `JournalError`."""
    try:
        return msgspec.json.decode(log.document(started.documents["request"]), type=Request)
    except _UNREADABLE as error:
        raise JournalError(
            f"the journal does not hold the plan of run {started.run}: {error}"
        ) from None


def recorded_fleet(log: Reader, started: RunStarted) -> Fleet:
    """The hosts of a run, as they were then. Raises `JournalError`."""
    try:
        return msgspec.json.decode(log.document(started.documents["fleet"]), type=Fleet)
    except _UNREADABLE as error:
        raise JournalError(
            f"the journal does not hold the fleet of run {started.run}: {error}"
        ) from None


def _text(log: Reader, digest: str) -> str:
    return log.document(digest).decode("utf-8", "surrogateescape")


def check_asked(request: Request, fleet: Fleet) -> None:
    """Raise `UsageError` for a blocker or a freeze window that cannot be used: both are needed in the run alone."""
    blocker(request.blocker)
    for code, site in fleet.sites.items():
        try:
            for window in site.freeze:
                parse_window(window)
        except UsageError as error:
            raise UsageError(f"site {code}: {error}") from None


def check_alone(journal: str, prepared: Prepared) -> None:
    """Raise `RefusedError` when another process is changing some of the same real hosts by this journal."""
    if prepared.request.mock or not prepared.playbook.changes:
        return
    with closing(Reader.open(journal)) as log:
        for summary in summaries(log.run_events()):
            apart = summary.finished or summary.mock or summary.run == prepared.request.run
            who = "" if apart else holder(journal, summary.run)
            other = recorded(log, fold(summary.run, log.run_events())) if who else None
            if other is not None and other.playbook.changes:
                _check_apart(prepared, other, who)


def _check_apart(prepared: Prepared, other: Prepared, who: str) -> None:
    both = [name for name in prepared.order if name in set(other.order)]
    if both:
        run = other.request.run
        raise RefusedError(
            f"run {run} ({other.playbook.name}, {who}) is under way on {len(both)} of these hosts: {folded(both, 4)}; "
            f"let it end, stop it (`recovery runs abort {run}`), or leave these hosts out"
        )


def take_up(run: Run, view: RunView) -> None:
    """Set a run where its journal ends: its beginning, people's words and questions, its waves."""
    context = run.context
    context.began = view.started.at if view.started else context.began
    context.approved |= view.approved
    context.asked |= {asked.gate: asked.at for asked in view.asked}
    closed = view.waves[-1].closed if view.waves else None
    run.restore_waves(view.wave, is_open=view.wave_open, closed_at=closed)


def mix_beside(inventory: Sequence[str]) -> str:
    """The fault mix that stands beside an inventory file (`demo.yaml`, `demo.mix.yaml`), or nothing."""
    beside = (Path(source).with_suffix(".mix.yaml") for source in inventory if source != "-")
    return next((str(path) for path in beside if path.is_file()), "")
