"""Simulated machines whose artifact is not files: packages, updates, drivers, definitions, kernels, missing files.

The physics is the one of files: a machine has the bad thing or not, and what a remedy took away is kept for an undo.
"""

from __future__ import annotations

import msgspec

from recovery.model.evidence import ItemState
from recovery.model.host import Os
from recovery.model.incident import Incident, Platform, Remedy
from recovery.model.remedy import RemedyKind
from recovery.ports import Command
from recovery.remote import records
from recovery.sim.acts import Act
from recovery.sim.endpoint import Endpoint, Perform
from recovery.sim.machine import Machine

_encode = msgspec.json.Encoder().encode
_AT_RESTART: tuple[RemedyKind, ...] = ("kernel_previous", "driver_disable")
_OTHER_VERSION = "0.9"
"""Of a machine that never had the bad one."""


def endpoint_of(incident: Incident, platform: Platform, os: Os) -> Endpoint:
    """The scripts of a platform's machines."""
    if platform.artifact.kind == "files":
        return Endpoint(incident, platform, os)
    return ItemEndpoint(incident, platform, os)


class ItemEndpoint(Endpoint):
    """The scripts of one platform where the artifact is not files."""

    def __init__(self, incident: Incident, platform: Platform, os: Os) -> None:
        """Answer as machines with `os` do in `incident`."""
        super().__init__(incident, platform, os)
        self._artifact = platform.artifact
        self._remedy = platform.remedy("full_system", "boot_window") or Remedy(
            kind="hand_over_only"
        )
        actions = {"triage": self._report, "prove": self._report, "reboot": self._reboot}
        self._actions = {**actions, "run": self._run}
        if self._remedy.kind != "hand_over_only":
            self._actions |= {"race": self._carry_out, self._remedy.kind: self._carry_out}
        if self._remedy.spec.undo:
            self._actions |= {"undo": self._take_back}

    def _carry_out(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        did = self._act(machine, command, at, perform)
        return [self._boot(machine, at), *did, *self._state(machine), *_marks(machine)]

    def _act(self, machine: Machine, command: Command, at: float, perform: Perform) -> list[bytes]:
        kind, held = self._remedy.kind, _held(machine)
        if not machine.is_bad:
            return [_acted(kind, 0, held, nothing=held == 0)]
        if "quarantine_fails" in machine.traits:
            return [_line(records.Refused(reason="permission")), _acted(kind, 0, held)]
        act = Act(
            at=at, host=machine.host, act="quarantine", intent=command.token, files=machine.bad
        )
        perform(act)
        notes = [_line(records.Note(what="restart"))] if kind in _AT_RESTART else []
        return [*notes, _acted(kind, 1, held)]

    def _take_back(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        standing = [kept for kept in machine.kept if not kept.undone_by]
        back = sum(1 for kept in machine.kept if kept.undone_by == command.token)
        if standing:
            files = tuple(dict.fromkeys(file for kept in standing for file in kept.files))
            perform(Act(at=at, host=machine.host, act="undo", intent=command.token, files=files))
        acted = _acted("undo", len(standing), back, nothing=not standing and back == 0)
        system, listing, _ = self._state(machine)
        return [self._boot(machine, at), acted, system, listing, *_marks(machine)]

    def _listing(self, machine: Machine) -> bytes:
        items = self._items(machine)
        manifests = [
            records.Manifest(intent=kept.intent, files=1, undone=bool(kept.undone_by))
            for kept in sorted(machine.kept, key=lambda kept: kept.intent)
        ]
        looked = records.Looked(
            kind=self._artifact.kind,
            name_hex=_hex(self._name),
            exists=any(item.state != "missing" for item in items),
            bad=machine.is_bad,
            kept=_held(machine),
        )
        return b"".join(_line(record) for record in (*items, *manifests, looked))

    @property
    def _name(self) -> str:
        return self._artifact.name or self._artifact.pattern or self._artifact.kind

    def _items(self, machine: Machine) -> list[records.Item]:  # noqa: PLR0911 - one for each kind
        bad, kind = machine.is_bad, self._artifact.kind
        match kind:
            case "none":
                return []
            case "missing_file":
                return [self._item("missing" if bad else "good")]
            case "kernel":
                new, old = ("default", "") if bad else ("", "running, default")
                return [
                    self._item("bad", self._bad_version, new),
                    self._item("other", self._good_version, old),
                ]
            case "driver" if machine.fixed and not bad:
                return [self._item("disabled", self._bad_version)]
            case "update" | "driver" if not bad:
                return []
            case _ if not bad and machine.fixed and self._remedy.kind == "package_remove":
                return []
        version = self._bad_version if bad else self._good_version
        return [self._item("bad" if bad else "other", "" if kind == "update" else version)]

    def _item(self, state: ItemState, version: str = "", detail: str = "") -> records.Item:
        return records.Item(
            name_hex=_hex(self._name),
            state=state,
            version_hex=_hex(version),
            detail_hex=_hex(detail),
        )

    @property
    def _bad_version(self) -> str:
        return _one_of(self._artifact.bad_versions, "1.0")

    @property
    def _good_version(self) -> str:
        return _one_of((*self._remedy.versions, *self._artifact.good_versions), _OTHER_VERSION)


def _one_of(globs: tuple[str, ...], otherwise: str) -> str:
    """A version that fits the first of the `globs`."""
    return globs[0].replace("*", "1").replace("?", "1") if globs else otherwise


def _held(machine: Machine) -> int:
    return sum(1 for kept in machine.kept if not kept.undone_by)


def _marks(machine: Machine) -> list[bytes]:
    return [_line(records.Mark(intent=machine.mark))] if machine.mark else []


def _acted(action: str, done: int, already: int, *, nothing: bool = False) -> bytes:
    return _line(records.Acted(action=action, files=done, already=already, nothing=nothing))


def _line(record: records.Record) -> bytes:
    return _encode(record) + b"\n"


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()
