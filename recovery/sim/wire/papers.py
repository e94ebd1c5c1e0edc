"""What proves who is who: a certificate authority of the simulation's own, certificates, and keys for SSH."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_DAY = dt.timedelta(days=1)
_YEAR = dt.timedelta(days=365)


class Certificate(msgspec.Struct, frozen=True):
    """A certificate with its key."""

    file: Path
    """PEM: the key, then the certificate."""
    der: bytes


class Authority:
    """Issues certificates that nobody but tests and rehearsals believes."""

    def __init__(self, folder: Path, now: dt.datetime) -> None:
        """Write `ca.pem` and everything that is issued into `folder`."""
        from cryptography.hazmat.primitives.asymmetric import ec

        self._folder = folder
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._host_key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Fleet Recovery simulation")
        self.file = folder / "ca.pem"
        self.file.write_bytes(_pem(self._authority()))

    def issue(
        self, address: str, *, expired: bool = False, self_signed: bool = False
    ) -> Certificate:
        """A certificate for an address or a name, with flaws on demand."""
        from cryptography.hazmat.primitives import serialization

        found = self._leaf(address, expired=expired, self_signed=self_signed)
        key = self._host_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / f"{address}.pem"
        file.touch(0o600)
        file.write_bytes(key + _pem(found))
        return Certificate(file, found.public_bytes(serialization.Encoding.DER))

    def _authority(self) -> x509.Certificate:
        from cryptography import x509

        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = self._builder(self._name, self._key, self._now - _DAY, self._now + _YEAR)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        return self._signed(
            builder.add_extension(constraints, critical=True).add_extension(usage, critical=True),
            self._key,
        )

    def _leaf(self, address: str, *, expired: bool, self_signed: bool) -> x509.Certificate:
        from cryptography import x509

        ends = self._now - _DAY if expired else self._now + _YEAR
        name = _name(address)
        builder = self._builder(name, self._host_key, self._now - 2 * _DAY, ends)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(address)]), critical=False
        ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if self_signed:
            return self._signed(builder, self._host_key, issuer=name)
        return self._signed(builder, self._key)

    def _builder(
        self,
        subject: x509.Name,
        key: EllipticCurvePrivateKey,
        begins: dt.datetime,
        ends: dt.datetime,
    ) -> x509.CertificateBuilder:
        from cryptography import x509

        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )

    def _signed(
        self,
        builder: x509.CertificateBuilder,
        key: EllipticCurvePrivateKey,
        issuer: x509.Name | None = None,
    ) -> x509.Certificate:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        built = builder.issuer_name(issuer or self._name).add_extension(identifier, critical=False)
        return built.sign(key, hashes.SHA256())


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS as a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file)
    return context


def _name(text: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(address: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)
