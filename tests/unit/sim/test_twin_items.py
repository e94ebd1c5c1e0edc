"""Simulated machines whose artifact is not files: the same records as the scripts', and the physics behind them."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.model.evidence import ArtifactListing
from recovery.model.host import Fleet, Host, Os
from recovery.model.incident import Artifact, Incident, Platform, Remedy
from recovery.model.remedy import ArtifactKind, RemedyKind
from recovery.remote import replies
from recovery.remote.records import Acted
from recovery.remote.replies import Reply
from recovery.sim.world import World
from tests.unit.sim.twin_factory import EPOCH, STEADY, HandClock, ask, host, incident, mix

KINDS: list[tuple[ArtifactKind, RemedyKind, Os]] = [
    ("package", "package_version", "linux"),
    ("package", "package_remove", "linux"),
    ("update", "package_remove", "windows"),
    ("driver", "driver_disable", "windows"),
    ("definitions", "definitions_rollback", "windows"),
    ("kernel", "kernel_previous", "linux"),
    ("missing_file", "restore_file", "windows"),
]


def profile(kind: ArtifactKind, remedy: RemedyKind, os: Os) -> Incident:
    artifact = Artifact(
        kind=kind, name="thing", pattern="svc.exe", directory="/d", bad_versions=("7.*",)
    )
    platform = Platform(
        artifact=artifact,
        proof=next(iter(incident().platforms.values())).proof,
        remedies={"full_system": Remedy(kind=remedy, quarantine="/q", versions=("6.5",))},
    )
    base = incident()
    return Incident(
        name="x", title="x", began=base.began, crash=base.crash, platforms={os: platform}
    )


class Twin:
    """One machine in an incident of that kind."""

    def __init__(self, kind: ArtifactKind, remedy: RemedyKind, os: Os, **faults: Any) -> None:
        self.clock = HandClock()
        self.host: Host = host(os=os, kind="server")
        self.remedy = remedy
        fleet = Fleet(hosts=(self.host,))
        self.world = World(
            fleet, profile(kind, remedy, os), mix(**STEADY, **faults), 7, clock=self.clock
        )

    def ask(self, action: str, token: str = "t1") -> Reply:
        reply = ask(self.world, self.host, action, token)
        assert isinstance(reply, Reply)
        return reply

    def listing(self) -> ArtifactListing:
        found = replies.evidence(self.ask("triage"), at=EPOCH, source="mock")
        return next(item for item in found if isinstance(item, ArtifactListing))


def done(reply: Reply, action: str) -> tuple[int, int, bool]:
    acted = reply.acted(action)
    assert isinstance(acted, Acted)
    return acted.files, acted.already, acted.nothing


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def test_a_remedy_takes_the_bad_thing_away_for_good(
    kind: tuple[ArtifactKind, RemedyKind, Os],
) -> None:
    twin = Twin(*kind, exposed=1.0)
    before = twin.listing()
    assert (before.kind, before.bad, before.intents) == (kind[0], True, ())
    assert done(twin.ask(twin.remedy, "i1"), twin.remedy) == (1, 0, False)
    assert done(twin.ask(twin.remedy, "i2"), twin.remedy) == (0, 1, False)
    after = twin.listing()
    assert (after.bad, after.intents, after.quarantined) == (False, ("i1",), 1)
    twin.ask("reboot", "b1")
    twin.clock.elapsed += 3600
    assert twin.world.alive(twin.host, 2)
    assert not twin.listing().bad


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def test_a_machine_that_never_had_it_is_left_alone(
    kind: tuple[ArtifactKind, RemedyKind, Os],
) -> None:
    twin = Twin(*kind)
    assert not twin.listing().bad
    assert done(twin.ask(twin.remedy, "i1"), twin.remedy) == (0, 0, True)
    assert twin.listing().intents == ()


def test_the_bad_thing_crashes_the_machine_at_its_next_start() -> None:
    twin = Twin("driver", "driver_disable", "windows", exposed=1.0)
    twin.ask("reboot", "b1")
    twin.clock.elapsed += 2 + 20 + 10 + 1
    assert not twin.world.alive(twin.host, 2)
    assert twin.world.machine("h1").crashed_by == "incident"


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[3], KINDS[5], KINDS[6]], ids=lambda kind: kind[0])
def test_undo_gives_it_back_once(kind: tuple[ArtifactKind, RemedyKind, Os]) -> None:
    twin = Twin(*kind, exposed=1.0)
    twin.ask(twin.remedy, "i1")
    assert done(twin.ask("undo", "u1"), "undo") == (1, 0, False)
    assert (twin.listing().bad, twin.listing().intents) == (True, ())
    assert done(twin.ask("undo", "u1"), "undo") == (0, 1, False)
    assert done(twin.ask("undo", "u2"), "undo") == (0, 0, True)


def test_a_remedy_without_an_undo_has_none_on_the_twin_either() -> None:
    twin = Twin("definitions", "definitions_rollback", "windows", exposed=1.0)
    assert [trouble.reason for trouble in twin.ask("undo", "u1").trouble] == ["unsupported"]


def test_a_credential_that_may_not_changes_nothing() -> None:
    twin = Twin("package", "package_version", "linux", exposed=1.0, quarantine_fails=1.0)
    reply = twin.ask(twin.remedy, "i1")
    assert done(reply, twin.remedy) == (0, 0, False)
    assert [refused.reason for refused in reply.refused] == ["permission"]
    assert twin.listing().bad


def test_a_machine_that_only_waits_for_its_key_is_well_when_it_has_it() -> None:
    twin = Twin("none", "hand_over_only", "windows", needs_key=1.0)
    assert twin.world.contact(twin.host)[0] == "silent"
    twin.world.enter_key("h1")
    twin.clock.elapsed += 600
    assert twin.world.contact(twin.host)[0] == "open"
    listing = twin.listing()
    assert (listing.kind, listing.bad, listing.items) == ("none", False, ())
    assert [trouble.reason for trouble in twin.ask("rollback", "i1").trouble] == ["unsupported"]
