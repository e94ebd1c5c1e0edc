"""Recovery keys from a real LDAP server with Active Directory's schema."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from recovery.desk.sources.directory import DirectorySource
from recovery.errors import KeySourceError
from recovery.model.key_source import FromDirectory
from recovery.model.secret import Secret
from recovery.sim.wire.papers import Authority
from tests.unit.desk.key_cases import key_ids, key_text
from tests.unit.journal.happenings import BEGAN
from tests.wire.slapd import BASE, CLERK, PASSWORD, READER, STRANGER, Directory, directory

IDS = key_ids(600)
KEYS = {key_id: key_text(number) for number, key_id in enumerate(IDS)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    with directory(tmp_path_factory.mktemp("slapd"), KEYS) as found:
        yield found


def source(
    server: Directory,
    url: str = "",
    *,
    user: str = READER,
    password: str = PASSWORD,
    ca_file: str = "",
    timeout: float = 5.0,
) -> DirectorySource:
    definition = FromDirectory(
        url=url or server.ldaps,
        base=BASE,
        credential="reader",
        ca_file=ca_file or server.ca_file,
        timeout=timeout,
    )
    return DirectorySource("ad", definition, user, Secret(password))


@pytest.mark.parametrize("way", ["ldaps", "plain"])
def test_a_key_is_found_by_its_id_over_tls(server: Directory, way: str) -> None:
    (found,) = source(server, getattr(server, way)).find(IDS[7])
    assert (found.key_id, found.secret.reveal()) == (IDS[7], KEYS[IDS[7]])
    assert found.note.upper() == f"CN=PC0007,{BASE}".upper()


def test_a_key_is_found_by_the_first_eight_characters(server: Directory) -> None:
    assert [record.key_id for record in source(server).find(IDS[8][:8])] == [IDS[8]]


def test_an_id_that_is_not_there_finds_nothing(server: Directory) -> None:
    assert source(server).find("00000000-0000-4000-8000-000000000000") == []


def test_everything_comes_page_by_page(server: Directory) -> None:
    found = {record.key_id: record.secret.reveal() for record in source(server).everything()}
    assert found == KEYS


def test_an_export_that_the_server_cuts_off_is_no_export(server: Directory) -> None:
    with pytest.raises(KeySourceError, match="gave only a part: sizeLimitExceeded"):
        list(source(server, user=CLERK).everything())


def test_an_account_without_the_right_is_told_so(server: Directory) -> None:
    with pytest.raises(KeySourceError, match="may not read it: msFVE-RecoveryPassword is conf"):
        source(server, user=STRANGER).find(IDS[0])


def test_a_wrong_password_is_told_without_it(server: Directory) -> None:
    with pytest.raises(KeySourceError, match="InvalidCredentials") as caught:
        source(server, password="Planted-wrong").find(IDS[0])
    assert "Planted" not in str(caught.value)


def test_a_server_that_nobody_vouches_for_gets_no_password(
    server: Directory, tmp_path: Path
) -> None:
    other = Authority(tmp_path, BEGAN)
    for url in (server.ldaps, server.plain):
        with pytest.raises(KeySourceError, match="certificate verify failed"):
            source(server, url, ca_file=str(other.file)).find(IDS[0])


@pytest.mark.filterwarnings(
    "ignore:unclosed"
)  # the library forgets the socket that it has just refused
def test_a_certificate_of_another_name_is_refused(server: Directory) -> None:
    with pytest.raises(KeySourceError, match="its certificate is of another name"):
        source(server, server.ldaps.replace("localhost", "127.0.0.1")).find(IDS[0])
    gc.collect()


def test_a_server_that_never_answers_holds_nobody_up(server: Directory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ldaps://localhost:{silent.getsockname()[1]}"
        with pytest.raises(KeySourceError, match="ad: "):
            source(server, url, timeout=0.5).find(IDS[0])


def test_nobody_there(server: Directory) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(KeySourceError, match="SocketOpen"):
        source(server, f"ldaps://localhost:{port}").find(IDS[0])
