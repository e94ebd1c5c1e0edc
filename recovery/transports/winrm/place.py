"""Where a host's WinRM service is, and how to sign in there: the settings, and what the host's variables say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from recovery.errors import TransportError
from recovery.model.host import Host
from recovery.ports import Credential
from recovery.transports.winrm.means import missing
from recovery.transports.winrm.messages import Way
from recovery.transports.winrm.settings import Auth, WinrmSettings

HTTPS_PORT, HTTP_PORT = 5986, 5985
_BY_ANSIBLE: Mapping[str, str] = {
    "scheme": "ansible_winrm_scheme",
    "port": "ansible_winrm_port",
    "auth": "ansible_winrm_transport",
    "ca_file": "ansible_winrm_ca_trust_path",
    "verify": "ansible_winrm_server_cert_validation",
    "proxy": "ansible_winrm_proxy",
    "encryption": "ansible_winrm_message_encryption",
    "operation_timeout": "ansible_winrm_operation_timeout_sec",
    "read_timeout": "ansible_winrm_read_timeout_sec",
    "kerberos_host": "ansible_winrm_kerberos_hostname_override",
    "delegation": "ansible_winrm_kerberos_delegation",
}
"""Ansible's names for what is called `winrm_NAME` here."""
_AUTHS: Mapping[str, Auth] = {
    **{name: name for name in get_args(Auth)},
    "plaintext": "basic",
    "ssl": "basic",
    "negotiate": "ntlm",
}
_RELAYED = ("ntlm", "credssp")
"""What whoever receives it can hand on to other machines (Microsoft: NTLM relay); Kerberos names its one host."""
_TRUE = ("1", "true", "yes", "on", "validate")
_DIGITS = 5
_LAST_PORT = 65535
_NOT_IN_ADDRESSES = frozenset("/?#@\\ ")
_FALSE = ("0", "false", "no", "off", "ignore")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One service."""

    name: str
    address: str
    port: int
    https: bool
    auth: Auth
    user: str
    ca_file: str
    verify: bool
    proxy: str
    operation_timeout: int
    read_timeout: int
    kerberos_host: str
    delegation: bool

    @property
    def endpoint(self) -> str:
        """Its URL."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.https else 'http'}://{address}:{self.port}/wsman"

    def way(self, credential: Credential) -> Way:
        """With what signs in. Raises `TransportError` where that does not do."""
        password = credential.password.reveal() if credential.password is not None else ""
        user = self.user or credential.user
        self._check(credential, user)
        return Way(
            name=self.name,
            endpoint=self.endpoint,
            auth=self.auth,
            user=user,
            password=password,
            key_file=_path(credential.key_file) if self.auth == "certificate" else "",
            ca_file=self.ca_file,
            verify=self.verify,
            proxy=self.proxy,
            operation_timeout=self.operation_timeout,
            read_timeout=self.read_timeout,
            kerberos_host=self.kerberos_host,
            delegation=self.delegation,
        )

    def _check(self, credential: Credential, user: str) -> None:
        lacking = missing(self.auth)
        if lacking:
            message = f"{self.name} signs in by {self.auth}, which {lacking}"
            raise TransportError(message)
        named = (
            f"credential {credential.name!r}" if credential.name else "a host without credential"
        )
        if self.auth == "certificate":
            if not credential.key_file:
                message = f"{self.name} signs in by certificate, and {named} is no `key_file` (a PEM with both)"
                raise TransportError(message)
        elif self.auth != "kerberos" and not (user and credential.password is not None):
            message = f"{self.name} signs in by {self.auth}, and {named} has no user and password"
            raise TransportError(message)


def place_of(host: Host, settings: WinrmSettings) -> Place:
    """Where `host` is. Raises `TransportError` for variables that cannot be, or would give secrets away."""
    said = _Said(host)
    port = host.port or said.number("port", settings.port)
    scheme = said.choice("scheme", settings.scheme, {"https": "https", "http": "http"})
    https = scheme == "https" or (not scheme and port != HTTP_PORT)
    operation = max(1, said.number("operation_timeout", settings.operation_timeout))
    place = Place(
        name=host.name,
        address=host.target,
        port=port or (HTTPS_PORT if https else HTTP_PORT),
        https=https,
        auth=said.choice("auth", settings.auth, _AUTHS),
        user=host.user,
        ca_file=_path(said.text("ca_file", settings.ca_file)),
        verify=said.switch("verify", default=settings.verify),
        proxy=said.text("proxy", settings.proxy),
        operation_timeout=operation,
        read_timeout=max(operation + 1, said.number("read_timeout", settings.read_timeout)),
        kerberos_host=said.text("kerberos_host", ""),
        delegation=said.switch("delegation", default=False),
    )
    _check_address(place)
    _check_secrecy(place, said.text("encryption", "auto"), settings)
    return place


def _check_address(place: Place) -> None:
    """An address becomes part of a URL, and must not become more of it than that."""
    if not place.address.isprintable() or _NOT_IN_ADDRESSES & set(place.address):
        message = f"the address {place.address[:60]!a} of {place.name} cannot be that of a host"
        raise TransportError(message)
    if not 0 < place.port <= _LAST_PORT:
        message = f"{place.name}: the port {place.port} is not from 1 to {_LAST_PORT}"
        raise TransportError(message)


def _check_secrecy(place: Place, encryption: str, settings: WinrmSettings) -> None:
    if not place.https and encryption == "never":
        message = f"{place.name} is to be reached over http without message encryption, which is never done"
        raise TransportError(message)
    if place.auth in ("basic", "certificate") and not place.https:
        message = f"{place.name} signs in by {place.auth} over http: that is done over https only (winrm_scheme, port)"
        raise TransportError(message)
    if place.auth == "basic" and not place.verify:
        message = f"{place.name} would get a password without having proven who it is: set verify, or auth ntlm"
        raise TransportError(message)
    if place.auth in _RELAYED and place.https and settings.verify and not place.verify:
        message = (
            f"the inventory would have {place.name} believed without proof, and whoever poses as it could relay the "
            f"{place.auth} sign-in to another machine. Name the authority of its certificate (winrm_ca_file), or say "
            "`winrm: verify: false` in the settings, where whoever runs this decides"
        )
        raise TransportError(message)


def _path(text: str) -> str:
    return str(Path(text).expanduser()) if text else ""


class _Said:
    """A host's variables."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def _value(self, name: str) -> Any:
        variables = self._host.vars
        value = variables.get(f"winrm_{name}", variables.get(_BY_ANSIBLE[name]))
        # Ansible takes a list of means of signing in, the best one first.
        return value[0] if isinstance(value, list) and value else value

    def text(self, name: str, default: str) -> str:
        value = self._value(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int) -> int:
        text = self.text(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            raise self._wrong(name, text, "a number")
        return int(text)

    def switch(self, name: str, *, default: bool) -> bool:
        text = self.text(name, "").lower()
        if not text:
            return default
        if text not in _TRUE + _FALSE:
            raise self._wrong(name, text, "true or false")
        return text in _TRUE

    def choice(self, name: str, default: Any, choices: Mapping[str, Any]) -> Any:
        text = self.text(name, "").lower()
        if not text:
            return default
        if text not in choices:
            raise self._wrong(name, text, f"one of {', '.join(choices)}")
        return choices[text]

    def _wrong(self, name: str, text: str, expected: str) -> TransportError:
        return TransportError(
            f"{self._host.name}: winrm_{name} is {text[:40]!r}, and {expected} was expected"
        )
