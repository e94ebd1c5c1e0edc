"""The work on one host: assess, act, prove, wait, again. Restartable at every point from the host's folded state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from recovery.detect.rules import judge
from recovery.engine.context import (
    FINISHED,
    GO,
    PLACE,
    Context,
    Goes,
    Parked,
    Rest,
    Turn,
)
from recovery.engine.deadline import at_once
from recovery.engine.retry import OPENING, again, is_retryable, pause_before
from recovery.errors import RecoveryError, TransportError, UnreachableError
from recovery.model.case import CaseFile, add_all
from recovery.model.events import (
    HostFinished,
    Outcome,
    StepFinished,
    StepIntended,
    StepOutcome,
)
from recovery.model.evidence import (
    AnyEvidence,
    BootIdentity,
    Judgement,
    Progress,
    Reachability,
    Verdict,
)
from recovery.model.host import Host
from recovery.model.playbook import Step
from recovery.model.state import HostState
from recovery.ports import Look, Session, is_prompt
from recovery.redact import scrub
from recovery.remote import catalog, replies

PATIENCE = 900.0
"""Seconds for which a host that was changed may be silent before it counts as unreachable."""

_WINDOW_TIMEOUT = 4.0
"""Seconds to open a session to a host that was silent before."""

_WENT_WELL = ("ok", "already", None)
_Assessed = tuple[CaseFile, tuple[AnyEvidence, ...], datetime, CaseFile, Judgement]
"""A case file, further evidence and the time; the case file with it, and the verdict."""


class Action(Protocol):
    """The code of one kind of step."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Do the step, or a part of it, for the pursuit's host, and say what comes next."""


class Pursuit:
    """One slice of the work on a host: from a state to the next point where it has to wait."""

    def __init__(
        self,
        context: Context,
        host: Host,
        actions: Mapping[str, Action],
        look: Look | None = None,
    ) -> None:
        """Go on from the host's state; `look` is what a look at it has shown a moment ago."""
        self.context = context
        self.host = host
        self._actions = actions
        self._transport = context.transports[host.transport]
        self._prompt = is_prompt(self._transport)
        self._session: Session | None = None
        self._look = look
        self._has_place = False
        self._assessed: _Assessed | None = None
        self.boot: BootIdentity | None = None
        """The boot that the open session is to, as it has said a moment ago."""

    @property
    def state(self) -> HostState:
        """Where the pursuit stands."""
        return self.context.states.get(self.host.name) or HostState(self.host.name)

    async def advance(self) -> Rest:
        """Work until the host has to wait or its pursuit is over."""
        try:
            while True:
                if self.context.phase == "stopping":
                    return Parked(0.0, "the run stops")
                turn = await self._next()
                if not isinstance(turn, Goes):
                    return turn
        finally:
            await self.close()

    def current(self) -> Step | None:
        """The step that is next, on the playbook's way or on its failure path; None when there is none left."""
        playbook = self.context.playbook
        on_failure = self.state.index - len(playbook.steps)
        if on_failure < 0:
            step = (
                playbook.steps[self.state.index] if self.state.index < len(playbook.steps) else None
            )
            if step is None or not self.exhausted(step):
                return step
            on_failure = 0
        elif on_failure == 0 and self.state.last in _WENT_WELL:
            return None
        return playbook.on_failure[on_failure] if on_failure < len(playbook.on_failure) else None

    def exhausted(self, step: Step) -> bool:
        """Whether the step has failed for good."""
        if self.state.last in ("unreachable", "new_crash") and self.state.failures:
            return True
        attempts = getattr(step.arguments, "attempts", None) or step.retry.attempts
        return self.state.failures >= attempts

    def index_of(self, step: Step) -> int:
        """The step's place, counted through the failure path."""
        steps = self.context.playbook.steps
        return (
            steps.index(step)
            if step in steps
            else len(steps) + self.context.playbook.on_failure.index(step)
        )

    def now_judged(self, evidence: tuple[AnyEvidence, ...] = ()) -> Judgement:
        """The verdict with further evidence added."""
        return self._assess(evidence)[1]

    def case_with(self, evidence: tuple[AnyEvidence, ...]) -> CaseFile:
        """The case file with further evidence added."""
        return self._assess(evidence)[0]

    def _assess(self, evidence: tuple[AnyEvidence, ...]) -> tuple[CaseFile, Judgement]:
        """What the evidence adds up to. Steps ask for it more than once before they write it down."""
        now, case = self.context.clock.now(), self.state.case
        known = self._assessed
        if known is None or known[0] is not case or known[1] is not evidence or known[2] != now:
            added = add_all(case, evidence)
            judged = judge(added, self.context.incident, self.host.os, now)
            known = self._assessed = (case, evidence, now, added, judged)
        return known[3], known[4]

    def emit_finished(
        self,
        step: Step,
        outcome: StepOutcome,
        message: str = "",
        *,
        evidence: tuple[AnyEvidence, ...] = (),
        progress: Progress | None = None,
        intent: StepIntended | None = None,
    ) -> None:
        """Write down how an attempt of `step` ended, with the verdict that follows from its evidence."""
        case_file, judged = self._assess(evidence)
        attempt = intent.attempt if intent is not None else self.state.attempts + 1
        self.context.emit(
            StepFinished(
                at=self.context.clock.now(),
                run=self.context.run,
                host=self.host.name,
                index=self.index_of(step),
                step=step.name,
                attempt=attempt,
                outcome=outcome,
                intent=intent.intent if intent else "",
                message=scrub(message),
                evidence=evidence,
                verdict=judged.verdict,
                because=judged.because,
                progress=progress or self.state.progress,
            ),
            case_file,
        )

    async def intend(self, step: Step, boot_id: str = "") -> StepIntended:
        """Write the intent of an act down, and return it when it is on the disk."""
        index, attempt = self.index_of(step), self.state.attempts + 1
        intent = StepIntended(
            at=self.context.clock.now(),
            run=self.context.run,
            host=self.host.name,
            index=index,
            step=step.name,
            attempt=attempt,
            intent=self.context.intent(self.host.name, index, attempt),
            boot_id=boot_id,
        )
        self.context.emit(intent)
        await self.context.recorder.durable()
        return intent

    def observe(self, *evidence: AnyEvidence) -> None:
        """Write evidence down that no step carries."""
        case_file, judged = self._assess(evidence)
        self.context.observed(self.host.name, evidence, case_file, judged)

    def finish(self, outcome: Outcome, message: str = "") -> Turn:
        """The pursuit is over."""
        progress = {
            Outcome.RECOVERED: Progress.DONE,
            Outcome.HANDED_OVER: Progress.WITH_TECHNICIAN,
            Outcome.FAILED: Progress.GAVE_UP,
            Outcome.UNREACHABLE: Progress.GAVE_UP,
        }.get(outcome, self.state.progress)
        self.context.emit(
            HostFinished(
                at=self.context.clock.now(),
                run=self.context.run,
                host=self.host.name,
                outcome=outcome,
                message=scrub(message),
                verdict=self.state.verdict,
                progress=progress,
            )
        )
        return FINISHED

    def admission(self) -> Turn | None:
        """None when the host may be changed now; else what it has to wait for."""
        if self.context.phase == "stopping":
            return Parked(0.0, "the run stops")
        if self.host.protected and self.host.name not in self.context.options.named:
            return self.finish(
                Outcome.FAILED, "protected: it is changed only when it is named by itself (-l NAME)"
            )
        if self.state.wave == 0 and not self.context.place_for(self.host.name):
            return PLACE
        return None

    async def reach(self, step: Step) -> Session | Turn:
        """An open session to the host, or what to do while there is none."""
        if self._session is not None:
            return self._session
        look = await self.look()
        self._look = None
        if not look.answers:
            return self.silent(step, look.reason)
        try:
            return await self.contact()
        except TransportError as error:
            if self.context.phase == "stopping":
                return Parked(0.0, "the run stops")
            return self.failed_contact(step, error)

    async def contact(self) -> Session:
        """An open session. Raises `TransportError`, and writes nothing down of it."""
        self._look = None
        try:
            return self._session or await self._open()
        except TransportError:
            await self.close()
            raise

    async def look(self) -> Look:
        """What a look at the host shows. It counts until somebody tries to `reach` the host."""
        if self._look is None:
            self._look = await self._transport.look(self.host)
        return self._look

    async def ask(
        self, step: Step, action: str, *, token: str = "", settings: Mapping[str, str] | None = None
    ) -> replies.Reply:
        """Carry out one script in the open session. Raises `TransportError`."""
        if self._session is None:
            raise UnreachableError
        command = catalog.command(
            action,
            self.host,
            self.context.incident,
            token=token or self.context.token(),
            timeout=step.timeout,
            settings={
                "CONTROLLER_CLOCK": f"{self.context.clock.now().timestamp():.0f}",
                **(settings or {}),
            },
        )
        work = self._session.run(command)
        if self._prompt:
            return replies.read(at_once(work), command.token)
        what = f"{action} on {self.host.name}"
        completed = await self.context.supervisor.within(step.timeout, work, what)
        return replies.read(completed, command.token)

    def evidence(self, reply: replies.Reply) -> tuple[AnyEvidence, ...]:
        """What a reply says about the host."""
        found = replies.evidence(reply, at=self.context.clock.now(), source=self._transport.name)
        self.boot = next((item for item in found if isinstance(item, BootIdentity)), None)
        return found

    def failed_contact(self, step: Step, error: TransportError) -> Turn:
        """What to do after contact with the host failed with `error` before anything was asked of it."""
        if is_retryable(error) and self.context.clock.now() < self._waits_until():
            return self.silent(step, str(error), stirs=True)
        outcome: StepOutcome = "unreachable" if isinstance(error, UnreachableError) else "failed"
        return self.failed(step, str(error), outcome)

    def failed(self, step: Step, message: str, outcome: StepOutcome = "failed") -> Turn:
        """An attempt of the step failed; the next one waits as the playbook says."""
        self.emit_finished(step, outcome, message, intent=self.state.intent)
        pause = 0.0 if self.exhausted(step) else pause_before(step.retry, self.state.failures)
        return Parked(pause, f"tries {step.name} again") if pause else GO

    def silent(self, step: Step, reason: str, *, stirs: bool = False) -> Turn:
        """The host does not answer: wait for it, or give up. `stirs`: its port does answer."""
        now, case = self.context.clock.now(), self.state.case
        evidence = Reachability(at=now, source="look", answers=False, reason=scrub(reason))
        deadline = self._waits_until()
        if now >= deadline:
            self.emit_finished(
                step, "unreachable", reason, evidence=(evidence,), intent=self.state.intent
            )
            return GO
        if case.silent_since is None:
            self.observe(evidence)
        return self.context.await_answer(case, deadline, stirs=stirs)

    async def close(self) -> None:
        """Let go of the session and its place."""
        session, self._session, self.boot = self._session, None, None
        if session is not None:
            await session.aclose()
        if self._has_place:
            self._has_place = False
            self.context.limits.give_back(self.host)

    async def _open(self) -> Session:
        await self.context.limits.take_place(self.host)
        self._has_place = True
        timeout = self.context.options.open_timeout
        if self.state.case.silent_since is not None:
            # It came back a moment ago and may be gone in the next: do not hang on a dead connection through a window.
            timeout = min(timeout, _WINDOW_TIMEOUT)

        async def attempt() -> Session:
            work = self._transport.open(self.host, timeout)
            if self._prompt:
                return at_once(work)
            return await self.context.supervisor.opening(
                timeout + 1.0, work, f"opening a session to {self.host.name}"
            )

        try:
            self._session = await attempt()
        except UnreachableError as error:
            self._session = await again(error, OPENING, attempt)
        return self._session

    def _waits_until(self) -> datetime:
        """Until when a host that does not answer is waited for.

        One that may be changed gets its own patience and no more: a wave does not wait for hours. Silence counts from
        when this process took the run up, and from the intent that is open: what it was before is no answer missed.
        """
        state = self.state
        if state.wave == 0:
            return self.context.keeps_trying_until
        since = max(state.case.silent_since or self.context.clock.now(), self.context.taken_up)
        if state.intent is not None:
            since = max(since, state.intent.at)
        return since + timedelta(seconds=PATIENCE)

    async def _next(self) -> Turn:
        state = self.state
        if state.outcome is not None:
            return FINISHED
        step = self.current()
        if step is None:
            return self._complete()
        try:
            return await self._actions[step.name].carry_out(self, step)
        except RecoveryError as error:
            await self.close()
            return self.failed(step, str(error))

    def _complete(self) -> Turn:
        state = self.state
        if state.runbook:
            return self.finish(Outcome.HANDED_OVER, state.message)
        if state.index < len(self.context.playbook.steps) or state.last not in _WENT_WELL:
            outcome = Outcome.UNREACHABLE if state.last == "unreachable" else Outcome.FAILED
            return self.finish(outcome, state.message)
        if state.verdict == Verdict.RECOVERED:
            return self.finish(Outcome.RECOVERED)
        if state.verdict == Verdict.HEALTHY and not state.touched:
            return self.finish(Outcome.HEALTHY)
        return self.finish(Outcome.DONE)
