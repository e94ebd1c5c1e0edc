"""One command on many hosts, as a program of its own: `python -m tests.perf.peer NAME FOLDER`.

The folder has `hosts` (a line `address port` each), `key` and `known_hosts`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncssh

from recovery.model.host import Host
from recovery.ports import Command, Credential
from recovery.transports.ssh import SshSettings, SshTransport

AT_ONCE = 100


class KeyFile:
    """One key for all hosts."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def get(self, name: str) -> Credential:
        return Credential(name=name, user="root", key_file=self._path)

    def refused(self, name: str) -> None:
        raise RuntimeError(name)

    def accepted(self, name: str) -> None:
        """As expected."""


def _hosts(folder: Path) -> list[tuple[str, int]]:
    lines = (line.split() for line in (folder / "hosts").read_text().splitlines())
    return [(address, int(port)) for address, port in lines]


async def bare(folder: Path) -> int:
    """A loop around asyncssh, as anybody would write it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(address: str, port: int) -> bool:
        async with (
            places,
            asyncssh.connect(
                address,
                port,
                username="root",
                client_keys=[key],
                known_hosts=known,
                config=None,
            ) as connection,
        ):
            return (await connection.run("true")).exit_status == 0

    key = asyncssh.read_private_key(folder / "key")
    known = asyncssh.read_known_hosts(str(folder / "known_hosts"))
    return sum(await asyncio.gather(*(one(*place) for place in _hosts(folder))))


async def transport(folder: Path) -> int:
    """The program's own way to hosts, with its look and its host key checks."""
    places = asyncio.Semaphore(AT_ONCE)
    known = (str(folder / "known_hosts"),)
    way = SshTransport(
        SshSettings(known_hosts=known, config=""), KeyFile(str(folder / "key")), lambda _: ""
    )

    async def one(address: str, port: int) -> bool:
        host = Host(name=address, address=address, port=port, os="linux", credential="c")
        async with places:
            if not (await way.look(host)).answers:
                return False
            session = await way.open(host, 30.0)
            try:
                done = await session.run(_TRUE)
            finally:
                await session.aclose()
        return done.exit_status == 0

    try:
        return sum(await asyncio.gather(*(one(*place) for place in _hosts(folder))))
    finally:
        await way.aclose()


async def pssh(folder: Path) -> int:
    """parallel-ssh, which has a loop of its own and checks no host keys."""
    # Imported here, so that the others do not pay for it.
    from pssh.clients import ParallelSSHClient  # noqa: PLC0415
    from pssh.config import HostConfig  # noqa: PLC0415

    places = _hosts(folder)
    client = ParallelSSHClient(
        [address for address, _ in places],
        host_config=[HostConfig(port=port) for _, port in places],
        user="root",
        pkey=str(folder / "key"),
        pool_size=AT_ONCE,
        allow_agent=False,
    )
    output = client.run_command("true")
    client.join(output)
    return sum(host.exit_code == 0 for host in output)


_TRUE = Command(  # noqa: S604 - the kind of shell at the other end
    action="run",
    shell="posix",
    script=b"fr_main() { true; }\n",
    settings={},
    token="t",
    timeout=30.0,
)


def main() -> None:
    """Print how many hosts answered well."""
    contender = {"bare": bare, "transport": transport, "pssh": pssh}[sys.argv[1]]
    sys.stdout.write(f"{asyncio.run(contender(Path(sys.argv[2])))}\n")


if __name__ == "__main__":
    main()
