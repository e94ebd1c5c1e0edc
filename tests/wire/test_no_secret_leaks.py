"""A password is planted, used, refused and caught in a traceback; afterwards no byte of it is anywhere."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from tests.wire.peers import HOST, Process, Server, obey, reset, ssh_server

SECRET = "Planted-Pa55phrase-7Q2x"
"""No shell, encoding or format changes it."""

_INTERNAL_ERROR = """
import sys
from recovery.cli.main import main
from recovery.transports.ssh import SshTransport

async def broken(self, host, timeout):
    credential = await self._credentials.get(host.credential)
    raise ZeroDivisionError(f"with {credential!r} and {credential.password.reveal()}")

SshTransport.open = broken
sys.exit(main(sys.argv[1:]))
"""
"""The program with a fault in it that puts the secret right into the error's text."""


def forms(secret: str) -> Iterator[tuple[str, bytes]]:
    """Every form in which a secret could be found again, by name."""
    raw = secret.encode()
    for name, text in (("plain", raw), ("UTF-16", secret.encode("utf-16-le"))):
        yield name, text
        yield f"{name} hex", text.hex().encode()
        yield f"{name} HEX", text.hex().upper().encode()
        for shift in range(3):
            # What stands before moves the secret against the groups of three bytes; the ends belong to neighbours.
            whole = base64.b64encode(b"\0" * shift + text)
            inner = whole[(0, 2, 3)[shift] : len(whole) - 4]
            yield f"{name} base64, shifted by {shift}", inner
            yield (
                f"{name} base64 for URLs, shifted by {shift}",
                inner.translate(bytes.maketrans(b"+/", b"-_")),
            )


def test_the_forms_find_what_they_should() -> None:
    for around in (b"", b"x", b"xy", b"xyz"):
        sent = base64.b64encode(around + SECRET.encode() + b"tail")
        assert any(form in sent for name, form in forms(SECRET) if name.startswith("plain base64"))
    sent = base64.b64encode(f"$p = '{SECRET}'; x".encode("utf-16-le"))
    assert any(form in sent for name, form in forms(SECRET) if name.startswith("UTF-16 base64"))


class Accepting(Server):
    """Has the planted password."""

    @override
    def validate_password(self, username: str, password: str) -> bool:
        return password == SECRET


class Breaking(Server):
    """Breaks the connection off while it has the password in its hands."""

    @override
    def validate_password(self, username: str, password: str) -> bool:
        assert self._connection is not None
        transport = self._connection._transport
        reset(transport)
        return False


async def break_off(process: Process) -> None:
    """Answer half a line, and be gone."""
    process.stdout.write(b"fr1 hello")
    process.channel.get_connection().abort()


@asynccontextmanager
async def peer(kind: str) -> AsyncIterator[int]:
    """A server of that kind; its port."""
    behaviours: dict[str, tuple[type[Server], Callable[[Process], Awaitable[None]]]] = {
        "refuses": (Server, obey),
        "accepts": (Accepting, obey),
        "breaks while it signs in": (Breaking, obey),
        "breaks in its answer": (Accepting, break_off),
    }
    server, handle = behaviours[kind]
    async with ssh_server(handle, server=type("Own", (server,), {})) as port:
        yield port


async def recovery(
    folder: Path, *arguments: str, program: tuple[str, ...] = ("-m", "recovery")
) -> bytes:
    """What the program prints on both ways, with the secret in its environment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, "--config", str(folder / "settings.yaml")),
        *("--journal", str(folder / "journal.db"), *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PLANTED": SECRET},
    )
    async with asyncio.timeout(60):
        return (await process.communicate())[0]


def furnish(folder: Path, port: int) -> None:
    """Settings and an inventory of one host."""
    (folder / "settings.yaml").write_text(
        f'ssh: {{known_hosts: [], config: "", accept_new: true, pins: "{folder / "pins"}"}}\n'
        "credentials: {lab: {provider: env, user: op, variable: PLANTED}}\n"
    )
    (folder / "fleet.csv").write_text(
        f"name,address,port,os,kind,credential\npeer,{HOST},{port},linux,server,lab\n"
    )


def assert_nowhere(folder: Path, printed: bytes) -> None:
    """No form of the secret is in what was printed, or in any file that was left."""
    found = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "journal.db" in found
    for place, content in {**found, "output": printed}.items():
        leaks = [name for name, form in forms(SECRET) if form in content]
        assert not leaks, f"{place} holds the secret: {leaks}"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("refuses", b"refused"),
        ("accepts", b"finished"),
        ("breaks while it signs in", b"peer"),
        ("breaks in its answer", b"peer"),
    ],
)
async def test_no_form_of_a_password_is_left_anywhere(
    kind: str, said: bytes, tmp_path: Path
) -> None:
    async with peer(kind) as port:
        furnish(tmp_path, port)
        arguments = ("triage", "-i", str(tmp_path / "fleet.csv"), "-o", "jsonl", "-v")
        printed = await recovery(tmp_path, *arguments)
    assert said in printed
    for command in (
        ("events", "-o", "json"),
        ("hosts", "-o", "json"),
        ("explain", "peer"),
        ("runs", "show", "last"),
        ("status",),
        ("config",),
    ):
        told = await recovery(tmp_path, *command)
        assert told, command
        printed += told
    assert_nowhere(tmp_path, printed)


async def test_an_internal_error_with_the_secret_in_it_is_told_without_it(tmp_path: Path) -> None:
    async with peer("accepts") as port:
        furnish(tmp_path, port)
        arguments = ("triage", "-i", str(tmp_path / "fleet.csv"))
        printed = await recovery(tmp_path, *arguments, program=("-c", _INTERNAL_ERROR))
    assert b"internal error" in printed
    assert b"ZeroDivisionError" in printed
    assert_nowhere(tmp_path, printed)
