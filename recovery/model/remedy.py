"""The kinds of artifacts and remedies: what each is for, what it needs, and whether anything undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from recovery.model.host import Os

ArtifactKind = Literal[
    "files", "package", "update", "driver", "definitions", "kernel", "missing_file", "none"
]
"""`files`: files of a folder, by pattern; `package`: a package of Linux or macOS; `update`: a Windows update by its
KB number; `driver`: a driver of Windows, by file or service; `definitions`: a signature set of an antimalware product;
`kernel`: a Linux kernel; `missing_file`: a good file that the bad update took away; `none`: nothing on the disk is
bad, only the key is missing."""

RemedyKind = Literal[
    "quarantine",
    "restore_file",
    "driver_disable",
    "definitions_rollback",
    "package_remove",
    "package_version",
    "kernel_previous",
    "hand_over_only",
]


class RemedySpec(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of a kind of remedy before it may be used."""

    kind: RemedyKind
    artifacts: tuple[ArtifactKind, ...]
    """What it takes away."""
    systems: tuple[Os, ...] = ("windows", "linux")
    undo: bool = True
    """Whether the step `undo` takes it back."""
    window: bool = False
    """A crash at any moment of it does no harm, and it takes a moment: it may be carried out in a boot window."""
    privileges: str = ""
    """What the credential has to be allowed on the host."""
    done: str = ""
    """What it has done to the bad thing, in words: `the bad artifact is …`."""


REMEDIES: Mapping[RemedyKind, RemedySpec] = {
    spec.kind: spec
    for spec in (
        RemedySpec(
            kind="quarantine",
            artifacts=("files",),
            window=True,
            privileges="move files out of the artifact's folder",
            done="in quarantine",
        ),
        RemedySpec(
            kind="restore_file",
            artifacts=("missing_file",),
            window=True,
            privileges="write the missing file into its folder",
            done="back in its place",
        ),
        RemedySpec(
            kind="driver_disable",
            artifacts=("driver",),
            systems=("windows",),
            window=True,
            privileges="set the start type of a driver",
            done="disabled",
        ),
        RemedySpec(
            kind="definitions_rollback",
            artifacts=("definitions",),
            systems=("windows",),
            undo=False,
            privileges="run the product's own command as an administrator",
            done="rolled back",
        ),
        RemedySpec(
            kind="package_remove",
            artifacts=("package", "update"),
            undo=False,
            privileges="remove packages",
            done="removed",
        ),
        RemedySpec(
            kind="package_version",
            artifacts=("package",),
            systems=("linux",),
            privileges="install packages",
            done="replaced by a good version",
        ),
        RemedySpec(
            kind="kernel_previous",
            artifacts=("kernel",),
            systems=("linux",),
            privileges="set the boot loader's default",
            done="no longer the one that is started",
        ),
        RemedySpec(
            kind="hand_over_only",
            artifacts=(
                "files", "package", "update", "driver", "definitions", "kernel", "missing_file", "none",
            ),
            systems=("windows", "linux", "macos"),
            done="left to people",
        ),
    )
}  # fmt: skip
"""Every kind of remedy. What has `undo` false is said aloud by the verifier."""
