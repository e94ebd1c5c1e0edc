"""Peers on loopback: SSH servers of asyncssh, and ends of connections that keep to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh

from recovery.errors import CredentialStoppedError
from recovery.model.host import Host
from recovery.model.secret import Secret
from recovery.ports import Command, Credential
from recovery.transports.ssh import SshSettings, SshTransport

HOST = "127.0.9.1"
Process = asyncssh.SSHServerProcess[bytes]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class OneCredential:
    """A credential for every name, with a breaker as the program's own."""

    def __init__(self, **means: Any) -> None:
        self.means = means
        self.refusals = 0
        self.acceptances = 0
        self.asked: list[str] = []

    async def get(self, name: str) -> Credential:
        self.asked.append(name)
        if self.refusals >= 3:
            raise CredentialStoppedError
        return Credential(name=name, **self.means)

    def refused(self, name: str) -> None:
        self.refusals += 1

    def accepted(self, name: str) -> None:
        self.acceptances += 1


def password(text: str = "right") -> OneCredential:
    return OneCredential(user="op", password=Secret(text))


@contextlib.asynccontextmanager
async def transport(
    credentials: OneCredential | None = None, **settings: Any
) -> AsyncIterator[SshTransport]:
    """A transport that knows no host's key, and accepts each at first sight unless `settings` say otherwise."""
    wanted = {"known_hosts": (), "config": "", "accept_new": True, "look_timeout": 0.4, **settings}
    made = SshTransport(
        SshSettings(**wanted),
        credentials or password(),
        lambda host: host.gateway,
    )
    try:
        yield made
    finally:
        await made.aclose()


def host(port: int, name: str = "peer", **more: str) -> Host:
    return Host(name=name, address=HOST, port=port, os="linux", credential="c", **more)  # type: ignore[arg-type]


def command(
    script: bytes = b"exit 0\n", *, timeout: float = 20.0, output_limit: int = 4_000_000
) -> Command:
    return Command(  # noqa: S604 - the shell is the endpoint's
        action="run",
        shell="posix",
        script=script,
        settings={},
        token="t1",
        timeout=timeout,
        output_limit=output_limit,
    )


class Server(asyncssh.SSHServer):
    """Lets in whoever has the password, and counts who tries one."""

    tries = 0
    banner = ""

    def __init__(self) -> None:
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if self.banner and self._connection is not None:
            self._connection.send_auth_banner(self.banner)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        type(self).tries += 1
        return password == "right"


async def obey(process: Process) -> None:
    """Carry the script out, as sshd does."""
    script = await process.stdin.read()
    shell = await asyncio.create_subprocess_exec("/bin/sh", "-s", stdin=-1, stdout=-1, stderr=-1)
    try:
        stdout, stderr = await shell.communicate(script)
    finally:
        shell._transport.close()  # type: ignore[attr-defined]  # who hangs up leaves it running otherwise
    process.stdout.write(stdout)
    process.stderr.write(stderr)
    process.exit(shell.returncode or 0)


@contextlib.asynccontextmanager
async def ssh_server(
    handle: Callable[[Process], Awaitable[None]] | None = obey,
    *,
    server: type[Server] | None = None,
    key: asyncssh.SSHKey | None = None,
    **options: Any,
) -> AsyncIterator[int]:
    """An SSH server that does with commands what `handle` says, or runs none; its port."""
    kind = server or type("Own", (Server,), {})

    async def guarded(process: Process) -> None:
        assert handle is not None
        with contextlib.suppress(OSError, asyncssh.Error, asyncio.CancelledError):
            await handle(process)

    made = await asyncssh.create_server(
        kind,
        HOST,
        0,
        server_host_keys=[key or asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=guarded if handle is not None else None,
        encoding=None,
        **options,
    )
    try:
        yield made.get_port()
    finally:
        made.close()
        await made.wait_closed()


@contextlib.asynccontextmanager
async def talker(talk: Talk) -> AsyncIterator[int]:
    """A TCP server that does what `talk` says with each connection; its port."""
    links: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        links.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await talk(reader, writer)

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in links:
            writer.transport.abort()
        await server.wait_closed()


@contextlib.contextmanager
def unaccepting() -> Iterator[int]:
    """A port whose queue of connections is full, so that the system answers nobody any more."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((HOST, 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((HOST, port))
        yield port


def reset(link: asyncio.WriteTransport | None) -> None:
    """End a connection by RST."""
    assert link is not None
    link.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
    )
    link.abort()


def known_hosts(folder: Path, port: int, key: asyncssh.SSHKey) -> str:
    """A known_hosts file that has `key` for the peer at `port`."""
    path = folder / f"known_hosts_{port}"
    path.write_text(f"[{HOST}]:{port} {key.export_public_key().decode()}")
    return str(path)
