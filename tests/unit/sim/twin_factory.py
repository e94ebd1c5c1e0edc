"""Small worlds for the tests of the mock twin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from recovery.model.host import Fleet, Host
from recovery.model.incident import Artifact, Crash, Incident, Platform, Proof, Remedy
from recovery.ports import Command, Completed
from recovery.remote.replies import read
from recovery.sim.faults import Faults, Mix
from recovery.sim.world import World

EPOCH = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
STEADY: dict[str, Any] = {"boot": [20, 20], "window": [10, 10], "dump": [5, 5]}


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed


def incident(*, with_times: bool = True) -> Incident:
    def platform(directory: str, quarantine: str) -> Platform:
        return Platform(
            artifact=Artifact(
                directory=directory,
                pattern="C-00000291*.sys",
                header="aaaaaaaa01002301",
                bad_from=datetime(2024, 7, 19, 4, 9, tzinfo=UTC) if with_times else None,
                good_from=datetime(2024, 7, 19, 5, 27, tzinfo=UTC) if with_times else None,
                margin=300.0,
            ),
            proof=Proof(services=("CSFalconService",), settle=60.0),
            remedies={"full_system": Remedy(quarantine=quarantine)},
        )

    return Incident(
        name="channel-291",
        title="Channel file 291",
        began=datetime(2024, 7, 19, 4, 9, tzinfo=UTC),
        crash=Crash(stop_codes=(0x50, 0x7E), modules=("csagent.sys",), texts=("csagent",)),
        platforms={
            "windows": platform("%WINDIR%\\System32\\drivers\\CrowdStrike", "%ProgramData%\\Kept"),
            "linux": platform("/CrowdStrike", "/var/kept"),
        },
    )


def host(name: str = "h1", **fields: Any) -> Host:
    return Host(name=name, transport="mock", **fields)


def faults(**fields: Any) -> Faults:
    return msgspec.convert(fields, Faults)


def mix(**fields: Any) -> Mix:
    return Mix(latency=0.0, default=faults(**fields))


def world(*hosts: Host, clock: HandClock, seed: int = 7, **fields: Any) -> World:
    return World(Fleet(hosts=hosts), incident(), mix(**fields), seed, clock=clock)


def command(action: str, token: str = "t1", *, timeout: float = 30.0, **settings: Any) -> Command:
    return Command(  # noqa: S604 - a field that names the dialect
        action=action,
        shell="powershell",
        script=b"",
        settings=settings,
        token=token,
        timeout=timeout,
    )


def ask(twin: World, asked: Host, action: str, token: str = "t1", **settings: Any) -> Any:
    """The whole `Reply` of a machine that answers now."""
    door, boot = twin.contact(asked)
    assert door == "open"
    fate, reply = twin.answer(asked, boot, command(action, token, **settings))
    assert fate == "whole"
    return read(Completed(stdout=reply, exit_status=0), token)
