"""Reading incident profiles, and checking that they are sane before a machine meets them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from recovery.documents import Document, read_yaml
from recovery.model.host import Os
from recovery.model.incident import (
    Artifact,
    Crash,
    Freeze,
    Incident,
    Platform,
    Proof,
    Reach,
    Remedy,
    Runbook,
)
from recovery.model.remedy import ArtifactKind, RemedyKind
from recovery.playbook.forms import Duration, Form, Path, seconds
from recovery.playbook.parameters import ParameterForm, fill_in
from recovery.playbook.report import Report
from recovery.playbook.sanity import problems

Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_QUARANTINE: Mapping[Os, str] = {
    "windows": r"%ProgramData%\FleetRecovery\quarantine",
    "linux": "/var/lib/fleet-recovery/quarantine",
    "macos": "/var/db/fleet-recovery/quarantine",
}
"""Where acts are written down if the profile says nothing."""


class ArtifactForm(Form, kw_only=True):
    """`artifact`: what the bad thing looks like; which fields it takes depends on its kind."""

    kind: ArtifactKind = "files"
    pattern: str = ""
    header: str = ""
    bad_from: Moment | None = None
    good_from: Moment | None = None
    margin: Duration = 0.0
    strike: Literal["matching", "listed"] = "listed"
    name: str = ""
    service: str = ""
    bad_versions: tuple[str, ...] = ()
    good_versions: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    module: str = ""
    package: str = ""


class CrashForm(Form, kw_only=True):
    """`crash`: how this incident's crash is told from others."""

    stop_codes: tuple[int, ...] = ()
    modules: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    returns: int = 2
    within: Duration = "15m"


class ProofForm(Form, kw_only=True):
    """`proof` of a platform: what has to hold beside boot identity and artifact."""

    services: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    settle: Duration = "10m"


class RemedyForm(Form, kw_only=True):
    """One of a platform's `remedies`."""

    kind: RemedyKind
    quarantine: str = ""
    versions: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


class PlatformForm(Form, kw_only=True):
    """One of `platforms`; its own `artifact` stands in for the profile's."""

    remedies: dict[Reach, RemedyForm]
    directory: str = ""
    artifact: ArtifactForm | None = None
    proof: ProofForm = msgspec.field(default_factory=ProofForm)


class WindowForm(Form, kw_only=True):
    """`window`: when the bad update was handed out, UTC."""

    began: Moment
    ended: Moment | None = None


class FreezeForm(Form, kw_only=True):
    """`freeze`: how to stop the vendor's feed."""

    title: str
    steps: tuple[str, ...]


class RunbookForm(Form, kw_only=True):
    """One of `runbooks`: a technician's checklist."""

    title: str
    steps: tuple[str, ...]
    minutes: int = 15
    kit: tuple[str, ...] = ()


class IncidentForm(Form, kw_only=True):
    """An incident's file."""

    incident: str
    title: str
    window: WindowForm
    platforms: dict[Os, PlatformForm]
    artifact: ArtifactForm | None = None
    summary: str = ""
    sources: tuple[str, ...] = ()
    crash: CrashForm = msgspec.field(default_factory=CrashForm)
    freeze: FreezeForm | None = None
    runbooks: dict[str, RunbookForm] = msgspec.field(default_factory=dict)
    parameters: dict[str, ParameterForm] = msgspec.field(default_factory=dict)
    unknowns: tuple[str, ...] = ()


def parse_incident(text: str, file: str, given: Mapping[str, str] | None = None) -> Incident:
    """The profile in `text` with the `given` parameters; without any, with its examples, only to be looked at.

    Raises `InputError` with the line of what is wrong, `UsageError` for parameters that are.
    """
    document = read_yaml(text, file)
    parameters, values = fill_in(document, given)
    _check_zones(document, document.data, ())
    form = document.convert(IncidentForm)
    crash = {
        **msgspec.structs.asdict(form.crash),
        "within": seconds(document, ("crash", "within"), form.crash.within),
    }
    return Incident(
        name=form.incident,
        title=form.title,
        began=form.window.began,
        ended=form.window.ended,
        summary=form.summary,
        sources=form.sources,
        freeze=Freeze(**msgspec.structs.asdict(form.freeze)) if form.freeze else None,
        platforms={os: _platform(document, form, os) for os in form.platforms},
        runbooks={
            name: Runbook(**msgspec.structs.asdict(runbook))
            for name, runbook in form.runbooks.items()
        },
        crash=Crash(**crash),
        parameters=parameters,
        values=values,
        unknowns=form.unknowns,
        lines=_lines(document, document.data, ()),
    )


def verify_incident(incident: Incident) -> Report:
    """Whether the profile is safe to act by: times, names, folders and figures."""
    found = dict.fromkeys(problems(incident))
    return Report(problems=tuple(sorted(found, key=lambda problem: problem.line)))


def _platform(document: Document, form: IncidentForm, os: Os) -> Platform:
    body = form.platforms[os]
    own = body.artifact or form.artifact
    if own is None:
        message = f"what is bad on {os}? give an artifact here, or one for the whole profile"
        raise document.error(message, ("platforms", os))
    where = ("platforms", os, "artifact") if body.artifact else ("artifact",)
    artifact = {
        **msgspec.structs.asdict(own),
        "directory": body.directory,
        "header": own.header.replace(" ", "").lower(),
        "sha256": tuple(digest.lower() for digest in own.sha256),
        "margin": seconds(document, (*where, "margin"), own.margin),
    }
    return Platform(
        artifact=Artifact(**artifact),
        proof=Proof(
            services=body.proof.services,
            processes=body.proof.processes,
            settle=seconds(document, ("platforms", os, "proof", "settle"), body.proof.settle),
        ),
        remedies={
            reach: Remedy(
                kind=remedy.kind,
                quarantine=remedy.quarantine or _QUARANTINE[os],
                versions=remedy.versions,
                copies=remedy.copies,
            )
            for reach, remedy in body.remedies.items()
        },
    )


def _check_zones(document: Document, data: Any, path: Path) -> None:
    """A time without its zone is an error: local time is never meant."""
    if isinstance(data, dict):
        for key, value in data.items():
            _check_zones(document, value, (*path, key))
    elif isinstance(data, datetime) and data.utcoffset() is None:
        shown = f"{data.isoformat()}Z"
        raise document.error(f"{path[-1]} needs its zone: write it in UTC, such as {shown}", path)


def _lines(document: Document, data: Any, path: Path) -> dict[str, int]:
    """The line of every key, by dotted name."""
    found: dict[str, int] = {}
    for key, value in data.items():
        place = (*path, key)
        found[".".join(map(str, place))] = document.line(place)
        if isinstance(value, dict):
            found |= _lines(document, value, place)
    return found
