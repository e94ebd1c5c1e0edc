"""Certificates of the page: an own one, or one made here whose fingerprint people compare."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from recovery import private_file
from recovery.errors import InputError, UsageError

_LASTS = timedelta(days=90)
_LEFT = timedelta(days=7)
_MOST_BYTES = 100_000


class Certificate(msgspec.Struct, frozen=True):
    """Files that TLS is spoken with."""

    chain: str
    key: str
    fingerprint: str
    """SHA-256, in pairs with colons, as browsers show it."""


def own(chain: Path, key: Path) -> Certificate:
    """The operator's own. Raises `UsageError` where it cannot be used."""
    try:
        private_file.read(key, _MOST_BYTES)
        found = x509.load_pem_x509_certificate(chain.read_bytes()[:_MOST_BYTES])
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise UsageError(f"the certificate {chain} with the key {key}: {error}") from None
    return Certificate(str(chain), str(key), fingerprint(found))


def place(journal: str) -> Path:
    """Where the one that was made here is kept, for the page of this journal."""
    return Path(f"{journal}.field-tls.pem")


def public_part(file: Path) -> tuple[str, str]:
    """The certificate alone (PEM), for those who are to trust it, and its fingerprint. Raises `UsageError`."""
    try:
        found = x509.load_pem_x509_certificate(private_file.read(file, _MOST_BYTES))
    except FileNotFoundError:
        raise UsageError(
            "no certificate was made here: `recovery serve --self-signed` makes one; "
            "with your own, media trust what signed it"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"the certificate cannot be read: {error}", file=str(file)) from None
    return found.public_bytes(serialization.Encoding.PEM).decode().strip(), fingerprint(found)


def self_signed(file: Path, names: Sequence[str], now: datetime) -> Certificate:
    """One for these names and addresses, in a private file; one that is there and still good is used again.

    So its fingerprint stays the same over a restart of the page. Raises `UsageError`.
    """
    try:
        found = _found(file, names, now)
        if found is None:
            file.unlink(missing_ok=True)
            found, body = _made(names, now)
            private_file.write(file, body)
    except (OSError, ValueError) as error:
        raise InputError(f"the certificate cannot be kept: {error}", file=str(file)) from None
    return Certificate(str(file), str(file), fingerprint(found))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _found(file: Path, names: Sequence[str], now: datetime) -> x509.Certificate | None:
    if not file.exists():
        return None
    found = x509.load_pem_x509_certificate(private_file.read(file, _MOST_BYTES))
    kept = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    good = kept == _alternatives(names) and now + _LEFT < found.not_valid_after_utc
    return found if good else None


def _made(names: Sequence[str], now: datetime) -> tuple[x509.Certificate, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Fleet Recovery field page")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LASTS)
        .add_extension(_alternatives(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made, made.public_bytes(pem) + private


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in dict.fromkeys(names)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _no_password() -> str:
    raise ValueError("the key has a passphrase, which nobody is there to type; take it off")
