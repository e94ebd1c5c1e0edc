"""The real surroundings of a run: what they get before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.errors import UnknownNameError, UsageError
from recovery.model.credential import CredentialDefinition, FromCommand
from recovery.model.host import Fleet, Host
from recovery.settings import Settings, SshSection
from recovery.worlds import RealWorld


def world(folder: Path, transport: str = "ssh", jump: str = "jump") -> RealWorld:
    """One host with the credential `own`. Whoever fetches a credential leaves a file with its name."""
    credentials: dict[str, CredentialDefinition] = {
        name: FromCommand(
            argv=("/bin/sh", "-c", 'echo secret | tee "$0"; exit "$1"', str(folder / name), code)
        )
        for name in ("own", "jump", "broken")
        for code in ("1" if name == "broken" else "0",)
    }
    settings = Settings(credentials=credentials, ssh=SshSection(gateway_credential=jump))
    hosts = (Host(name="h", transport=transport, credential="own", gateway="op@bastion"),)
    return RealWorld(settings, Fleet(hosts=hosts), "r1")


def fetched(folder: Path) -> list[str]:
    """The credentials that somebody has fetched."""
    return sorted(path.name for path in folder.iterdir())


async def test_the_credentials_of_hosts_and_jump_hosts_are_fetched_before_a_run(
    tmp_path: Path,
) -> None:
    await world(tmp_path).prepare()
    assert fetched(tmp_path) == ["jump", "own"]


@pytest.mark.parametrize(("transport", "jump"), [("ssh", ""), ("pigeon", "jump")])
async def test_what_no_jump_host_needs_is_not_asked_for(
    tmp_path: Path, transport: str, jump: str
) -> None:
    await world(tmp_path, transport, jump).prepare()
    assert fetched(tmp_path) == ["own"]


async def test_a_jump_hosts_credential_that_is_not_to_be_had_ends_the_run_before_it_begins(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError):
        await world(tmp_path, jump="broken").prepare()
    with pytest.raises(UnknownNameError):
        await world(tmp_path, jump="jmup").prepare()
