"""What all pursuits of one run share."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from recovery.engine.deadline import Supervisor
from recovery.engine.eyes import Eyes
from recovery.engine.limits import SessionLimits
from recovery.engine.looks import DARK, LOOPING, STIRRING, Cadence
from recovery.model.case import CaseFile
from recovery.model.events import AnyEvent, ApprovalAsked, HostObserved
from recovery.model.evidence import AnyEvidence, Judgement
from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident
from recovery.model.playbook import Playbook
from recovery.model.reading import Reading
from recovery.model.state import HostState, apply
from recovery.ports import Clock, Console, PictureKeeper, PictureReader, Recorder, Transport
from recovery.redact import scrub_all


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set for one run."""

    seed: int = 0
    named: frozenset[str] = frozenset()
    """Hosts that were named one by one: protected hosts are changed only then."""
    mock: bool = False
    by: str = ""
    open_timeout: float = 15.0
    """Seconds to open a session."""
    looks: int = 1000
    """Hosts that are looked at at once."""
    looks_per_second: float = 500.0
    """Budget of looks at hosts that do not answer."""
    poll_commands: float = 0.5
    """Seconds between two looks for other processes' commands; 0 looks only when something happens anyway."""
    blocker: Callable[[], Awaitable[str]] | None = None
    """Asked before the first host is changed and from time to time: a text that says why not now, or nothing."""
    rest: Callable[[], Awaitable[None]] | None = None
    """Waits a moment of real time, where the run's own time jumps and only people or a blocker are waited for."""


def _illiterate(_picture: bytes) -> Reading:
    return Reading(label="unknown", confidence=0.0, meaning="")


class Sight(msgspec.Struct, frozen=True):
    """The out-of-band ways of a run."""

    consoles: Mapping[str, Console] = {}
    """By the kind that hosts name."""
    read: PictureReader = _illiterate
    keeper: PictureKeeper | None = None


class Finished(msgspec.Struct, frozen=True):
    """The pursuit is over; the state says how."""


class Parked(msgspec.Struct, frozen=True):
    """The pursuit goes on after so many seconds."""

    seconds: float
    why: str


class AwaitsAnswer(msgspec.Struct, frozen=True):
    """The pursuit goes on when the host answers a look, or after so many seconds."""

    seconds: float
    cadence: Cadence
    waited: float = 0.0
    """Seconds for which it has waited already."""
    first: float = 0.0
    """Seconds until the first look; 0 leaves it to the cadence."""
    why: str = "waits for an answer"


class WaitsForPlace(msgspec.Struct, frozen=True):
    """The pursuit goes on when the host is admitted to a wave."""


class WaitsForGate(msgspec.Struct, frozen=True):
    """The pursuit goes on when a person has opened the gate."""

    gate: str
    question: str
    until: datetime


class Goes(msgspec.Struct, frozen=True):
    """The pursuit goes on at once, with its next step."""


Rest = Finished | Parked | AwaitsAnswer | WaitsForPlace | WaitsForGate
"""Where a pursuit stops for the present."""

Turn = Rest | Goes
"""What a pursuit does next."""

GO = Goes()
FINISHED = Finished()
PLACE = WaitsForPlace()

_IDENTITIES = frozenset(
    {
        "run",
        "host",
        "step",
        "intent",
        "gate",
        "credential",
        "playbook",
        "incident",
        "documents",
        "by",
    }
)
"""Fields of events that are this program's own, or the operator's."""

Phase = Literal["going", "stopping", "halted"]


class Targets(Protocol):
    """Whether a host is one that the playbook is for, by its fresh state."""

    def __call__(self, host: Host, state: HostState, now: datetime, /) -> bool:
        """Whether `host` matches."""


class Context:
    """The fixed parts of a run, its states, and the one door through which events go."""

    def __init__(  # noqa: PLR0913 - these are the parts of a run
        self,
        *,
        run: str,
        fleet: Fleet,
        playbook: Playbook,
        incident: Incident,
        transports: Mapping[str, Transport],
        recorder: Recorder,
        clock: Clock,
        targets: Targets,
        options: Options,
        sight: Sight | None = None,
    ) -> None:
        """Nothing happens before the run is started."""
        self.run = run
        self.fleet = fleet
        self.playbook = playbook
        self.incident = effective(incident, playbook)
        self.transports = transports
        self.recorder = recorder
        self.clock = clock
        self.targets = targets
        self.options = options
        self.supervisor = Supervisor()
        sight = sight or Sight()
        self.eyes = Eyes(sight.consoles, sight.read, sight.keeper, clock, self.supervisor)
        self.limits = SessionLimits(playbook.strategy.limits, fleet)
        self.observers: list[Callable[[AnyEvent], None]] = []
        self.states: dict[str, HostState] = {}
        self.on_change: Callable[[HostState, HostState], None] = lambda _before, _after: None
        self.approved: set[str] = set()
        self.asked: dict[str, datetime] = {}
        """When each gate was asked about first, also by a process that carried the run out before."""
        self.wake: Callable[[], None] = lambda: None
        self.phase: Phase = "going"
        self.began = self.taken_up = clock.now()
        self.place_for: Callable[[str], bool] = lambda _host: False
        self._tokens = 0

    def emit(self, event: AnyEvent, case_file: CaseFile | None = None) -> None:
        """Write the event to the journal, fold it into its host's state, and tell the observers.

        What a host says may hold a secret that it was sent; no text of an event carries one further. `case_file` is
        as in `recovery.model.state.apply`, of the event as it is given.
        """
        clean = scrub_all(event, _IDENTITIES)
        if clean is not event:
            event, case_file = clean, None
        self.recorder.record(event)
        if event.host:
            before = self.state(event.host)
            after = self.states[event.host] = apply(before, event, case_file)
            self.on_change(before, after)
        for observer in self.observers:
            observer(event)

    def observed(
        self, host: str, evidence: tuple[AnyEvidence, ...], case_file: CaseFile, judged: Judgement
    ) -> None:
        """Write evidence down that no step carries, with the case file that it makes and the verdict on that."""
        self.emit(
            HostObserved(
                at=self.clock.now(),
                run=self.run,
                host=host,
                evidence=evidence,
                verdict=judged.verdict,
                because=judged.because,
            ),
            case_file,
        )

    def state(self, host: str) -> HostState:
        """The state of a host; one without events is at its beginning."""
        return self.states.get(host) or HostState(host)

    def intent(self, host: str, index: int, attempt: int) -> str:
        """The identity of one act: the same for the same attempt, in whatever process it is worked out."""
        text = f"{self.run}\0{host}\0{index}\0{attempt}"
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def ask(self, gate: str, question: str) -> datetime:
        """Ask people to open a gate; when they were asked first."""
        now = self.clock.now()
        self.emit(ApprovalAsked(at=now, run=self.run, gate=gate, question=question))
        return self.asked.setdefault(gate, now)

    def token(self) -> str:
        """A token for a command that changes nothing."""
        self._tokens += 1
        return f"t{self._tokens:x}"

    def await_answer(self, case: CaseFile, deadline: datetime, *, stirs: bool) -> AwaitsAnswer:
        """How a silent host is waited for until `deadline`; `stirs` when its port does answer."""
        now = self.clock.now()
        left = (deadline - now).total_seconds()
        if case.answered_at is not None:
            lately = self.incident.crash.within - (now - case.answered_at).total_seconds()
            if lately > 0:
                # It may be in a loop: its next window must not be missed.
                return AwaitsAnswer(min(left, lately), LOOPING)
        waited = (now - (case.silent_since or now)).total_seconds()
        return AwaitsAnswer(left, STIRRING if stirs else DARK, waited)

    @property
    def keeps_trying_until(self) -> datetime:
        """Until when hosts that do not answer are waited for."""
        return self.began + timedelta(seconds=self.playbook.strategy.keep_trying)


def effective(incident: Incident, playbook: Playbook) -> Incident:
    """The profile with the playbook's own settle time, where a `settle` step names one: both mean the same proof."""
    spans = [
        step.arguments.duration
        for step in playbook.steps
        if step.name == "settle" and step.arguments.duration is not None
    ]
    if not spans:
        return incident
    replace = msgspec.structs.replace
    platforms = {
        os: replace(platform, proof=replace(platform.proof, settle=max(spans)))
        for os, platform in incident.platforms.items()
    }
    return replace(incident, platforms=platforms)
