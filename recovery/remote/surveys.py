"""Reading what an endpoint says of its machine at large: its kernel, updates, volumes, and how it could be helped."""

from __future__ import annotations

from datetime import datetime

from recovery.model.evidence import (
    AnyEvidence,
    BitLockerVolume,
    InstalledUpdate,
    KernelModule,
    KernelModules,
    MachineFacts,
    Readiness,
    UpdateHistory,
)
from recovery.remote.records import (
    AnyRecord,
    Facts,
    Module,
    Modules,
    ReadinessRecord,
    System,
    UpdateRecord,
    Updates,
    Volume,
)
from recovery.remote.texts import moment, text_of, word

_MOST_MODULES = 400
_MOST_UPDATES = 100
_MOST_VOLUMES = 64
_MOST_PROTECTORS = 16
_MOST_SERVICES = 32


class Survey:
    """Gathers the records of one reply that belong together; each list ends with a record of its own."""

    def __init__(self, at: datetime, source: str) -> None:
        """For a reply that was seen at `at` through `source`."""
        self._at = at
        self._source = source
        self._release = ""
        self._modules: list[KernelModule] = []
        self._updates: list[InstalledUpdate] = []
        self._volumes: list[BitLockerVolume] = []

    def take(self, record: AnyRecord) -> AnyEvidence | None:
        """The evidence that is whole with this record. Raises `ReplyError` for names that are not hex."""
        match record:
            case System():
                self._release = text_of(record.release_hex)
            case Module():
                self._modules.append(_module(record))
            case UpdateRecord():
                self._updates.append(_update(record))
            case Volume():
                self._volumes.append(_volume(record))
            case _:
                return self._whole(record)
        return None

    def _whole(self, record: AnyRecord) -> AnyEvidence | None:
        at, source = self._at, self._source
        match record:
            case Modules():
                modules, self._modules = self._modules, []
                more = record.truncated or len(modules) > _MOST_MODULES
                return KernelModules(
                    at=at, source=source, modules=tuple(modules[:_MOST_MODULES]), truncated=more
                )
            case Updates():
                updates, self._updates = self._updates, []
                return UpdateHistory(at=at, source=source, updates=tuple(updates[:_MOST_UPDATES]))
            case Facts():
                return self._facts(record)
            case ReadinessRecord():
                return _readiness(record, at, source)
            case _:
                return None

    def _facts(self, record: Facts) -> MachineFacts:
        volumes, self._volumes = self._volumes, []
        return MachineFacts(
            at=self._at,
            source=self._source,
            safe_mode=record.safe_mode,
            pending_reboot=record.pending_reboot,
            free_bytes=record.free_bytes,
            release=self._release,
            volumes=tuple(volumes[:_MOST_VOLUMES]),
        )


def _module(record: Module) -> KernelModule:
    return KernelModule(
        name=text_of(record.name_hex),
        kind=record.kind,
        mode=record.mode,
        path=text_of(record.path_hex),
        vendor=text_of(record.vendor_hex),
        version=text_of(record.version_hex),
        running=record.running,
        start=record.start,
    )


def _update(record: UpdateRecord) -> InstalledUpdate:
    return InstalledUpdate(
        name=text_of(record.name_hex),
        title=text_of(record.title_hex),
        installed_at=moment(record.installed_at),
    )


def _volume(record: Volume) -> BitLockerVolume:
    return BitLockerVolume(
        drive=text_of(record.drive_hex),
        status=record.status,
        protectors=tuple(word(each) for each in record.protectors[:_MOST_PROTECTORS]),
    )


def _readiness(record: ReadinessRecord, at: datetime, source: str) -> Readiness:
    return Readiness(
        at=at,
        source=source,
        safe_mode_services=tuple(word(each) for each in record.safe_mode_services[:_MOST_SERVICES]),
        quick_recovery=record.quick_recovery,
        recovery_environment=record.recovery_environment,
        restarts_after_crash=record.restarts_after_crash,
        kernels=record.kernels,
    )
