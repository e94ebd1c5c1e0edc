"""Blockers: only a clear yes lets a run go on, and no answer takes longer than it may."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from recovery.blocker import blocker
from recovery.errors import UsageError
from recovery.model.secret import Secret
from recovery.programs import words_of
from recovery.redact import register


def answer(words: Sequence[str], timeout: float = 5.0) -> str:
    """What the blocker says."""
    ask = blocker(words, timeout)
    assert ask is not None
    return asyncio.run(ask())  # type: ignore[arg-type]


PROGRAMS = {
    "yes": ("exit 0", ""),
    "yes with words": ("echo fine; exit 0", ""),
    "no": ("exit 3", "sh ended with status 3"),
    "no with a reason": ("echo; echo '  change freeze'; echo more; exit 1", "change freeze"),
    "reason on standard error": ("echo 'no API' >&2; exit 1", "no API"),
    "escapes": ("printf '\\033[2Jboo\\n'; exit 1", "\N{REPLACEMENT CHARACTER}[2Jboo"),
    "killed": ("kill -9 $$", "sh ended with status -9"),
    "floods": ("yes not-now", "sh printed more than 4096 bytes"),
    "hangs": ("sleep 60", "sh did not end within 0.5 s"),
    "leaves a child behind": ("sleep 60 & exit 0", "sh did not end within 0.5 s"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_what_a_program_says(case: str) -> None:
    script, said = PROGRAMS[case]
    assert answer(["sh", "-c", script], 0.5 if "0.5" in said else 10.0) == said


def test_a_program_that_is_not_there_holds_the_run(tmp_path: Path) -> None:
    assert "cannot be started: No such file" in answer([str(tmp_path / "gone")])
    assert "cannot be started" in answer(["a\0b"])


def test_a_reason_is_short_and_carries_no_secret() -> None:
    register(Secret("blocker-secret-99"))
    said = answer(["sh", "-c", f"echo blocker-secret-99 {'x' * 400}; exit 1"])
    assert "secret" not in said
    assert len(said) == 200


@contextmanager
def page(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on loopback, and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(5.0)
                        serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/may-i?fleet=all"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def fixed(reply: bytes) -> Callable[[socket.socket], None]:
    """Reads the question, gives this reply and closes."""

    def serve(connection: socket.socket) -> None:
        assert b"GET /may-i?fleet=all HTTP/1.1" in connection.recv(65536)
        connection.sendall(reply)

    return serve


def drip(connection: socket.socket) -> None:
    """Sends a header that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not threading.Event().wait(0.05):
        connection.sendall(b"x")


def silent(connection: socket.socket) -> None:
    """Never answers."""
    while connection.recv(65536):
        pass


PAGES = {
    "yes": (fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"), ""),
    "nothing to say": (fixed(b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
    "no": (fixed(b"HTTP/1.1 503 Busy\r\nContent-Length: 12\r\n\r\nalert fires\n"), "alert fires"),
    "no reason": (fixed(b"HTTP/1.1 423 Locked\r\nContent-Length: 0\r\n\r\n"), "status 423"),
    "sign in first": (fixed(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n"), "status 302"),
    "endless page": (fixed(b"HTTP/1.1 500 Oops\r\n\r\n" + b"n" * 1_000_000), "n" * 200),
    "no HTTP": (fixed(b"SSH-2.0-OpenSSH_9.6\r\n"), "cannot be asked"),
    "closes": (fixed(b""), "cannot be asked"),
    "drips": (drip, "did not answer in 0.5 s"),
    "silent": (silent, "cannot be asked"),
}


@pytest.mark.parametrize("case", PAGES)
def test_what_a_page_says(case: str) -> None:
    serve, said = PAGES[case]
    with page(serve) as url:
        found = answer([url], 0.5 if case in ("drips", "silent") else 5.0)
    assert said in found
    assert bool(found) == (case not in ("yes", "nothing to say"))


def test_a_page_that_nobody_serves_holds_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "cannot be asked" in answer([f"http://127.0.0.1:{port}/"])


@pytest.mark.parametrize(
    "url",
    ["ftp://x/y", "file:///etc/passwd", "http:///x", "https://u:p@x/", "http://x:port/"],
)
def test_a_url_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="blocker"):
        blocker([url])


def test_no_words_are_no_blocker() -> None:
    assert blocker(()) is None
    assert words_of("ask 'change board' --now") == ("ask", "change board", "--now")
    for wrong in ("", "  ", "'open"):
        with pytest.raises(ValueError, match=r"expected|quotation"):
            words_of(wrong)
