"""The page's process: where it listens, its certificates, what the desk hands out for it, and its end."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from recovery.cli.serve import Figures
from recovery.errors import InputError, UsageError
from recovery.service.field_desk import FieldDesk
from recovery.settings import load
from recovery.web import tls
from recovery.web.serving import Place, listening, url_of
from tests.unit.journal.happenings import BEGAN
from tests.web.field_scene import IDS, KEYS
from tests.web.served import Served, refused

Serve = Callable[..., Served]


def test_over_tls_with_a_certificate_whose_fingerprint_is_said(serve: Serve, office: Path) -> None:
    served = serve("--self-signed")
    assert served.url.startswith("https://127.0.0.1:")
    place = urlsplit(served.url)
    pem = ssl.get_server_certificate((str(place.hostname), int(place.port or 0)))
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest().hex(":").upper()
    assert found in served.log
    assert (office / "journal.db.field-tls.pem").stat().st_mode & 0o077 == 0
    status, body = served.ask("GET", "/enter")
    assert status == 200
    assert "personal link" in body
    assert served.end() == 0
    assert found in serve("--self-signed").log


def test_media_get_the_certificate_and_not_its_key(serve: Serve, office: Path) -> None:
    served = serve("--self-signed")
    block = served.run("desk", "medium", "certificate")
    assert "PRIVATE" not in block
    place = urlsplit(served.url)
    context = ssl.create_default_context(cadata=block)
    with (
        socket.create_connection((str(place.hostname), int(place.port or 0)), 30) as wire,
        context.wrap_socket(wire, server_hostname=place.hostname) as line,
    ):
        assert line.version()


def test_what_media_cannot_trust_is_not_given_to_them(serve: Serve, office: Path) -> None:
    file = office / "journal.db.field-tls.pem"
    with pytest.raises(UsageError, match="no certificate was made here"):
        tls.public_part(file)
    file.write_text("no certificate")
    file.chmod(0o600)
    with pytest.raises(InputError, match="cannot be read"):
        tls.public_part(file)
    file.unlink()
    tls.self_signed(file, ["127.0.0.1"], BEGAN)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        serve().run("desk", "medium", "certificate")
    assert "served last without" in caught.value.stderr


def test_a_link_of_the_desk_opens_the_page_and_its_session_outlives_it(
    serve: Serve, office: Path
) -> None:
    served = serve()
    link = urlsplit(served.link("ann"))
    assert f"{link.scheme}://{link.netloc}" == served.url
    token = link.query.removeprefix("t=")
    place = urlsplit(served.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), 30) as wire:
        body = f"token={token}".encode()
        wire.sendall(
            b"POST /enter HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        answer = b"".join(iter(lambda: wire.recv(65536), b"")).decode()
    cookie = re.search(r"set-cookie: (field=[^;]+)", answer)
    assert cookie
    assert served.ask("GET", "/", Cookie=cookie.group(1))[0] == 200
    served.end()
    assert token not in served.log
    assert "GET '/' 200" in served.log
    again = serve()
    assert "2 wait" in again.ask("GET", "/", Cookie=cookie.group(1))[1]
    again.run("desk", "unlink", "ann")
    assert again.ask("GET", "/", Cookie=cookie.group(1))[0] == 401


def test_a_medium_reports_over_the_wire(serve: Serve, office: Path) -> None:
    served = serve("--keys-to-media")
    token = served.run("desk", "medium", "add", "stick-7").strip()
    status, body = served.ask(
        "POST",
        "/check-in",
        {"serial": "S1", "host": "atl-kiosk-03", "key_id": IDS[0], "did": "removed", "want": "key"},
        Authorization=f"Bearer {token}",
    )
    assert (status, body) == (
        409,
        "noted atl-kiosk-03\nno key: no lead has approved atl-kiosk-03 for it\n",
    )
    assert [it["medium"] for it in json.loads(served.run("desk", "medium", "list", "-o", "json"))]
    assert "stick-7" in served.run("desk", "medium", "list")
    served.run("desk", "medium", "revoke", "stick-7")
    assert served.ask("POST", "/check-in", {"a": "b"}, Authorization=f"Bearer {token}")[0] == 401
    events = served.run("events", "-o", "jsonl")
    assert token not in events
    assert "medium.reported" in events
    assert not any(key in served.log + events for key in KEYS.values())


def test_figures_are_served(serve: Serve, office: Path, tmp_path: Path) -> None:
    served = serve()
    assert served.ask("GET", "/metrics", Host="evil.example")[0] == 403
    status, body = served.ask("GET", "/metrics")
    assert status == 200, body
    assert "fleet_recovery_total_hosts" in body
    file = tmp_path / "token"
    file.write_text("scraper-token-0123456789\n")
    file.chmod(0o600)
    guarded = serve("--metrics-token", str(file))
    assert guarded.ask("GET", "/metrics")[0] == 401
    bearer = "Bearer scraper-token-0123456789"
    assert guarded.ask("GET", "/metrics", Authorization=bearer)[0] == 200


def test_figures_are_believed_for_a_while(office: Path) -> None:
    now = [0.0]
    figures = Figures(load(str(office / "settings.yaml")).settings, (), lambda: now[0])
    first = figures()
    FieldDesk(load(str(office / "settings.yaml")).settings).add(["h9"], "dark")
    now[0] = 14.0
    assert figures() == first
    now[0] = 15.0
    assert b"total_hosts 3.0" in figures()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--bind", "0.0.0.0"], "over TLS only"),  # noqa: S104 - it is refused
        (["--bind", "::"], "over TLS only"),
        (["--bind", "example"], "expected an address"),
        (["--cert", "c.pem"], "together"),
        (["--cert", "c.pem", "--key", "k.pem", "--self-signed"], "together"),
        (["--cert", "/nowhere/c.pem", "--key", "/nowhere/k.pem"], "/nowhere/k.pem"),
        (["--metrics-token", "/nowhere/token"], "/nowhere/token"),
        (["--bind", "127.0.0.1", "--port", "99999"], "65535"),
    ],
)
def test_starts_that_are_refused(office: Path, words: list[str], why: str) -> None:
    code, said = refused(office, words)
    assert code == 2, said
    assert why in said


@pytest.mark.parametrize(
    ("place", "host"),
    [
        (Place(address="127.0.0.1", port=0), "127.0.0.1"),
        (Place(address="::1", port=0), "[::1]"),
        (Place(address="0.0.0.0", port=0), socket.gethostname()),  # noqa: S104
        (Place(address="0.0.0.0", port=0, name="desk"), "desk"),  # noqa: S104
    ],
)
def test_links_lead_to_what_a_phone_can_open(place: Place, host: str) -> None:
    with listening(place) as listener:
        assert url_of(place, listener).rpartition(":")[0] == f"http://{host}"


def test_a_port_that_is_taken_is_said(serve: Serve, office: Path) -> None:
    port = str(urlsplit(serve().url).port)
    code, said = refused(office, ["--port", port])
    assert code == 2
    assert f"port {port} cannot be served" in said


def test_a_short_token_for_figures_is_refused(office: Path) -> None:
    file = office / "token"
    file.write_text("short")
    file.chmod(0o600)
    assert "at least 16" in refused(office, ["--metrics-token", str(file)])[1]
    file.chmod(0o644)
    assert "chmod 600" in refused(office, ["--metrics-token", str(file)])[1]


# --- certificates ---


def test_an_own_certificate_is_served_and_browsers_insist_on_it(serve: Serve, office: Path) -> None:
    made = tls.self_signed(office / "both.pem", ["127.0.0.1"], BEGAN)
    (office / "journal.db.field-tls.pem").write_bytes((office / "both.pem").read_bytes())
    served = serve("--cert", made.chain, "--key", made.key)
    assert made.fingerprint in served.log
    assert tls.own(Path(made.chain), Path(made.key)) == made


def test_a_certificate_is_made_anew_when_it_is_old_or_for_other_names(tmp_path: Path) -> None:
    file = tmp_path / "tls.pem"
    first = tls.self_signed(file, ["10.0.0.1", "desk.example"], BEGAN)
    assert tls.self_signed(file, ["10.0.0.1", "desk.example"], BEGAN) == first
    other = tls.self_signed(file, ["10.0.0.2"], BEGAN)
    assert other.fingerprint != first.fingerprint
    late = BEGAN.replace(year=BEGAN.year + 1)
    assert tls.self_signed(file, ["10.0.0.2"], late).fingerprint != other.fingerprint


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    made = Path(tls.self_signed(tmp_path / "a.pem", ["127.0.0.1"], BEGAN).chain)
    made.chmod(0o644)
    for file in (made, tmp_path / "none.pem"):
        with pytest.raises(UsageError):
            tls.own(file, file)
    for file in (made, tmp_path / "no" / "b.pem"):
        with pytest.raises(UsageError):
            tls.self_signed(file, ["127.0.0.1"], BEGAN)
