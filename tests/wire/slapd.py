"""A real LDAP server on loopback, with Active Directory's schema for recovery keys, over TLS."""

from __future__ import annotations

import base64
import contextlib
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from recovery.sim.wire.papers import Authority
from tests.needs import need

BASE = "DC=corp,DC=example"
READER, CLERK, STRANGER = (f"CN={name},{BASE}" for name in ("reader", "clerk", "stranger"))
"""All keys, 500 entries of all keys (the server's own limit), and no keys."""
PASSWORD = "Planted-Reader-9x"
_LONGEST = 20.0

_SCHEMA = """
attributetype ( 1.2.840.113556.1.4.1965 NAME 'msFVE-RecoveryGuid'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.1964 NAME 'msFVE-RecoveryPassword'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.1998 NAME 'msFVE-VolumeGuid'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.253 NAME 'msFVE-RecoveryInformation' SUP top STRUCTURAL
  MUST ( cn $ msFVE-RecoveryGuid $ msFVE-RecoveryPassword ) MAY ( msFVE-VolumeGuid ) )
"""
"""Names, numbers and syntaxes as Microsoft documents the classes and attributes of its directory."""

_CONFIG = """
include /etc/ldap/schema/core.schema
include {folder}/bitlocker.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {certificate}
TLSCertificateKeyFile {certificate}
security {security}
database mdb
suffix "{base}"
limits dn.exact="{reader}" size=unlimited
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to attrs=msFVE-RecoveryPassword by dn.exact="{reader}" read by dn.exact="{clerk}" read by * none
access to * by users read by * none
"""


class Directory(msgspec.Struct, frozen=True):
    """Where the server is, and whom it believes to be itself."""

    ldaps: str
    plain: str
    ca_file: str


@contextlib.contextmanager
def directory(folder: Path, keys: Mapping[str, str]) -> Iterator[Directory]:
    """A server with one computer for each of the keys, by their ids."""
    authority = Authority(folder, datetime.now(UTC))  # noqa: TID251 - certificates are of today
    certificate = authority.issue("localhost").file
    (folder / "db").mkdir()
    (folder / "bitlocker.schema").write_text(_SCHEMA)
    config = folder / "slapd.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            certificate=certificate,
            base=BASE,
            reader=READER,
            clerk=CLERK,
            security="simple_bind=64",
        )
    )
    _run(need("slapadd"), "-f", config, "-l", _data(folder, keys))
    secure, plain = _free_port(), _free_port()
    found = Directory(
        f"ldaps://localhost:{secure}", f"ldap://localhost:{plain}", str(authority.file)
    )
    listen = f"ldaps://127.0.0.1:{secure} ldap://127.0.0.1:{plain}"
    log = (folder / "slapd.log").open("wb")
    process = subprocess.Popen(
        [need("slapd"), "-f", str(config), "-h", listen, "-d", "0"], stdout=log, stderr=log
    )
    try:
        _wait_for(secure, process)
        yield found
    finally:
        process.terminate()
        process.wait(_LONGEST)
        log.close()


def _data(folder: Path, keys: Mapping[str, str]) -> Path:
    people = "".join(
        f"dn: {who}\nobjectClass: person\ncn: {who[3:].partition(',')[0]}\nsn: x\nuserPassword: {PASSWORD}\n\n"
        for who in (READER, CLERK, STRANGER)
    )
    machines = "".join(_machine(place, *pair) for place, pair in enumerate(keys.items()))
    path = folder / "data.ldif"
    path.write_text(
        f"dn: {BASE}\nobjectClass: organization\nobjectClass: dcObject\ndc: corp\no: corp\n\n{people}{machines}"
    )
    return path


def _machine(place: int, key_id: str, key: str) -> str:
    """A computer's account, and below it the key as Windows leaves it there."""
    computer = f"CN=PC{place:04d},{BASE}"
    name = f"2024-07-19T04:09:00-00:00{{{key_id}}}"
    guid = base64.b64encode(uuid.UUID(key_id).bytes_le).decode()
    return (
        f"dn: {computer}\nobjectClass: device\ncn: PC{place:04d}\n\n"
        f"dn: CN={name},{computer}\nobjectClass: msFVE-RecoveryInformation\ncn: {name}\n"
        f"msFVE-RecoveryGuid:: {guid}\nmsFVE-RecoveryPassword: {key}\n\n"
    )


def _run(*words: object) -> None:
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, timeout=_LONGEST
    )
    assert done.returncode == 0, done.stderr.decode()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _LONGEST
    while True:
        assert process.poll() is None, "slapd has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < until, "slapd does not listen"
        time.sleep(0.05)  # noqa: TID251 - it says nowhere when it is ready
