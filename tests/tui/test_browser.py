"""The dashboard in a browser: who gets it, and that it is the dashboard."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from recovery.cli.main import main
from recovery.errors import UsageError
from recovery.playbook.library import bundled
from recovery.tui.browser import serve_dashboard
from tests.tui.terminal import ROOT, recovery


@dataclass(frozen=True)
class Page:
    """A dashboard that is served, as its process tells of it."""

    public_url: str
    key: str

    @property
    def link(self) -> str:
        return f"{self.public_url}/?key={self.key}"


@pytest.fixture
def server(home: Path) -> Iterator[Page]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["tui", "--mock", "--journal", str(home / "journal.db"), "--theme", "day"]
    words += [
        "-i",
        str(bundled("inventory") / "demo.yaml"),
        "--web",
        "--listen",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(
        recovery(*words), cwd=ROOT, env={"HOME": str(home)}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process:
        url, mark, key = process.stderr.readline().removeprefix("open ").strip().partition("/?key=")
        assert (url, mark) == (f"http://127.0.0.1:{port}", "/?key=")
        yield Page(url, key)
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert "runs go on" in process.stderr.read()


async def status(url: str, **headers: str) -> int:
    jar = aiohttp.DummyCookieJar()
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as session,
        session.get(url, headers=headers, allow_redirects=False) as response,
    ):
        return response.status


async def test_who_has_not_got_the_link_gets_nothing(server: Page) -> None:
    for path in ("/", "/ws", "/static/css/xterm.css", "/?key=", "/?key=guess", "/download/x"):
        assert await status(server.public_url + path) == 403
    assert await status(f"{server.public_url}/ws?key={server.key}") == 403
    assert await status(server.public_url, Cookie="recovery=guess") == 403
    assert await status(server.public_url, Cookie=f"recovery={server.key}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example:80"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Host": "rebound.example", "Origin": "http://rebound.example"},
    ],
)
async def test_other_pages_get_nothing_even_with_the_key(
    server: Page, headers: dict[str, str]
) -> None:
    cookie = f"recovery={server.key}"
    assert await status(server.link, **headers) == 403
    assert await status(f"{server.public_url}/ws", Cookie=cookie, **headers) == 403


async def test_the_link_gives_a_cookie_that_no_script_and_no_other_page_can_use(
    server: Page,
) -> None:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
        session.get(server.link, allow_redirects=False) as first,
    ):
        assert (first.status, first.headers["Location"]) == (303, "/")
        assert {"HttpOnly", "SameSite=Strict"} <= set(first.headers["Set-Cookie"].split("; "))
        async with session.get(server.public_url) as page:
            assert page.status == 200
            assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
            assert server.key not in await page.text()


async def test_the_page_shows_the_dashboard_and_obeys_keys(server: Page) -> None:
    cookie = {"Cookie": f"recovery={server.key}", "Origin": server.public_url}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.public_url}/ws?width=100&height=30", headers=cookie) as line,
    ):
        assert b"60" in await said(line, b"Situation")
        await line.send_json(["stdin", "5"])
        await said(line, b"host:NAME")


async def said(line: Any, words: bytes) -> bytes:
    """What came until these words came."""
    found = b""
    async with asyncio.timeout(60):
        async for message in line:
            if message.type == aiohttp.WSMsgType.BINARY:
                found += message.data
            if words in found:
                return found
    raise AssertionError(found)


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("8017", "expected ADDRESS:PORT"),
        ("127.0.0.1:", "expected ADDRESS:PORT"),
        ("127.0.0.1:99999", "expected ADDRESS:PORT"),
        ("0.0.0.0:80", "name the address"),
        ("[::]:80", "name the address"),
    ],
)
def test_a_place_to_listen_at_is_named_whole(listen: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        serve_dashboard(["tui"], listen, print)


def refused(home: Path, listen: str) -> str:
    done = subprocess.run(
        recovery("tui", "--web", "--listen", listen),
        cwd=ROOT,
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    return done.stderr


def test_a_port_that_is_taken_is_told(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused(home, f"127.0.0.1:{taken.getsockname()[1]}")
    assert "in use" in told
    assert "encrypted" not in told


def test_other_addresses_are_warned_of(home: Path) -> None:
    assert "nothing is encrypted" in refused(home, "192.0.2.1:8017")


def test_an_unknown_theme_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tui", "--theme", "nigth"]) == 2
    assert "night" in capsys.readouterr().err
