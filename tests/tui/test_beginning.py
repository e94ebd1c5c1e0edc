"""A run begins as it was confirmed and once, or is said not to have begun: with processes of their own."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.errors import RefusedError
from recovery.journal.lease import Lease, is_held_by
from recovery.journal.reader import Reader
from recovery.model.evidence import Verdict
from recovery.planning import Request
from recovery.tui import service_gateway
from recovery.tui.deck import Deck
from recovery.tui.service_gateway import ServiceGateway
from tests.tui.scene import NOTHING_IS_HEARD, RUN, Stage, names, stepped

DARK = ("verdict = dark",)


def gateway_of(stage: Stage) -> ServiceGateway:
    deck = Deck(inventory=(str(stage.inventory),), mock=stage.mock, speed="max", by="ada")
    return ServiceGateway(stage.service, deck)


def runs_of(stage: Stage) -> list[str]:
    with closing(Reader.open(stage.journal)) as log:
        return log.runs()


def found_dark(stage: Stage, *hosts: str) -> None:
    stage.say(*(stepped(host, 30, Verdict.DARK, evidence=(NOTHING_IS_HEARD,)) for host in hosts))


async def test_a_plan_that_has_become_another_one_is_not_begun(tmp_path: Path, home: Path) -> None:
    stage = Stage(tmp_path, mock=False)
    here = stage.inventory.read_text().replace('"10.', '"127.')
    stage.inventory.write_text(here)
    stage.begin(playbook="triage")
    found_dark(stage, "atl-kiosk-01")
    gateway = gateway_of(stage)
    prepared = await gateway.prepare(gateway.request("quarantine", DARK))
    assert prepared.order == ("atl-kiosk-01",)
    found_dark(stage, *names("atl-kiosk-", 20))
    confirmed = msgspec.structs.replace(prepared.request, plan=prepared.digest)
    with pytest.raises(RefusedError, match=r"not the plan that was confirmed.* 20 hosts"):
        await gateway.start(confirmed)
    assert runs_of(stage) == [RUN]


async def test_a_run_begins_under_an_id_of_its_own(stage: Stage) -> None:
    gateway = gateway_of(stage)
    prepared = await gateway.prepare(gateway.request("triage"))
    confirmed = msgspec.structs.replace(prepared.request, plan=prepared.digest)
    first = await gateway.start(confirmed)
    second = await gateway.start(confirmed)
    for child in gateway._children:
        child.wait()
    assert first != second
    assert runs_of(stage) == [first, second]


async def test_the_run_of_another_process_is_not_taken_for_the_one_that_was_begun(
    stage: Stage,
) -> None:
    stage.begin()
    lease = Lease.take(stage.journal, RUN)
    assert lease is not None
    assert is_held_by(stage.journal, RUN, os.getpid())
    assert not is_held_by(stage.journal, RUN, os.getpid() + 1)
    gateway = gateway_of(stage)
    asked = msgspec.structs.replace(gateway.request("triage"), run=RUN)
    with lease, pytest.raises(RefusedError, match="there is a run"):
        await gateway.start(asked)


async def test_a_run_is_taken_up_by_its_own_process(stage: Stage) -> None:
    stage.begin(playbook="triage")
    gateway = gateway_of(stage)
    assert await gateway.take_up(RUN) == RUN
    gateway._children[0].wait()


async def test_a_run_that_somebody_else_took_up_meanwhile_is_not_taken_for_ones_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.begin(playbook="triage")
    gateway = gateway_of(stage)
    lease = Lease.take(stage.journal, RUN)
    assert lease is not None
    resumed = iter((0, *[1] * 1000))
    monkeypatch.setattr(gateway, "_resumed", lambda _run: next(resumed))
    with lease, pytest.raises(RefusedError, match="carried out by process"):
        await gateway.take_up(RUN)


async def test_what_has_not_begun_in_time_is_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_request: Request, _journal: str, _config: str) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(600)"]

    monkeypatch.setattr(service_gateway, "_PATIENCE", 0.2)
    monkeypatch.setattr(service_gateway, "words_for", slow)
    gateway: Any = gateway_of(stage)
    with pytest.raises(RefusedError, match=r"has not begun after 0 s; process \d+ is at it still"):
        await gateway.start(gateway.request("triage"))
    (child,) = gateway._children
    child.stop()
    child.wait()


async def test_a_run_that_was_over_before_anybody_looked_has_begun(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_gateway, "is_held_by", lambda *_: False)
    gateway = gateway_of(stage)
    run = await gateway.start(gateway.request("triage"))
    assert runs_of(stage) == [run]
