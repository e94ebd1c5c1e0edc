"""Keys from tables and encrypted exports; directories and Graph have real and fake servers in tests/wire."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recovery.desk.recovery_key import KeyRecord, key_of
from recovery.desk.sources.directory import DirectorySource
from recovery.desk.sources.export import ExportSource, seal
from recovery.desk.sources.table import TableSource
from recovery.errors import KeySourceError, UsageError
from recovery.model.key_source import FromDirectory
from recovery.model.secret import Secret
from tests.unit.desk.key_cases import KEY, KEY_ID, key_ids, key_text, write_keys

OTHER = KEY_ID[:-1] + "4"
PASSPHRASE = Secret("seven owls under a tin roof")


def shown(records: object) -> list[tuple[str, str, str]]:
    assert isinstance(records, list)
    return [(r.key_id, r.secret.reveal(), r.note) for r in records]


def test_a_table_finds_by_id_and_by_its_beginning(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "k.csv", {f"{{{KEY_ID.lower()}}}": KEY, OTHER: KEY})
    source = TableSource("csv", str(path))
    assert shown(source.find(KEY_ID)) == [(KEY_ID, KEY, "")]
    assert [record.key_id for record in source.find(KEY_ID[:8])] == [KEY_ID, OTHER]
    assert source.find("11111111") == []
    assert repr(source.find(KEY_ID)[0].secret) == "***"


def test_titles_and_separators_as_export_scripts_write_them(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_bytes(
        f"Device Name;Recovery Key ID;Recovery Key\r\npc1;{KEY_ID};{KEY}\r\n".encode("utf-16")
    )
    path.chmod(0o600)
    assert shown(TableSource("csv", str(path)).find(KEY_ID)) == [(KEY_ID, KEY, "pc1")]


def test_one_bad_row_keeps_no_other_from_anybody_and_is_told_by_line(tmp_path: Path) -> None:
    path = write_keys(tmp_path / "k.csv", {OTHER: KEY[:-1] + "1", KEY_ID: KEY})
    source = TableSource("csv", str(path))
    assert shown(source.find(KEY_ID)) == [(KEY_ID, KEY, "")]
    with pytest.raises(KeySourceError, match=r"k.csv:2: group 8 is wrong") as caught:
        source.find(OTHER)
    assert "000011" not in str(caught.value)
    with pytest.raises(KeySourceError, match=r"k.csv:2"):
        list(source.everything())


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("KeyID,RecoveryKey\n", 0o644, "other users may use"),
        ("KeyID,Key Name\n", 0o600, r"k.csv:1: expected the columns KeyID and RecoveryKey"),
        ('KeyID,RecoveryKey\n"a"b,c\n', 0o600, r"k.csv:2: not CSV"),
        ("KeyID,RecoveryKey\n\udcff", 0o600, "not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used(text: str, mode: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_text(text, errors="surrogateescape")
    path.chmod(mode)
    with pytest.raises(KeySourceError, match=message):
        TableSource("csv", str(path)).find(KEY_ID)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeySourceError, match="No such file"):
        TableSource("csv", str(tmp_path / "none")).find(KEY_ID)


def records(count: int) -> list[KeyRecord]:
    return [
        KeyRecord(key_id=key_id, secret=key_of(key_text(number)), source="ad", note="pc")
        for number, key_id in enumerate(key_ids(count))
    ]


def test_an_export_gives_back_what_was_sealed_and_shows_nothing(tmp_path: Path) -> None:
    path, sealed = tmp_path / "keys.sealed", records(50)
    assert seal(path, sealed, PASSPHRASE) == 50
    assert path.stat().st_mode & 0o777 == 0o600
    raw = path.read_bytes()
    for record in sealed:
        digits = record.secret.reveal().replace("-", "")
        assert record.secret.reveal().encode() not in raw
        assert digits.encode() not in raw
        assert record.key_id.encode() not in raw
    source = ExportSource("offline", str(path), PASSPHRASE)
    wanted = sealed[7]
    (found,) = source.find(wanted.key_id)
    assert found.secret.reveal() == wanted.secret.reveal()
    assert (found.source, found.note) == ("offline", "pc")
    assert len(list(source.everything())) == 50


def test_a_wrong_passphrase_or_a_changed_byte_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.sealed"
    seal(path, records(2), PASSPHRASE)
    with pytest.raises(KeySourceError, match="does not open"):
        ExportSource("x", str(path), Secret("another passphrase")).find(KEY_ID)
    raw = path.read_bytes()
    for place in (len(raw) - 1, raw.index(b"\n") + 5):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(KeySourceError, match="does not open"):
            ExportSource("x", str(path), PASSPHRASE).find(KEY_ID)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"KeyID,RecoveryKey",
        b'{"recovery_keys":2,"cost":131072,"block":8,"lanes":1,"salt":"AAAA","nonce":"AAAA"}',
        b'{"recovery_keys":1,"cost":1073741824,"block":8,"lanes":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","nonce":"AAAAAAAAAAAAAAAA"}',
    ],
)
def test_a_file_that_is_no_export_is_refused_before_it_costs_anything(
    header: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_bytes(header + b"\nrest")
    path.chmod(0o600)
    with pytest.raises(KeySourceError, match="is no export"):
        ExportSource("x", str(path), PASSPHRASE).find(KEY_ID)


def test_an_export_is_never_written_over_a_file_nor_empty_nor_with_a_weak_passphrase(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.sealed"
    with pytest.raises(UsageError, match="at least 12 characters"):
        seal(path, records(1), Secret("short"))
    with pytest.raises(UsageError, match="at least 12 characters"):
        seal(path, records(1), Secret("aaaaaaaaaaaaaaaa"))
    with pytest.raises(UsageError, match="nothing to pack"):
        seal(path, [], PASSPHRASE)
    path.touch()
    with pytest.raises(UsageError, match="File exists"):
        seal(path, records(1), PASSPHRASE)


def test_an_export_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys.sealed"
    with pytest.raises(KeySourceError, match="No such file"):
        ExportSource("x", str(path), PASSPHRASE).find(KEY_ID)
    path.write_bytes(b"{}\n")
    path.chmod(0o644)
    with pytest.raises(KeySourceError, match="other users may use"):
        ExportSource("x", str(path), PASSPHRASE).find(KEY_ID)


def test_without_the_extra_the_directory_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ldap3.core.exceptions", None)
    definition = FromDirectory(url="ldaps://dc.example", base="DC=example", credential="c")
    with pytest.raises(KeySourceError, match=r"fleet-recovery\[ad\]"):
        DirectorySource("ad", definition, "reader", PASSPHRASE).find(KEY_ID)
