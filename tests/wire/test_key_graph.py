"""Recovery keys from a fake Microsoft Graph over TLS, a call for each key."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typing_extensions import override

from recovery.desk.sources.entra import EntraSource
from recovery.errors import KeySourceError, UnsupportedError
from recovery.model.key_source import FromEntra
from recovery.model.secret import Secret
from recovery.sim.wire.papers import Authority, server_context
from tests.unit.desk.key_cases import KEY, KEY_ID

TOKEN = "Planted-Token-41x"
Answer = Callable[["Graph"], None]


class Graph(http.server.BaseHTTPRequestHandler):
    """Answers as the test says."""

    answer: Answer
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"{self.path} {self.headers['Authorization']}")
        type(self).answer(self)

    def reply(self, status: int, body: object, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class Server(http.server.ThreadingHTTPServer):
    """Whoever hangs up on it has his reasons."""

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Nobody reads it."""


@contextmanager
def graph(
    folder: Path, answer: Answer, timeout: float = 5.0
) -> Iterator[tuple[EntraSource, list[str]]]:
    """A source that asks the fake server, and what it was asked."""
    authority = Authority(folder, datetime.now(UTC))  # noqa: TID251 - certificates are of today
    asked: list[str] = []
    handler = type("Own", (Graph,), {"answer": staticmethod(answer), "asked": asked})
    server = Server(("127.0.0.1", 0), handler)
    server.socket = server_context(authority.issue("127.0.0.1")).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/v1.0"
        definition = FromEntra(
            credential="t", url=url, ca_file=str(authority.file), timeout=timeout
        )
        yield EntraSource("entra", definition, Secret(TOKEN)), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def gives(status: int, body: object, **headers: str) -> Answer:
    return lambda handler: handler.reply(status, body, **headers)


def test_one_call_gives_one_key(tmp_path: Path) -> None:
    body = {"id": KEY_ID.lower(), "volumeType": "1", "key": KEY}
    with graph(tmp_path, gives(200, body)) as (source, asked):
        (found,) = source.find(KEY_ID)
    assert (found.key_id, found.secret.reveal(), found.source) == (KEY_ID, KEY, "entra")
    path = f"/v1.0/informationProtection/bitlocker/recoveryKeys/{KEY_ID}?$select=key"
    assert asked == [f"{path} Bearer {TOKEN}"]


def test_an_unknown_id_finds_nothing(tmp_path: Path) -> None:
    with graph(tmp_path, gives(404, {"error": {}})) as (source, _):
        assert source.find(KEY_ID) == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (gives(401, {}), "the access token is refused"),
        (gives(403, {}), "may not read keys: it needs BitLockerKey.Read.All"),
        (gives(429, {}, Retry_After="17"), "too many questions; try again in 17 s"),
        (gives(429, {}, Retry_After="<b>soon</b>"), "too many questions$"),
        (gives(503, {}), "it is overloaded"),
        (gives(302, b"", Location="https://127.0.0.1:1/"), "answers with status 302"),
        (gives(200, {"key": KEY[:-1] + "1"}), "holds no recovery key"),
        (gives(200, {"value": []}), "holds no recovery key"),
        (gives(200, b"<html>sign in</html>"), "holds no recovery key"),
        (gives(200, b"{" + b" " * 1_000_000), "holds no recovery key"),
        (gives(200, {"key": KEY, "id": KEY_ID[:-1] + "9"}), "about another key"),
        (lambda handler: handler.wfile.write(b"no HTTP\r\n"), "cannot be asked"),
        (lambda handler: handler.connection.close(), "cannot be asked"),
    ],
)
def test_whatever_else_it_answers_is_told_without_token_and_key(
    answer: Answer, message: str, tmp_path: Path
) -> None:
    with (
        graph(tmp_path, answer) as (source, _),
        pytest.raises(KeySourceError, match=message) as caught,
    ):
        source.find(KEY_ID)
    assert "Planted" not in str(caught.value)
    assert KEY[:20] not in str(caught.value)


def drips(handler: Graph) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "60000")
    handler.end_headers()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        threading.Event().wait(0.05)


def test_an_answer_that_never_ends_is_broken_off(tmp_path: Path) -> None:
    with graph(tmp_path, drips, timeout=0.5) as (source, _), pytest.raises(KeySourceError):
        source.find(KEY_ID)


def test_a_server_that_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with graph(tmp_path, gives(200, {"key": KEY})) as (source, asked):
        ca_file = str(Authority(other, datetime.now(UTC)).file)  # noqa: TID251 - of today
        wanted = FromEntra(
            credential="t", url=f"https://{source._host}:{source._port}", ca_file=ca_file
        )
        with pytest.raises(KeySourceError, match="certificate verify failed"):
            EntraSource("entra", wanted, Secret(TOKEN)).find(KEY_ID)
    assert asked == []


@pytest.mark.parametrize("url", ["http://graph.example/v1.0", "graph.example", "https:///v1.0"])
def test_nothing_but_https_is_asked(url: str) -> None:
    with pytest.raises(KeySourceError, match="expected https"):
        EntraSource("entra", FromEntra(credential="t", url=url), Secret(TOKEN))


def test_it_needs_the_whole_id_and_gives_no_list() -> None:
    source = EntraSource("entra", FromEntra(credential="t"), Secret(TOKEN))
    with pytest.raises(KeySourceError, match="all 36 characters"):
        source.find(KEY_ID[:8])
    with pytest.raises(UnsupportedError, match="one by one"):
        source.everything()
