"""Where a connection goes to, once aliases and jump hosts are resolved."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from recovery.errors import TransportError
from recovery.model.host import Host

SSH_PORT = 22
_MOST_KEPT = 20_000
_LAST_PORT = 65535
_ADDRESS = re.compile(
    r"[^-\s\x00-\x1f\x7f'`\"$\\;&<>|(){}!*?\[\],][^\s\x00-\x1f\x7f'`\"$\\;&<>|(){}!*?\[\],]*"
)
_USER = re.compile(r"[^-\s\x00-\x1f\x7f'`\"$;&<>|(){},][^\s\x00-\x1f\x7f'`\"$;&<>|(){},]*")
"""Neither begins with a dash nor holds blanks or what means something to a shell, as with OpenSSH's client since 9.6:
the client's configuration may hand both to programs (ProxyCommand, Match exec)."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a connection."""

    name: str
    """What operators call it."""
    target: str
    """What is asked for, which may be an alias of the client's configuration."""
    address: str
    port: int = SSH_PORT
    user: str = ""
    gateway: str = ""
    """Jump hosts in front of it, `[user@]host[:port]`, the nearest one first, divided by commas."""
    key_name: str = ""
    """Under which its key is known, where that is not the address."""
    by_command: bool = False
    """It is reached through a program (ProxyCommand), so there is nothing to look at."""
    known: Any = None
    """What the client's configuration says of it: `asyncssh.SSHClientConnectionOptions`, or nothing."""

    @property
    def label(self) -> str:
        """How known_hosts files write it."""
        name = self.key_name or self.address
        return name if self.port == SSH_PORT else f"[{name}]:{self.port}"


class Places:
    """Resolves hosts, with the client's configuration where there is one."""

    def __init__(self, config: str, gateway_of: Callable[[Host], str]) -> None:
        """`config` is an OpenSSH client configuration; `gateway_of` names the inventory's jump host, or nothing."""
        path = Path(config).expanduser() if config else None
        self._config = str(path) if path is not None and path.is_file() else ""
        self._gateway_of = gateway_of
        self._kept: dict[tuple[str, int | None, str, str], Place] = {}

    def of(self, host: Host) -> Place:
        """Where `host` is. The inventory's own words come before the configuration's."""
        return self._resolved(host.name, host.target, host.port, host.user, self._gateway_of(host))

    def jump(self, text: str, gateway: str) -> Place:
        """Where the jump host `[user@]host[:port]` is, itself behind `gateway`."""
        user, _, rest = text.strip().rpartition("@")
        address, port = _divided(rest)
        return self._resolved(text, address, port, user, gateway, is_jump=True)

    def _resolved(
        self,
        name: str,
        target: str,
        port: int | None,
        user: str,
        gateway: str,
        *,
        is_jump: bool = False,
    ) -> Place:
        _check(name, target, user)
        if not self._config:
            return Place(
                name=name,
                target=target,
                address=target,
                port=port or SSH_PORT,
                user=user,
                gateway=gateway,
            )
        key = (target, port, user, gateway)
        place = self._kept.get(key)
        if place is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            place = self._kept[key] = self._configured(name, target, port, user, gateway)
        if is_jump and not gateway:
            return msgspec.structs.replace(place, name=name, gateway="")
        return place if place.name == name else msgspec.structs.replace(place, name=name)

    def _useless(self, why: str) -> TransportError:
        return TransportError(
            f"{self._config} cannot be used as it stands ({why[:200]}): correct it, or set `ssh.config` to "
            "another file or to nothing"
        )

    def _configured(
        self, name: str, target: str, port: int | None, user: str, gateway: str
    ) -> Place:
        import asyncssh

        try:
            options = asyncssh.SSHClientConnectionOptions(
                config=[self._config],
                host=target,
                port=port or (),
                username=user or (),
                client_keys=None,
                known_hosts=None,
                x509_trusted_certs=None,
            )
        except (ValueError, OSError) as error:
            raise self._useless(str(error)) from None
        if not 0 < options.port <= _LAST_PORT:
            raise self._useless(f"port {options.port} is not from 1 to {_LAST_PORT}")
        jumps = options.tunnel if isinstance(options.tunnel, str) else ""
        return Place(
            name=name,
            target=target,
            address=options.host,
            port=options.port,
            user=user,
            gateway=gateway or jumps,
            key_name=options.host_key_alias or "",
            by_command=bool(options.proxy_command),
            known=options,
        )


def _check(name: str, address: str, user: str) -> None:
    """Raise `TransportError` for an address or user that no host has."""
    for what, text, form in (("address", address, _ADDRESS), ("user", user or "x", _USER)):
        if not form.fullmatch(text):
            message = f"the {what} {text[:60]!a} of {name[:60]} cannot be that of a host"
            raise TransportError(message)


def _divided(text: str) -> tuple[str, int | None]:
    """Address and port of `host`, `host:port`, `[v6]:port` or a bare IPv6 address. Raises `TransportError`."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    else:
        address, port = text, ""
    if port in ("", "ssh"):
        return address, None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _LAST_PORT):
        message = f"the port of the jump host {text[:60]!a} is not a number from 1 to 65535"
        raise TransportError(message)
    return address, int(port)
