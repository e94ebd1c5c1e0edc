"""Incident profiles: what the bad update is, how it shows, how it is undone and proven. Data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from recovery.model.host import Os

Reach = Literal["full_system", "boot_window", "safe_mode", "winpe", "offline_disk"]
"""What of a machine can be reached when the remedy is carried out."""

RemedyKind = Literal["quarantine"]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """The files that make a host crash, and the rule that tells a bad folder from a good one.

    The rule is per folder (FACTS 1.1): a folder is bad when it holds at least one bad file and no good one.
    A file is good when its time is `good_from` or later, bad when it lies from `bad_from` less `margin` up to
    `good_from`, old before that. Without times every file with the right header is bad.
    """

    directory: str
    """Absolute; Windows environment names such as %WINDIR% are resolved on the endpoint."""
    pattern: str
    """Glob on the file name, `*` and `?` only."""
    header: str = ""
    """First bytes of the file as lower-case hex without blanks; empty means not checked."""
    bad_from: datetime | None = None
    good_from: datetime | None = None
    margin: float = 0.0
    """Seconds by which a host's clock may be wrong before its file times are not believed."""


class Crash(msgspec.Struct, frozen=True, kw_only=True):
    """How the crash of this incident is told from other crashes."""

    stop_codes: tuple[int, ...] = ()
    modules: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """Parts of a panic message, for platforms without stop codes."""
    returns: int = 2
    """So many boots seen within `within` make a loop."""
    within: float = 900.0
    """Seconds."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What has to hold before a host counts as recovered, beside boot identity and artifact."""

    services: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    settle: float = 600.0
    """Seconds for which the host has to stay up in one boot."""


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """What to do on the endpoint."""

    kind: RemedyKind = "quarantine"
    quarantine: str = ""
    """Folder to which files are moved."""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """The profile on one operating system."""

    artifact: Artifact
    proof: Proof
    remedies: Mapping[Reach, Remedy]


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """How to stop the vendor's feed, so that the bad file does not come back."""

    title: str
    steps: tuple[str, ...]


class Runbook(msgspec.Struct, frozen=True, kw_only=True):
    """A technician's checklist."""

    title: str
    steps: tuple[str, ...]
    minutes: int = 15
    kit: tuple[str, ...] = ()


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident profile."""

    name: str
    title: str
    began: datetime
    """When the bad update was first handed out, UTC."""
    ended: datetime | None = None
    """When it was withdrawn, UTC."""
    summary: str = ""
    sources: tuple[str, ...] = ()
    crash: Crash = Crash()
    freeze: Freeze | None = None
    platforms: Mapping[Os, Platform] = {}
    runbooks: Mapping[str, Runbook] = {}
    lines: Mapping[str, int] = {}
    """Where its parts stand in the file, by dotted name, for messages."""
