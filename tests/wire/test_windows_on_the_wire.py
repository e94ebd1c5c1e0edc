"""Windows machines over SSH and WinRM: the same actions, with what each of them is sent as."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from recovery.model.evidence import ArtifactListing, BootIdentity
from recovery.model.host import Host
from recovery.ports import Session
from recovery.remote import replies
from recovery.remote.replies import Reply
from tests.unit.remote.shells import BEGAN
from tests.wire import fakes


@contextlib.asynccontextmanager
async def machine(way: str, folder: Path) -> AsyncIterator[tuple[Host, Session]]:
    host = fakes.winrm_host("w")
    if way == "ssh":
        host = msgspec.structs.replace(fakes.ssh_host("w"), os="windows")
    async with (
        fakes.fakes(folder, host),
        fakes.ssh(folder) if way == "ssh" else fakes.winrm(folder) as transport,
    ):
        session = await transport.open(host, 20)
        yield host, session
        await session.aclose()


async def ask(host: Host, session: Session, action: str, token: str) -> Reply:
    return replies.read(await session.run(fakes.ask(host, action, token)), token)


def acted(reply: Reply, action: str = "quarantine") -> tuple[int, int, bool]:
    done = reply.acted(action)
    assert done is not None
    return done.files, done.already, done.nothing


@pytest.mark.parametrize("way", ["ssh", "winrm"])
async def test_a_strike_is_carried_out_once_and_seen_by_the_triage_behind_it(
    way: str, tmp_path: Path
) -> None:
    async with machine(way, tmp_path) as (host, session):
        before = replies.evidence(await ask(host, session, "triage", "t1"), at=BEGAN, source=way)
        assert next(item for item in before if isinstance(item, ArtifactListing)).bad
        files, already, nothing = acted(await ask(host, session, "strike", "i1"))
        assert (files > 0, already, nothing) == (True, 0, False)
        assert acted(await ask(host, session, "strike", "i1")) == (0, files, False)
        after = replies.evidence(await ask(host, session, "prove", "t2"), at=BEGAN, source=way)
        listing = next(item for item in after if isinstance(item, ArtifactListing))
        assert (listing.bad, listing.quarantined, listing.intents) == (False, files, ("i1",))
        assert any(isinstance(item, BootIdentity) and item.boot_id for item in after)
        assert acted(await ask(host, session, "undo", "u1"), "undo") == (files, 0, False)
