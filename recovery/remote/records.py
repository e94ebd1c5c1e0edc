"""The records of a reply: what scripts print and readers read.

A reply is UTF-8 text, one JSON object a line, each with a `record` name, and ends with an `end` record that carries
the command's token. Strings that come from the endpoint's disk or from other programs are hex of their bytes (field
names end in `_hex`), so that no name can break the form. Lines that do not begin with `{"record":` are noise from
login scripts and are passed over.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from recovery.model.evidence import ItemState
from recovery.model.remedy import ArtifactKind

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""What no disk and no file exceeds."""
Status = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", gc=False):
    """One line of a reply."""


class Boot(Record, frozen=True, kw_only=True, tag="boot", gc=False):
    """Which boot answers."""

    boot_id: str = ""
    boot_time: float | None = None
    uptime: float | None = None
    clock: float | None = None


class System(Record, frozen=True, kw_only=True, tag="system", gc=False):
    """What the machine says it is."""

    os: str
    release_hex: str = ""
    hostname_hex: str = ""


class Folder(Record, frozen=True, kw_only=True, tag="folder", gc=False):
    """The artifact's folder; follows its `file` records."""

    path_hex: str
    exists: bool
    bad: bool
    quarantined: Count = 0


class File(Record, frozen=True, kw_only=True, tag="file", gc=False):
    """One file that has the artifact's name."""

    path_hex: str
    state: Literal["bad", "good", "old", "foreign", "link", "directory", "other"]
    size: Count = 0
    mtime: float = 0.0
    sha256: str = ""
    header: str = ""


class Item(Record, frozen=True, kw_only=True, tag="item", gc=False):
    """One package, update, driver, signature set, kernel or missing file."""

    name_hex: str
    state: ItemState
    version_hex: str = ""
    detail_hex: str = ""


class Looked(Record, frozen=True, kw_only=True, tag="artifact", gc=False):
    """The artifact, where it is not files; follows its `item` records."""

    kind: ArtifactKind
    name_hex: str
    exists: bool
    bad: bool
    """Worked out on the endpoint: an item is bad or missing, and would be used at the next start."""
    kept: Count = 0
    """Acts whose manifests are there and not undone."""


class Installation(Record, frozen=True, kw_only=True, tag="installation", gc=False):
    """A Windows on one of the machine's volumes, on which a strike acts."""

    path_hex: str


class Manifest(Record, frozen=True, kw_only=True, tag="manifest", gc=False):
    """A manifest found on the endpoint, named by the intent that wrote it: what it moved, or changed."""

    intent: str
    files: Count
    undone: bool = False


class ServiceRecord(Record, frozen=True, kw_only=True, tag="service", gc=False):
    """One service or process that was asked about."""

    name_hex: str
    running: bool
    detail_hex: str = ""


class CrashSeen(Record, frozen=True, kw_only=True, tag="crash", gc=False):
    """A crash that the endpoint has on record."""

    source: str
    at: float | None = None
    stop_code: Count | None = None
    module_hex: str = ""
    text_hex: str = ""


class EventRecord(Record, frozen=True, kw_only=True, tag="event", gc=False):
    """One record of the Windows event log, as the XML that the system renders."""

    xml_base64: str
    """Of the UTF-8 text."""


class DumpSeen(Record, frozen=True, kw_only=True, tag="dump", gc=False):
    """A crash dump on the disk."""

    path_hex: str
    size: Count
    mtime: float
    head_base64: str = ""
    """Its first 8 KiB, of the newest ones."""


class Facts(Record, frozen=True, kw_only=True, tag="facts", gc=False):
    """What state the running system is in. Follows its `volume` records."""

    safe_mode: Literal["", "minimal", "network", "dsrepair"] = ""
    pending_reboot: bool | None = None
    free_bytes: Count | None = None


class Volume(Record, frozen=True, kw_only=True, tag="volume", gc=False):
    """One volume as BitLocker protects it."""

    drive_hex: str
    status: Literal["off", "on", "locked", "unknown"]
    protectors: tuple[str, ...] = ()
    """Ids of recovery passwords; never the passwords."""


class Module(Record, frozen=True, kw_only=True, tag="module", gc=False):
    """Something that runs in the kernel, or would, and is not the system vendor's."""

    name_hex: str
    kind: Literal["driver", "minifilter", "elam", "kext", "lkm", "ebpf", "extension"]
    mode: Literal["kernel", "user"] = "kernel"
    path_hex: str = ""
    vendor_hex: str = ""
    version_hex: str = ""
    running: bool = False
    start: Literal["", "boot", "system", "auto", "demand", "disabled"] = ""


class Modules(Record, frozen=True, kw_only=True, tag="modules", gc=False):
    """That the modules were listed: follows their records."""

    truncated: bool = False


class ReadinessRecord(Record, frozen=True, kw_only=True, tag="readiness", gc=False):
    """What the host has to be helped with from afar, should it not start any more."""

    safe_mode_services: tuple[str, ...] = ()
    quick_recovery: Literal["", "on", "off"] = ""
    recovery_environment: Literal["", "on", "off"] = ""
    restarts_after_crash: bool | None = None
    kernels: Count | None = None


class UpdateRecord(Record, frozen=True, kw_only=True, tag="update", gc=False):
    """One update that was installed."""

    name_hex: str
    title_hex: str = ""
    installed_at: float | None = None


class Updates(Record, frozen=True, kw_only=True, tag="updates", gc=False):
    """That the update history was read: follows its records."""


class Moved(Record, frozen=True, kw_only=True, tag="moved", gc=False):
    """A file went into quarantine, or back out of it (`undo`)."""

    from_hex: str
    to_hex: str
    sha256: str
    """Empty where cmd moved it, which cannot work it out."""
    size: Count | None = None


class Refused(Record, frozen=True, kw_only=True, tag="refused", gc=False):
    """Something was left alone, with the reason as one word of a fixed list."""

    reason: Literal[
        "link",
        "directory",
        "changed",
        "header",
        "not_bad",
        "clock",
        "exists",
        "space",
        "permission",
        "missing",
        "hash",
        "busy",
        "held",
        "unsupported",
        "unavailable",
        "needed",
        "tool",
    ]
    path_hex: str = ""


class Acted(Record, frozen=True, kw_only=True, tag="acted", gc=False):
    """Summary of an act, named by the kind of the remedy, or `undo`, `reboot`.

    `nothing`: there was nothing it applied to. `already`: an earlier intent had done it.
    """

    action: str
    files: Count = 0
    already: Count = 0
    nothing: bool = False


class Note(Record, frozen=True, kw_only=True, tag="note", gc=False):
    """Something that has to be said aloud about an act that was carried out, as one word of a fixed list."""

    what: Literal["offline", "not_held", "from_cache", "restart"]
    detail_hex: str = ""


class Mark(Record, frozen=True, kw_only=True, tag="reboot_mark", gc=False):
    """A restart that was requested in this boot and is pending."""

    intent: str


class Printed(Record, frozen=True, kw_only=True, tag="printed", gc=False):
    """What an operator's own command printed, bounded."""

    exit: Status
    stdout_hex: str = ""
    stderr_hex: str = ""


class Trouble(Record, frozen=True, kw_only=True, tag="trouble", gc=False):
    """The script could not do its work."""

    reason: str
    detail_hex: str = ""


class End(Record, frozen=True, kw_only=True, tag="end", gc=False):
    """The last record of every complete reply."""

    token: str
    exit: Status = 0


AnyRecord = (
    Boot
    | System
    | Folder
    | File
    | Item
    | Looked
    | Installation
    | Manifest
    | ServiceRecord
    | CrashSeen
    | EventRecord
    | DumpSeen
    | Facts
    | Volume
    | Module
    | Modules
    | ReadinessRecord
    | UpdateRecord
    | Updates
    | Moved
    | Refused
    | Acted
    | Note
    | Mark
    | Printed
    | Trouble
    | End
)
