"""Windows over SSH: the default shell is found out, and the strike goes through it, to a cmd that is real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from recovery.errors import ReplyError
from recovery.model.host import Host
from recovery.ports import Completed, Credential, Session
from recovery.remote import catalog, replies
from recovery.remote.launch import BOOTSTRAP, END_LINE, shell_of
from recovery.transports.ssh import SshSettings
from recovery.transports.ssh.transport import SshTransport
from tests.windows.test_strike_on_wine import INCIDENT, acted, bad, of_c
from tests.windows.wine import Wine

ADDRESS = "127.0.77.1"
HOST = Host(name="w1", address=ADDRESS, os="windows", user="admin")


class Held:
    """Credentials that need no password: the server asks for none."""

    async def get(self, name: str) -> Credential:
        return Credential(name=name, user="admin")

    def refused(self, name: str) -> None: ...

    def accepted(self, name: str) -> None: ...


class Open(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False


class Server:
    """An SSH server on loopback whose default shell is what `answer` makes of a line."""

    def __init__(self, shell: Wine | str | None = None) -> None:
        self.shell = shell
        self.port = 0
        self.lines: list[str] = []
        self.stdin: list[bytes] = []

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        line = process.command or ""
        self.lines.append(line)
        done = await self._answer(line, process)
        process.stdout.write(done.stdout)
        process.stderr.write(done.stderr)
        process.exit(done.exit_status or 0)

    async def _answer(self, line: str, process: asyncssh.SSHServerProcess[bytes]) -> Completed:
        if isinstance(self.shell, Wine):
            return await self.shell.run(line)
        stdin = await process.stdin.read()
        self.stdin.append(stdin)
        if line.startswith("echo "):
            said = line[5:].replace("$PSHOME", self.shell or "")
            return Completed(stdout=f"{said}\r\n".encode(), exit_status=0)
        return Completed(stdout=b'\n{"record":"end","token":"i1","exit":0}\n', exit_status=0)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncssh.listen(
        ADDRESS,
        0,
        server_factory=Open,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=made.serve,
        encoding=None,
    )
    made.port = listening.get_port()
    yield made
    listening.close()
    await listening.wait_closed()


async def opened(server: Server, folder: Path) -> Session:
    settings = SshSettings(known_hosts=(str(folder / "known"),), accept_new=True, config="")
    transport = SshTransport(settings, Held(), lambda _host: "")
    host = Host(name="w1", address=ADDRESS, port=server.port, os="windows", user="admin")
    return await transport.open(host, 10)


@pytest.mark.slow
@pytest.mark.xdist_group("wine")
async def test_a_strike_over_ssh_is_carried_out_by_cmd(
    server: Server, wine: Wine, tmp_path: Path
) -> None:
    server.shell = wine
    folder = of_c(wine)
    bad(folder, "C-00000291-grün & 日本.sys")
    session = await opened(server, tmp_path)
    made = catalog.command("strike", HOST, INCIDENT, token="i1", timeout=30)
    for expected in ((1, 0, False), (0, 1, False)):
        assert acted(replies.read(await session.run(made), "i1")) == expected
    await session.aclose()
    assert list(folder.iterdir()) == []
    assert [line.startswith("echo ") for line in server.lines] == [True, False, False]


async def test_a_default_shell_of_powershell_gets_the_bootstrap_and_no_second_powershell(
    server: Server, tmp_path: Path
) -> None:
    server.shell = r"C:\Windows\System32\WindowsPowerShell\v1.0"
    session = await opened(server, tmp_path)
    made = catalog.command("triage", HOST, INCIDENT, token="i1", timeout=30)
    assert replies.read(await session.run(made), "i1").records == ()
    await session.aclose()
    assert server.lines[1] == BOOTSTRAP
    assert server.stdin[1].endswith(f"{END_LINE}\n".encode())


async def test_a_host_that_is_no_windows_is_said_to_be_none(server: Server, tmp_path: Path) -> None:
    session = await opened(server, tmp_path)
    made = catalog.command("triage", HOST, INCIDENT, token="i1", timeout=30)
    with pytest.raises(ReplyError, match="neither cmd nor PowerShell"):
        await session.run(made)
    await session.aclose()


@pytest.mark.parametrize(
    ("said", "shell"),
    [
        (b"fleet-recovery=C:\\Windows\\system32\\cmd.exe=$PSHOME\r\n", "cmd"),
        (b"banner\r\nfleet-recovery=c:\\WINDOWS\\System32\\CMD.EXE=$PSHOME\r\n", "cmd"),
        (b"fleet-recovery=%COMSPEC%=C:\\Program Files\\PowerShell\\7\r\n", "powershell"),
        (b"fleet-recovery=%COMSPEC%=\n", None),
        (b"", None),
        (b"command not found", None),
    ],
)
def test_the_shells_are_told_apart(said: bytes, shell: str | None) -> None:
    assert shell_of(said) == shell
