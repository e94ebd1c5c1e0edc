"""What a run changed on each host, or would change; hosts with the same changes are told of together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from recovery.model.events import AnyEvent, HostFinished, Outcome, StepFinished
from recovery.model.evidence import ArtifactFile, ArtifactListing, FixApplied, UndoApplied
from recovery.model.playbook import Step

_DIGEST_SHOWN = 16
_MOVES = ("quarantine", "rollback", "race")
_LAST_TIME = 253_402_300_799.0
"""The end of the year 9999, beyond which no date can be written."""


class Change(msgspec.Struct, frozen=True):
    """Hosts that are changed in the same way."""

    hosts: tuple[str, ...]
    lines: tuple[str, ...]


class Changes:
    """Collects from a run's events; `acts` are the playbook's steps that change machines."""

    def __init__(
        self, acts: Iterable[Step], *, planned: bool, untouchable: Iterable[str] = ()
    ) -> None:
        """Tell of what would be done when it is only `planned`; hosts that are `untouchable` are left alone then."""
        self._acts = tuple(acts)
        self._planned = planned
        self._untouchable = frozenset(untouchable)
        self._listings: dict[str, ArtifactListing] = {}
        self._lines: dict[str, tuple[str, ...]] = {}
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, event: AnyEvent) -> None:
        """Take one more event."""
        if isinstance(event, StepFinished):
            if not self._planned:
                self._note(event.host, list(self._done(event)))
            for item in event.evidence:
                if isinstance(item, ArtifactListing):
                    self._listings[event.host] = item
        elif isinstance(event, HostFinished):
            listing = self._listings.pop(event.host, None)
            is_target = event.outcome == Outcome.DONE and event.host not in self._untouchable
            if self._planned and is_target:
                self._note(event.host, [line for act in self._acts for line in _plan(act, listing)])

    def found(self) -> tuple[Change, ...]:
        """The changes, those of most hosts first."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for host, lines in self._lines.items():
            groups.setdefault(lines, []).append(host)
        changes = [Change(tuple(sorted(hosts)), lines) for lines, hosts in groups.items()]
        return tuple(sorted(changes, key=lambda change: (-len(change.hosts), change.hosts)))

    def _note(self, host: str, lines: list[str]) -> None:
        if lines:
            whole = (*self._lines.get(host, ()), *lines)
            self._lines[host] = self._same.setdefault(whole, whole)

    def _done(self, event: StepFinished) -> Iterable[str]:
        fix = next((item for item in event.evidence if isinstance(item, FixApplied)), None)
        undone = next((item for item in event.evidence if isinstance(item, UndoApplied)), None)
        if fix is not None:
            yield from self._moved(event, fix)
        elif undone is not None:
            yield f"{undone.files} files put back from quarantine"
        elif event.intent and event.outcome == "ok" and event.step == "reboot":
            yield "restarted"
        elif event.intent and event.outcome == "ok":
            yield f"{event.step}: {event.message or 'done'}"

    def _moved(self, event: StepFinished, fix: FixApplied) -> Iterable[str]:
        before = _bad(self._listings.get(event.host))
        after = next((item for item in event.evidence if isinstance(item, ArtifactListing)), None)
        left = {file.path for file in _bad(after)}
        gone = [file for file in before if file.path not in left]
        yield from (f"{_shown(file)}: moved to quarantine" for file in gone[: fix.files])
        if fix.files > len(gone):  # a race looks at nothing before it acts
            yield f"{fix.files - len(gone)} files moved to quarantine"


def _plan(act: Step, listing: ArtifactListing | None) -> Iterable[str]:
    if act.name in _MOVES:
        yield from (f"{_shown(file)}: would be moved to quarantine" for file in _bad(listing))
    elif act.name == "undo":
        if listing is not None and listing.quarantined:
            yield f"{listing.quarantined} files would be put back from quarantine"
    elif act.name == "reboot":
        yield "would be restarted"
    elif act.name == "boot_once":
        yield f"would be started from {act.arguments.device} once, by its console"
    elif act.name == "power_cycle":
        yield "would be switched off and on, by its console"
    elif act.name == "run":
        yield f"would run: {' '.join(act.arguments.command)}"
    else:
        yield f"{act.name} would be carried out"


def _bad(listing: ArtifactListing | None) -> list[ArtifactFile]:
    """The files that quarantine takes; none of a folder that is not bad as a whole."""
    if listing is None or not listing.bad:
        return []
    return [file for file in listing.files if file.state == "bad"]


def _shown(file: ArtifactFile) -> str:
    time = min(max(file.mtime, 0.0), _LAST_TIME)
    digest = f", SHA-256 {file.sha256[:_DIGEST_SHOWN]}" if file.sha256 else ""
    return f"{file.path} ({file.size} bytes, {datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC{digest})"
