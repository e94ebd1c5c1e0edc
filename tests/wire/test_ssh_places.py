"""Where connections go to: addresses, jump hosts, the client's configuration, and the pace behind one gateway."""

from __future__ import annotations

import asyncio
import errno
import socket
from pathlib import Path

import pytest

from recovery.errors import DeadlineError, TransportError
from recovery.model.host import Host
from recovery.transports.ssh import place as places
from recovery.transports.ssh.dial import Dialer
from recovery.transports.ssh.gateways import Gateways
from recovery.transports.ssh.place import Places
from recovery.transports.ssh.reasons import os_reason
from recovery.transports.ssh.settings import SshSettings
from tests.wire.peers import HOST, OneCredential, host, talker, transport


@pytest.mark.parametrize(
    ("text", "user", "address", "port"),
    [
        ("bastion", "", "bastion", 22),
        ("op@bastion", "op", "bastion", 22),
        ("op@bastion:2200", "op", "bastion", 2200),
        ("op@[fe80::1]:2200", "op", "fe80::1", 2200),
        ("[fe80::1]", "", "fe80::1", 22),
        ("fe80::1", "", "fe80::1", 22),
        (" dom@op@bastion ", "dom@op", "bastion", 22),
        ("bastion:ssh", "", "bastion", 22),
    ],
)
def test_a_jump_host_is_read(text: str, user: str, address: str, port: int) -> None:
    jump = Places("", lambda _: "").jump(text, "front")
    assert (jump.user, jump.address, jump.port, jump.gateway) == (user, address, port, "front")


@pytest.mark.parametrize(
    "text", ["bastion:99999", "[fe80::1]:99999", "bastion:0", "bastion:²", "bastion:x", ":22", "u@"]
)
def test_what_is_no_jump_host_is_refused(text: str) -> None:
    with pytest.raises(TransportError):
        Places("", lambda _: "").jump(text, "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"Host *\n Port abc\n", "config line 2: Invalid Port"),
        (b"Host *\n Port 99999\n", "port 99999 is not from 1 to 65535"),
        (b'Match exec "\n', "config line 1: No closing quotation"),
        (b"\xff\xfe", "codec can't decode"),
    ],
)
async def test_a_configuration_that_cannot_be_read_fails_hosts_and_says_why(
    tmp_path: Path, text: bytes, says: str
) -> None:
    config = tmp_path / "config"
    config.write_bytes(text)
    async with transport(config=str(config)) as way:
        assert (await way.look(Host(name="h"))).answers
        with pytest.raises(TransportError, match=r"config cannot be used as it stands") as caught:
            await way.open(Host(name="h"), 5.0)
    assert says in str(caught.value)
    assert "set `ssh.config`" in str(caught.value)


ODD_PLACES = [
    Host(name="h", address="-oProxyCommand=touch x"),
    Host(name="h", address="x -oProxyCommand=touch"),
    Host(name="h", address="x;touch x"),
    Host(name="h", address="$(touch x)"),
    Host(name="h", address="x\ny"),
    Host(name="h", address="x\0y"),
    Host(name="h", user="-lroot"),
    Host(name="h", user="`touch x`"),
    Host(name="h", user="a b"),
]


@pytest.mark.parametrize("odd", ODD_PLACES)
async def test_what_programs_could_take_for_more_than_a_name_reaches_none(
    tmp_path: Path, odd: Host
) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host *\n ProxyCommand touch {tmp_path}/ran %h %r\n")
    async with transport(config=str(config)) as way:
        with pytest.raises(TransportError, match="cannot be that of a host"):
            await way.open(odd, 5.0)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("address", "user"),
    [("10.0.0.1", "CORP\\op"), ("fe80::1%eth0", "op@corp.example"), ("_srv.b-ü.example", "a.b_c")],
)
def test_usual_names_are_not_refused(address: str, user: str) -> None:
    assert Places("", lambda _: "").of(Host(name="h", address=address, user=user)).user == user


@pytest.mark.parametrize("address", ["a..b", "x" * 70 + ".example", "x" * 300])
async def test_a_name_that_no_resolver_takes_is_a_host_that_does_not_answer(address: str) -> None:
    async with transport() as way:
        look = await way.look(Host(name="h", address=address))
    assert (look.answers, look.reason) == (False, "its name cannot be resolved")


def test_without_a_configuration_the_inventory_says_it_all() -> None:
    place = Places("/no/such/config", lambda _: "gate").of(
        Host(name="h", address="10.0.0.1", user="u", port=2022)
    )
    assert (place.address, place.port, place.user, place.gateway) == ("10.0.0.1", 2022, "u", "gate")
    assert place.known is None
    assert place.label == "[10.0.0.1]:2022"
    assert Places("", lambda _: "").of(Host(name="h")).label == "h"


def test_the_inventory_comes_before_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("Host h*\n HostName 10.9.9.9\n Port 2222\n User conf\n ProxyJump far\n")
    resolver = Places(str(config), lambda host: host.gateway)
    plain = resolver.of(Host(name="h1"))
    assert (plain.address, plain.port, plain.gateway) == ("10.9.9.9", 2222, "far")
    own = resolver.of(Host(name="h2", port=22, user="inv", gateway="near"))
    assert (own.port, own.user, own.gateway) == (22, "inv", "near")
    assert resolver.of(Host(name="alias", address="h1")).known is resolver.of(Host(name="h1")).known
    monkeypatch.setattr(places, "_MOST_KEPT", 2)
    for number in range(5):
        assert resolver.of(Host(name=f"h{number}", address=f"h{number}")).port == 2222
    assert len(resolver._kept) <= 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name cannot be resolved"),
        (OSError(errno.EHOSTUNREACH, "Connect call failed ('10.0.0.1', 22)"), "no route to host"),
        (ConnectionRefusedError(), "connection refused"),
        (OSError("Multiple exceptions: 10.0.0.1"), "the connection failed"),
    ],
)
def test_reasons_hold_no_addresses(error: OSError, reason: str) -> None:
    assert os_reason(error) == reason


async def test_connections_behind_a_gateway_are_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    settings = SshSettings(known_hosts=(), config="")
    gateways = Gateways(Dialer(settings, OneCredential()), Places("", lambda _: ""), rate=4.0)
    for _ in range(9):
        await gateways.pace("gate")
    assert slept == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.2)
    slept.clear()
    await gateways.pace("other")
    assert slept == []


async def test_a_gateway_that_hangs_holds_nobody_beyond_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with talker(silent) as port, transport() as ssh:
        gateway = f"op@{HOST}:{port}"
        results = await asyncio.gather(
            *(ssh.open(host(1, f"h{n}", gateway=gateway), 0.5) for n in range(4)),
            return_exceptions=True,
        )
        assert all(isinstance(result, TransportError) for result in results)
        assert any(isinstance(result, DeadlineError) for result in results)
