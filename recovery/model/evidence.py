"""What was observed of a host, when and through what; and what it adds up to.

Times named `at` are the controller's clock in UTC. Times that a host reports about itself are kept apart,
since its clock may be wrong.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from recovery.model.console import Power
from recovery.model.reading import Reading
from recovery.model.remedy import ArtifactKind, RemedyKind


class Verdict(StrEnum):
    """What the evidence says the host is in."""

    HEALTHY = "healthy"
    EXPOSED = "exposed"
    CRASH_LOOP = "crash_loop"
    BLUE_SCREEN = "blue_screen"
    RECOVERY_SCREEN = "recovery_screen"
    NEEDS_KEY = "needs_key"
    DEGRADED = "degraded"
    RECOVERED = "recovered"
    DARK = "dark"
    UNKNOWN = "unknown"


class Progress(StrEnum):
    """What has been done about the host."""

    UNTOUCHED = "untouched"
    FIXING = "fixing"
    FIXED = "fixed"
    REBOOTING = "rebooting"
    SETTLING = "settling"
    WITH_TECHNICIAN = "with_technician"
    DONE = "done"
    GAVE_UP = "gave_up"


class Evidence(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="evidence", gc=False, omit_defaults=True
):
    """One observation of one host."""

    at: datetime
    source: str
    """Through what it was seen: `look`, `ssh`, `winrm`, `mock`, `console`, `desk`."""


class Reachability(
    Evidence, frozen=True, kw_only=True, tag="reachability", gc=False, omit_defaults=True
):
    """Whether the host answered on its in-band way."""

    answers: bool
    reason: str = ""
    """Why not, in the transport's words."""


class BootIdentity(Evidence, frozen=True, kw_only=True, tag="boot", gc=False, omit_defaults=True):
    """Which boot of the machine answered."""

    boot_id: str = ""
    """Opaque identity of the boot (Linux: /proc/sys/kernel/random/boot_id)."""
    boot_time: float | None = None
    """Host's own clock, seconds since 1970."""
    uptime: float | None = None
    """Seconds since the boot."""
    clock: float | None = None
    """Host's own clock when it answered, seconds since 1970."""


class CrashRecord(Evidence, frozen=True, kw_only=True, tag="crash", gc=False, omit_defaults=True):
    """A crash that the host or its console reports."""

    crashed_at: float | None = None
    """Host's own clock, seconds since 1970; None when the record has no time."""
    stop_code: int | None = None
    module: str = ""
    text: str = ""
    record: str = ""
    """What carried it: `pstore`, `kernel_power_41`, `wer_1001`, `dump`, `panic_event`, ..., joined by `+`."""
    logged_at: float | None = None
    """When the host wrote the record, by its own clock: in the boot that followed the crash."""
    parameters: tuple[int, ...] = ()
    """The bug check's four, which say more to a debugger."""
    dump: str = ""
    """Path of the dump on the host."""
    report: str = ""
    """The host's id of the report on this crash."""


RestartCause = Literal["planned", "power_button", "power_loss", "unexpected"]
"""`power_loss`: nothing was recorded before the machine went, so a crash that could not be written looks the same."""


class RestartRecord(
    Evidence, frozen=True, kw_only=True, tag="restart", gc=False, omit_defaults=True
):
    """A restart or an end of a boot that the host reports, and that is not known to be a crash."""

    cause: RestartCause
    restarted_at: float | None = None
    """Host's own clock, seconds since 1970: when it was asked for, else not later than this."""
    logged_at: float | None = None
    """When the host wrote the record, by its own clock."""
    who: str = ""
    """The user and process that asked for it, where it was planned."""
    text: str = ""
    record: str = ""
    """What carried it: `kernel_power_41`, `user32_1074`, `eventlog_6008`, ..., joined by `+`."""


FileState = Literal["bad", "good", "old", "foreign", "link", "directory", "other"]
"""`foreign`: the header bytes are not those of the artifact; `old`: from before the bad update."""


class ArtifactFile(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One file that has the artifact's name."""

    path: str
    """As it is shown: control characters made visible."""
    state: FileState
    raw: str = ""
    """Hex of the path's bytes, where it is not just what is shown."""
    size: int = 0
    mtime: float = 0.0
    """Seconds since 1970, UTC."""
    sha256: str = ""
    header: str = ""
    """First bytes, as lower-case hex."""


ItemState = Literal["bad", "good", "old", "other", "disabled", "pending", "missing"]
"""`other`: neither a bad nor a good version; `disabled`: bad, but will not be loaded; `pending`: bad, and gone with
the next start; `missing`: a good file that is not there."""


class ArtifactItem(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One package, update, driver, signature set, kernel or missing file."""

    name: str
    state: ItemState
    version: str = ""
    detail: str = ""
    """What else the endpoint says of it: `running`, `default`, `stopped`, a digest, ..."""


class ArtifactListing(
    Evidence, frozen=True, kw_only=True, tag="artifact", gc=False, omit_defaults=True
):
    """The artifact as the endpoint listed it: the files of its folder, or the items of another kind."""

    directory: str = ""
    """Of files."""
    exists: bool
    bad: bool
    """The rule's answer, worked out on the endpoint: for files at least one bad one and no good one, else at least
    one item that is bad or missing."""
    files: tuple[ArtifactFile, ...] = ()
    quarantined: int = 0
    """Files or acts that manifests of this product hold there, to be given back."""
    intents: tuple[str, ...] = ()
    """Intents whose manifests are on the endpoint: what was really carried out."""
    kind: ArtifactKind = "files"
    name: str = ""
    """What was looked for, where the kind is not files."""
    items: tuple[ArtifactItem, ...] = ()


class ServiceState(
    Evidence, frozen=True, kw_only=True, tag="service", gc=False, omit_defaults=True
):
    """One service or process that the proof asks for."""

    name: str
    running: bool
    detail: str = ""


class RebootMark(
    Evidence, frozen=True, kw_only=True, tag="reboot_mark", gc=False, omit_defaults=True
):
    """A restart that this product requested in the boot that answered, still pending."""

    intent: str


class BitLockerVolume(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One volume as BitLocker protects it. Recovery keys are never read."""

    drive: str
    status: Literal["off", "on", "locked", "unknown"] = "unknown"
    protectors: tuple[str, ...] = ()
    """Ids of its recovery passwords, by which the desk finds their keys."""


class MachineFacts(
    Evidence, frozen=True, kw_only=True, tag="machine", gc=False, omit_defaults=True
):
    """What state the running system is in."""

    safe_mode: Literal["", "minimal", "network", "dsrepair"] = ""
    pending_reboot: bool | None = None
    """Whether the system waits for a restart; None when it does not say."""
    free_bytes: int | None = None
    """On the volume that holds the artifact."""
    release: str = ""
    volumes: tuple[BitLockerVolume, ...] = ()


class KernelModule(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Something that is not the system vendor's and can take the machine down, or its successor outside the kernel."""

    name: str
    kind: Literal["driver", "minifilter", "elam", "kext", "lkm", "ebpf", "extension"]
    mode: Literal["kernel", "user"] = "kernel"
    path: str = ""
    vendor: str = ""
    """As the file says."""
    version: str = ""
    running: bool = False
    start: str = ""
    """`boot`, `system`, `auto`, `demand`, `disabled`; empty where the platform has no such thing."""


class KernelModules(
    Evidence, frozen=True, kw_only=True, tag="kernel_modules", gc=False, omit_defaults=True
):
    """What runs in the kernel beside the system vendor's own."""

    modules: tuple[KernelModule, ...] = ()
    truncated: bool = False
    """There are more."""


class InstalledUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One update or package that was installed."""

    name: str
    """KB number, or package with version."""
    title: str = ""
    installed_at: float | None = None
    """Host's own clock, seconds since 1970."""


class UpdateHistory(
    Evidence, frozen=True, kw_only=True, tag="updates", gc=False, omit_defaults=True
):
    """The latest updates that were installed, newest first."""

    updates: tuple[InstalledUpdate, ...] = ()


class Readiness(Evidence, frozen=True, kw_only=True, tag="readiness", gc=False, omit_defaults=True):
    """What the host has to be helped with from afar, should it not start any more."""

    safe_mode_services: tuple[str, ...] = ()
    """Remote services that start in Safe Mode with Networking."""
    quick_recovery: Literal["", "on", "off"] = ""
    """Windows Quick Machine Recovery by the cloud; empty where the host does not say."""
    recovery_environment: Literal["", "on", "off"] = ""
    """Whether a recovery system of its own is set up."""
    restarts_after_crash: bool | None = None
    """False: it stays on the crash screen, so it can never be met between two crashes."""
    kernels: int | None = None
    """Kernels that can be started, the running one included."""


class FixApplied(Evidence, frozen=True, kw_only=True, tag="fix", gc=False, omit_defaults=True):
    """The remedy was carried out on the endpoint."""

    intent: str
    files: int
    """Files that were moved, or things that were changed."""
    already: int = 0
    """Those that an earlier intent had done."""
    boot_id: str = ""
    """The boot in which it was carried out."""
    remedy: RemedyKind = "quarantine"


class UndoApplied(Evidence, frozen=True, kw_only=True, tag="undo", gc=False, omit_defaults=True):
    """What the remedy had done was taken back."""

    intent: str
    files: int


class PersonReport(Evidence, frozen=True, kw_only=True, tag="person", gc=False, omit_defaults=True):
    """What a person says. A claim, never a proof."""

    person: str
    says: str


class ScreenSeen(Evidence, frozen=True, kw_only=True, tag="screen", gc=False, omit_defaults=True):
    """What the console showed."""

    reading: Reading
    picture: str = ""
    """SHA-256 of the picture as it was kept; empty where it was not."""
    width: int = 0
    height: int = 0
    last_crash: bool = False
    """The picture of its latest crash, which the console has kept; not what stands there now."""


class PowerSeen(Evidence, frozen=True, kw_only=True, tag="power", gc=False, omit_defaults=True):
    """What the console says of the machine's power."""

    state: Power
    reason: str = ""
    """Why it is not known."""
    checks: str = ""
    """What a cloud's own checks say, such as `system ok, instance impaired`; empty where there are none."""


class MachineReset(Evidence, frozen=True, kw_only=True, tag="reset", gc=False, omit_defaults=True):
    """The console told of a restart of the machine."""

    asked_for: bool = False
    """By whoever is at the console; else the machine restarted by itself."""


AnyEvidence = (
    Reachability
    | BootIdentity
    | CrashRecord
    | RestartRecord
    | ArtifactListing
    | ServiceState
    | RebootMark
    | MachineFacts
    | KernelModules
    | UpdateHistory
    | Readiness
    | FixApplied
    | UndoApplied
    | PersonReport
    | ScreenSeen
    | PowerSeen
    | MachineReset
)


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """A verdict with what it rests on, in sentences for an operator."""

    verdict: Verdict
    because: tuple[str, ...]
