"""WinRM services that misbehave, over real sockets: each ends in one clear error in time, and hurts nobody else."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.errors import (
    DeadlineError,
    ReplyError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from recovery.model.host import Host
from recovery.remote import replies
from recovery.sim.wire import soap
from recovery.sim.wire import winrm as service
from recovery.sim.wire.fleet import WireFleet
from recovery.sim.wire.shells import ConnectionCutError, Outcome, Quotas, Work
from recovery.sim.wire.soap import Asked, FaultError
from tests.wire import fakes

SHORT = 1.0
START = 4.0
"""Seconds in which a worker process is there for certain."""
Handle = Callable[[Asked], Awaitable[bytes]]


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    """Nothing here may hang: every deadline is far below this."""
    async with asyncio.timeout(60):
        yield


@contextlib.asynccontextmanager
async def _service(
    folder: Path, operation: str, handle: Handle | None, quotas: Quotas | None = None
) -> AsyncIterator[tuple[WireFleet, Host]]:
    """A machine that does one operation in its own way."""
    host = fakes.winrm_host("w", https=False)
    async with fakes.fakes(folder, host, quotas=quotas) as served:
        shells = served.machines["w"].shells
        usual = shells.handle

        async def odd(asked: Asked) -> bytes:
            if handle is not None and asked.operation == operation:
                return await handle(asked)
            return await usual(asked)

        shells.handle = odd  # type: ignore[method-assign]
        yield served, host
        async with asyncio.timeout(20):
            while True:
                if served.counts.shells == 0:
                    break
                await asyncio.sleep(0.05)


async def _never(asked: Asked) -> bytes:
    await asyncio.Event().wait()
    return b""


async def _cut_off(asked: Asked) -> bytes:
    return soap.received(asked, "C", [("stdout", "QUJD", False)], None)[:-60]


async def _bomb(asked: Asked) -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY e0 "boom">{entities}]><x>&e11;</x>'.encode()


async def _outside(asked: Asked) -> bytes:
    return b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


async def _utf16(asked: Asked) -> bytes:
    return '<?xml version="1.0" encoding="utf-16"?><x/>'.encode("utf-16")


async def _not_base64(asked: Asked) -> bytes:
    return soap.received(asked, "C", [("stdout", "\u00e9", False)], None)


async def _breaks_off(asked: Asked) -> bytes:
    raise ConnectionCutError


async def _nonsense(asked: Asked) -> bytes:
    return b"\x1b[2J not xml"


async def _refuses(asked: Asked) -> bytes:
    raise FaultError(2150859173, "w:QuotaLimit", "\u202emaximum number of concurrent shells")


@pytest.mark.parametrize("operation", ["Command", "Send", "Receive"])
@pytest.mark.parametrize(
    ("handle", "error"),
    [
        (_never, DeadlineError),
        (_cut_off, ReplyError),
        (_bomb, ReplyError),
        (_outside, ReplyError),
        (_utf16, ReplyError),
        (_nonsense, ReplyError),
        (_breaks_off, SessionLostError),
    ],
)
async def test_during_a_command(
    handle: Handle, operation: str, error: type[TransportError], tmp_path: Path
) -> None:
    if operation == "Send" and handle in (_cut_off, _bomb, _outside, _utf16, _nonsense):
        error = TransportError  # pywinrm does not look at what comes back
    async with _service(tmp_path, operation, handle) as (_, host), fakes.winrm(tmp_path) as way:
        session = await way.open(host, 10)
        if error is TransportError:
            await _swallow(session.run(fakes.ask(host, timeout=SHORT)))
        else:
            with pytest.raises(error):
                await session.run(fakes.ask(host, timeout=SHORT))
        await session.aclose()


async def _swallow(work: Awaitable[object]) -> None:
    with contextlib.suppress(TransportError):
        await work


@pytest.mark.parametrize(
    ("handle", "error"),
    [
        (_never, DeadlineError),
        (_bomb, ReplyError),
        (_nonsense, ReplyError),
        (_breaks_off, UnreachableError),
        (_refuses, SessionLostError),
    ],
)
async def test_while_a_shell_is_opened(
    handle: Handle, error: type[TransportError], tmp_path: Path
) -> None:
    async with _service(tmp_path, "Create", handle) as (_, host), fakes.winrm(tmp_path) as way:
        with pytest.raises(error) as caught:
            await way.open(host, START)
        assert str(caught.value).isprintable()


async def test_a_stream_that_is_not_what_was_agreed(tmp_path: Path) -> None:
    async with (
        _service(tmp_path, "Receive", _not_base64) as (_, host),
        fakes.winrm(tmp_path) as way,
    ):
        session = await way.open(host, 10)
        with pytest.raises(ReplyError):
            await session.run(fakes.ask(host))
        await session.aclose()


async def test_output_without_end_is_read_up_to_its_bound(tmp_path: Path) -> None:
    sent = 0

    async def flood(asked: Asked) -> bytes:
        nonlocal sent
        sent += 1
        return soap.received(asked, "C", [("stdout", "eHh4" * 10_000, False)], None)

    async with _service(tmp_path, "Receive", flood) as (_, host), fakes.winrm(tmp_path) as way:
        session = await way.open(host, 10)
        command = fakes.ask(host)
        completed = await session.run(msgspec.structs.replace(command, output_limit=200_000))
        await session.aclose()
    assert completed.truncated
    assert len(completed.stdout) == 200_000
    assert sent < 20


async def test_a_whole_answer_counts_even_if_the_command_never_ends(tmp_path: Path) -> None:
    end = b'{"record":"boot","boot_id":"b"}\n{"record":"end","token":"t1","exit":0}\n'
    for said in (end, end.decode().replace("\n", "\r\n").encode("utf-16-le")):

        async def goes_on(asked: Asked, said: bytes = said) -> bytes:
            text = base64.b64encode(said).decode()
            return soap.received(asked, "C", [("stdout", text, False)], None)

        folder = tmp_path / str(len(said))
        folder.mkdir()
        async with _service(folder, "Receive", goes_on) as (_, host), fakes.winrm(folder) as way:
            session = await way.open(host, 10)
            for _ in range(2):
                completed = await session.run(fakes.ask(host, timeout=10))
                assert completed.exit_status is None
                assert replies.read(completed, "t1").records[0].boot_id == "b"  # type: ignore[union-attr]
            await session.aclose()


async def test_a_machine_that_never_has_anything_to_say_is_not_asked_without_end(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    async def nothing(question: Asked) -> bytes:
        asked.append(question.identity)
        return soap.received(question, "C", [], None)

    async with _service(tmp_path, "Receive", nothing) as (_, host), fakes.winrm(tmp_path) as way:
        session = await way.open(host, 10)
        with pytest.raises(DeadlineError):
            await session.run(fakes.ask(host, timeout=SHORT))
        await session.aclose()
    assert 1 < len(asked) <= 12


async def test_who_drips_while_a_shell_is_closed_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then is no silence, and would keep a thread of the worker for ever."""
    usual = service.Conversation._send
    dripping, hung_up = [False], asyncio.Event()

    async def drip(self: service.Conversation, *answer: Any) -> None:
        if not dripping[0]:
            await usual(self, *answer)
            return
        self._writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while not self._reader.at_eof():
                self._writer.write(b"x")
                await self._writer.drain()
                await asyncio.sleep(0.2)
        finally:
            hung_up.set()
        raise ConnectionResetError

    async def delete(asked: Asked) -> bytes:
        dripping[0] = True
        served.machines["w"].shells.clear()
        return soap.acknowledged(asked)

    monkeypatch.setattr(service.Conversation, "_send", drip)
    async with (
        _service(tmp_path, "Delete", delete) as (served, host),
        fakes.winrm(tmp_path) as way,
    ):
        session = await way.open(host, 10)
        await session.aclose()
        await hung_up.wait()
        dripping[0] = False


async def test_one_answer_beyond_all_bounds(tmp_path: Path) -> None:
    async def huge(asked: Asked) -> bytes:
        return soap.received(asked, "C", [("stdout", "eHh4" * 2_000_000, False)], None)

    async with _service(tmp_path, "Receive", huge) as (_, host), fakes.winrm(tmp_path) as way:
        session = await way.open(host, 10)
        with pytest.raises(ReplyError, match="more than any host sends"):
            await session.run(fakes.ask(host))
        await session.aclose()


async def test_a_shell_whose_quota_is_used_up_is_replaced(tmp_path: Path) -> None:
    refusals = 1

    async def start(asked: Asked) -> bytes:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise FaultError(2150859174, "w:QuotaLimit", "too many commands")
        return served.machines["w"].shells._start(asked)

    async with _service(tmp_path, "Command", start) as (served, host):
        async with fakes.winrm(tmp_path) as way:
            session = await way.open(host, 10)
            assert replies.read(await session.run(fakes.ask(host)), "t1").records
            await session.aclose()
        assert served.counts.shells_opened == 2


async def test_a_user_with_all_the_shells_that_are_allowed(tmp_path: Path) -> None:
    async with (
        _service(tmp_path, "", None, quotas=Quotas(shells=2)) as (_, host),
        fakes.winrm(tmp_path) as way,
    ):
        sessions = [await way.open(host, 10) for _ in range(2)]
        with pytest.raises(SessionLostError, match=r"has no room: .*allowed a maximum") as caught:
            await way.open(host, 10)
        assert caught.value.retryable
        for session in sessions:
            await session.aclose()
        await (await way.open(host, 10)).aclose()


async def test_what_powershell_says_in_clixml_is_read_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _service(tmp_path, "", None) as (served, host), fakes.winrm(tmp_path) as way:
        unknown = Outcome(
            stderr=b'#< CLIXML\r\n<Objs><S S="Error">no such thing_x000D__x000A_</S></Objs>',
            exit_code=3,
        )
        monkeypatch.setattr(served.machines["w"], "_work", lambda _command: _outcome(unknown))
        session = await way.open(host, 10)
        completed = await session.run(fakes.ask(host))
        await session.aclose()
    assert (completed.exit_status, completed.stderr) == (3, b"no such thing\n")
    with pytest.raises(ReplyError, match=r"exit status 3 .*: no such thing"):
        replies.read(completed, "t1")


def _outcome(outcome: Outcome) -> Work:
    return Work(carry_out=lambda: outcome)
