"""The steps that change a machine. Each act is written down before it is done, and never blindly repeated.

An intent without an outcome, from a lost answer or from a controller that was killed, is examined by evidence first:
the endpoint keeps the intent's id with what was done for it.
"""

from __future__ import annotations

from datetime import timedelta

from recovery.engine.context import GO, Parked, Turn
from recovery.engine.pursuit import Pursuit
from recovery.engine.retry import is_retryable
from recovery.engine.steps import allowed, read_evidence
from recovery.errors import TransportError
from recovery.model.events import Outcome, StepIntended, StepOutcome
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactListing,
    BootIdentity,
    FixApplied,
    Progress,
    UndoApplied,
    Verdict,
)
from recovery.model.incident import Reach, Remedy
from recovery.model.playbook import Step
from recovery.model.remedy import REMEDIES, RemedyKind
from recovery.remote import replies
from recovery.remote.records import Acted, Printed
from recovery.remote.replies import Reply

_SLACK = 2.0
"""Seconds within which the beginning of a boot and an intent are not told apart."""


def lost(pursuit: Pursuit, step: Step, error: TransportError) -> Turn:
    """The answer to an act did not come: its intent stays open until evidence tells."""
    if is_retryable(error):
        return pursuit.silent(step, str(error))
    return pursuit.failed(step, str(error))


def remedy_for(pursuit: Pursuit, *reaches: Reach) -> Remedy:
    """What the profile says is to be done on the host where one of `reaches` can be reached."""
    platform = pursuit.context.incident.platforms.get(pursuit.host.os)
    if platform is None:
        return Remedy()
    return platform.remedy(*reaches) or Remedy(kind="hand_over_only")


def fixing(pursuit: Pursuit) -> RemedyKind:
    """The remedy for the host as it answers: in Safe Mode, or in full."""
    facts = pursuit.state.case.facts
    reaches: tuple[Reach, ...] = ("full_system",)
    if facts is not None and facts.safe_mode:
        reaches = ("safe_mode", "full_system")
    return remedy_for(pursuit, *reaches).kind


def left_to_people(pursuit: Pursuit, step: Step) -> Turn:
    """The profile has no remedy that could be carried out from here."""
    message = f"{pursuit.context.incident.name} has no remedy that can be carried out from here"
    pursuit.emit_finished(step, "refused", message)
    return GO


class Quarantine:
    """The profile's remedy: the bad thing is taken away, checked and done on the endpoint in one go."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Examine an open intent, or act."""
        remedy = fixing(pursuit)
        if remedy == "hand_over_only":
            return left_to_people(pursuit, step)
        if pursuit.state.intent is not None:
            return await self._examine(pursuit, step, pursuit.state.intent)
        session = await pursuit.reach(step)
        if isinstance(session, Turn):
            return session
        wait = allowed(pursuit)
        if wait is not None:
            return wait
        boot = pursuit.state.case.boot
        intent = await pursuit.intend(step, boot.boot_id if boot else "")
        try:
            reply = await pursuit.ask(
                step, remedy, token=intent.intent, settings={"EXPECT": expected(pursuit)}
            )
        except TransportError as error:
            await pursuit.close()
            return lost(pursuit, step, error)
        return conclude(pursuit, step, intent, reply, remedy)

    async def _examine(self, pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
        evidence = await read_evidence(pursuit, step, "triage")
        if isinstance(evidence, Turn):
            return evidence
        listing = next((item for item in evidence if isinstance(item, ArtifactListing)), None)
        if listing is not None and intent.intent in listing.intents and not listing.bad:
            fix = FixApplied(
                at=intent.at,
                source=listing.source,
                intent=intent.intent,
                files=listing.quarantined,
                boot_id=_boot_of(intent, evidence),
                remedy=fixing(pursuit),
            )
            pursuit.emit_finished(
                step,
                "already",
                "carried out, as its manifest shows",
                evidence=(*evidence, fix),
                progress=Progress.FIXED,
                intent=intent,
            )
            return GO
        pursuit.emit_finished(
            step, "interrupted", "it was not carried out", evidence=evidence, intent=intent
        )
        return GO


def expected(pursuit: Pursuit) -> str:
    """The bad files that triage saw, as `hex of path:sha256` words; the endpoint refuses those that changed since."""
    listing = pursuit.state.case.listing
    files = listing.files if listing is not None else ()
    return " ".join(
        f"{file.raw or file.path.encode().hex()}:{file.sha256}"
        for file in files
        if file.state == "bad" and file.sha256
    )


def conclude(
    pursuit: Pursuit, step: Step, intent: StepIntended, reply: Reply, remedy: RemedyKind
) -> Turn:
    """What the endpoint's answer to a remedy means."""
    evidence = pursuit.evidence(reply)
    acted = reply.acted(remedy)
    idle = acted is not None and not acted.files and not reply.trouble
    if idle and _is_healthy(pursuit, intent, evidence):
        # Nothing is left to fix: the host fetched the reverted file, or somebody was here before.
        what = "moved" if remedy == "quarantine" else "changed"
        message = f"NOTHING MATCHED: nothing was {what}; the evidence says healthy by now"
        pursuit.emit_finished(step, "nothing_matched", message, evidence=evidence, intent=intent)
        return pursuit.finish(Outcome.HEALTHY, message)
    wrong = _what_went_wrong(reply, acted, evidence, remedy)
    if acted is None or wrong is not None:
        outcome, message = wrong or ("failed", "")
        return close_failed(pursuit, step, intent, outcome, message, evidence)
    fix = FixApplied(
        at=pursuit.context.clock.now(),
        source="endpoint",
        intent=intent.intent,
        files=acted.files,
        already=acted.already,
        boot_id=boot_id_of(evidence) or intent.boot_id,
        remedy=remedy,
    )
    pursuit.emit_finished(
        step,
        "ok" if acted.files else "already",
        _what_was_done(reply, acted, remedy),
        evidence=(*evidence, fix),
        progress=Progress.FIXED,
        intent=intent,
    )
    return GO


def _is_healthy(pursuit: Pursuit, intent: StepIntended, evidence: tuple[AnyEvidence, ...]) -> bool:
    """Whether the evidence says healthy, and not by the doing of one of this step's attempts."""
    name, attempts = pursuit.host.name, range(1, intent.attempt + 1)
    own = {pursuit.context.intent(name, intent.index, attempt) for attempt in attempts}
    return pursuit.now_judged(evidence).verdict == Verdict.HEALTHY and not any(
        isinstance(item, ArtifactListing) and own.intersection(item.intents) for item in evidence
    )


def _what_was_done(reply: Reply, acted: Acted, remedy: RemedyKind) -> str:
    message = f"the bad artifact is {REMEDIES[remedy].done}"
    if remedy == "quarantine":
        message = f"{acted.files} moved to quarantine, {acted.already} were there"
    elif not acted.files:
        message += " already"
    aloud = replies.notes(reply)
    refused = f"; refused: {_reasons(reply)}" if reply.refused else ""
    return message + (f"; {aloud}" if aloud else "") + refused


def _what_went_wrong(
    reply: Reply, acted: Acted | None, evidence: tuple[AnyEvidence, ...], remedy: RemedyKind
) -> tuple[StepOutcome, str] | None:
    """Why a remedy did not do what it should have; None when it did."""
    files = remedy == "quarantine"
    if acted is None or reply.trouble:
        reasons = [trouble.reason for trouble in reply.trouble]
        reason = ", ".join(reasons) or "the answer does not say what was done"
        return "failed", f"{remedy} failed: {reason}"
    if reply.refused and not acted.files:
        return "refused", f"the endpoint refused: {replies.why_not(reply)}"
    listing = next((item for item in evidence if isinstance(item, ArtifactListing)), None)
    if listing is not None and listing.bad:
        refused = replies.why_not(reply) or "nothing"
        message = f"{acted.files} moved to quarantine, but the folder is still bad"
        if not files:
            message = f"{remedy} was carried out, but the host is still bad"
        return "refused", f"{message}; refused: {refused}"
    if acted.nothing:
        found = "file was found, nothing was moved" if files else "thing was found, nothing changed"
        return "nothing_matched", f"NOTHING MATCHED: no bad {found}"
    return None


def _reasons(reply: Reply) -> str:
    return ", ".join(sorted({record.reason for record in reply.refused}))


def close_failed(
    pursuit: Pursuit,
    step: Step,
    intent: StepIntended,
    outcome: StepOutcome,
    message: str,
    evidence: tuple[AnyEvidence, ...],
) -> Turn:
    """An act was answered, and did not succeed: close its intent, and try again if attempts are left."""
    pursuit.emit_finished(step, outcome, message, evidence=evidence, intent=intent)
    if pursuit.exhausted(step):
        return GO
    return Parked(step.retry.first, f"tries {step.name} again")


class Undo:
    """Take back what the remedy has done, exactly."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Idempotent on the endpoint: what is back already is said to be."""
        session = await pursuit.reach(step)
        if isinstance(session, Turn):
            return session
        wait = allowed(pursuit)
        if wait is not None:
            return wait
        intent = pursuit.state.intent or await pursuit.intend(step)
        try:
            reply = await pursuit.ask(step, "undo", token=intent.intent)
        except TransportError as error:
            await pursuit.close()
            return lost(pursuit, step, error)
        return self._conclude(pursuit, step, intent, reply)

    def _conclude(self, pursuit: Pursuit, step: Step, intent: StepIntended, reply: Reply) -> Turn:
        evidence = pursuit.evidence(reply)
        acted = reply.acted("undo")
        if acted is None or reply.refused or reply.trouble:
            reason = replies.why_not(reply) or "the answer does not say what was done"
            return close_failed(pursuit, step, intent, "refused", reason, evidence)
        if acted.nothing:
            files = remedy_for(pursuit, "full_system", "boot_window").kind == "quarantine"
            message = f"NOTHING TO UNDO: no {'quarantined file' if files else 'act'} on the host"
            pursuit.emit_finished(step, "already", message, evidence=evidence, intent=intent)
            return pursuit.finish(Outcome.HEALTHY, message)
        now = pursuit.context.clock.now()
        undone = UndoApplied(at=now, source="endpoint", intent=intent.intent, files=acted.files)
        pursuit.emit_finished(
            step,
            "ok",
            f"{acted.files} put back, {acted.already} were back already",
            evidence=(*evidence, undone),
            progress=Progress.UNTOUCHED,
            intent=intent,
        )
        return GO


class RunCommand:
    """An operator's own command."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Its exit status decides. A lost answer is a failure: nobody can tell whether it ran."""
        if pursuit.state.intent is not None:
            return pursuit.failed(
                step, "the answer was lost, so it is not known whether the command ran"
            )
        session = await pursuit.reach(step)
        if isinstance(session, Turn):
            return session
        wait = allowed(pursuit) if step.changes else None
        if wait is not None:
            return wait
        intent = await pursuit.intend(step) if step.changes else None
        words = " ".join(word.encode().hex() for word in step.arguments.command)
        try:
            reply = await pursuit.ask(
                step, "run", token=intent.intent if intent else "", settings={"ARGV": words}
            )
        except TransportError as error:
            await pursuit.close()
            return pursuit.failed(step, str(error))
        printed = next((record for record in reply.records if isinstance(record, Printed)), None)
        if printed is None or printed.exit != 0:
            shown = "no answer" if printed is None else f"exit status {printed.exit}"
            return pursuit.failed(step, f"the command failed: {shown}")
        pursuit.emit_finished(step, "ok", "exit status 0", intent=intent)
        return GO


def _boot_of(intent: StepIntended, evidence: tuple[AnyEvidence, ...]) -> str:
    """In which boot an act was carried out whose answer was lost.

    The one that answers now, unless it began after the intent: then an earlier one. The boot that the intent names is
    the last that was heard of, and may have been over already when the act was sent.
    """
    boot = next((item for item in evidence if isinstance(item, BootIdentity)), None)
    if boot is None or not boot.boot_id:
        return intent.boot_id
    restarted = (
        boot.uptime is not None and boot.at - timedelta(seconds=boot.uptime + _SLACK) > intent.at
    )
    return intent.boot_id if restarted else boot.boot_id


def boot_id_of(evidence: tuple[AnyEvidence, ...]) -> str:
    """The boot that the evidence is of; empty when it does not say."""
    return next((item.boot_id for item in evidence if isinstance(item, BootIdentity)), "")
