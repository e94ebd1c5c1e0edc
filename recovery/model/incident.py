"""Incident profiles: what the bad update is, how it shows, how it is undone and proven. Data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from recovery.model.host import Os
from recovery.model.remedy import REMEDIES, ArtifactKind, RemedyKind, RemedySpec

Reach = Literal["full_system", "boot_window", "safe_mode", "winpe", "offline_disk"]
"""What of a machine can be reached when the remedy is carried out."""


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a host crash, and the rule that tells a bad host from a good one.

    Files are judged per folder (CrowdStrike's technical alert of July 2024): a folder is bad when it holds at least
    one bad file and no good one. A file is good when its time is `good_from` or later, bad when it lies from
    `bad_from` less `margin` up to `good_from`, old before that. Without times every file with the right header is bad.

    Everything else is a list of items, each with a version: one of `good_versions` is good, else one of
    `bad_versions` is bad; the host is bad when an item is bad and would be used at the next start. A missing file is
    bad while it is missing. The rule is evaluated on the endpoint, in one go with the act.
    """

    kind: ArtifactKind = "files"
    directory: str = ""
    """Of files. Absolute; Windows environment names such as %WINDIR% are resolved on the endpoint."""
    pattern: str = ""
    """Of files: a glob on the file name, `*` and `?` only. Of a missing file: its name."""
    header: str = ""
    """First bytes of the file as lower-case hex without blanks; empty means not checked."""
    bad_from: datetime | None = None
    good_from: datetime | None = None
    margin: float = 0.0
    """Seconds by which a host's clock may be wrong before its file times are not believed."""
    strike: Literal["matching", "listed"] = "listed"
    """What the fix of the boot window may take: every file that matches the pattern, where the vendor says
    that this is safe (cmd cannot read header bytes in time); or only files that a triage listed as bad."""
    name: str = ""
    """Of a package; KB number of an update; file name of a driver; product of definitions."""
    service: str = ""
    """Of a driver: its service."""
    bad_versions: tuple[str, ...] = ()
    """Exact or globs with `*` and `?`. Of a driver without any: every version. Of a cumulative update: of its package,
    by which alone Windows knows it."""
    good_versions: tuple[str, ...] = ()
    """Exact or globs; they win over the bad ones."""
    sha256: tuple[str, ...] = ()
    """Lower-case hex. Of a driver: bad files; of a missing file: good copies."""
    module: str = ""
    """Of a kernel: it is bad only on hosts where this module is loaded."""
    package: str = ""
    """Of a kernel: it is bad only on hosts where this package is installed."""


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
    """Folder to which files are moved, and in which each act is written down before it is done."""
    versions: tuple[str, ...] = ()
    """Of `package_version`: exact ones; the first that is to be had is installed."""
    copies: tuple[str, ...] = ()
    """Of `restore_file`: folders in which a good copy may lie, the best first."""

    @property
    def spec(self) -> RemedySpec:
        """What has to be known of its kind."""
        return REMEDIES[self.kind]


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """The profile on one operating system."""

    artifact: Artifact
    proof: Proof
    remedies: Mapping[Reach, Remedy]

    def remedy(self, *reaches: Reach) -> Remedy | None:
        """The first that is given for one of the `reaches`."""
        return next((self.remedies[reach] for reach in reaches if reach in self.remedies), None)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A value that an operator gives to a profile: `${name}` in the profile stands for it. Data, never code."""

    help: str
    pattern: str
    """Regular expression that the whole value has to match."""
    example: str


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
    parameters: Mapping[str, Parameter] = {}
    values: Mapping[str, str] = {}
    """Of the parameters, as they were given."""
    unknowns: tuple[str, ...] = ()
    """What is not known of the incident, or not confirmed; shown wherever the profile is checked."""
    lines: Mapping[str, int] = {}
    """Where its parts stand in the file, by dotted name, for messages."""
