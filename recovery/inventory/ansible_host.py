"""From Ansible's variables of a host to a host: `ansible_host`, `ansible_port`, `ansible_user`, `ansible_connection`.

All variables stay variables too, but secrets are left out. Variables that are named like a host's own fields, such as
`site`, `service` or `kind`, are taken as these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import msgspec

from recovery.inventory.part import Place, check_name
from recovery.inventory.ranges import fold
from recovery.inventory.withheld import ADVICE, without_secrets
from recovery.model.host import ConsoleRef, Host, Kind, Os

_TRANSPORTS = {
    "": "ssh",
    "smart": "ssh",
    "ssh": "ssh",
    "paramiko": "ssh",
    "paramiko_ssh": "ssh",
    "winrm": "winrm",
    "psrp": "winrm",
}
_WINDOWS_SHELLS = ("powershell", "cmd")
_JUMP = re.compile(r"(?:-J\s*|ProxyJump[=\s]\s*)['\"]?([^\s'\",]+)['\"]?(?=\s|$|['\"])")
_TEXTS = ("site", "service", "location", "credential", "gateway", "transport")
_CHOICES: Mapping[str, tuple[str, ...]] = {"os": get_args(Os), "kind": get_args(Kind)}
_LAST_PORT = 65535


class Notes:
    """Collects what operators should know, one line for all hosts that it is about."""

    def __init__(self, file: str) -> None:
        """About the source `file`."""
        self._file = file
        self._hosts: dict[str, list[str]] = {}

    def add(self, text: str, host: str) -> None:
        """`text` holds for `host`."""
        self._hosts.setdefault(text, []).append(host)

    def both(self, names: Iterable[str]) -> None:
        """These names are of a host and of a group."""
        for name in sorted(names):
            self._hosts[
                f"{name!r} is a host and a group: in limits say name={name} or group={name}"
            ] = []

    def shown(self) -> list[str]:
        """The notes as lines."""
        return [
            f"{self._file}: {text}" + (f" ({fold(hosts, 4)})" if hosts else "")
            for text, hosts in self._hosts.items()
        ]


def host_of(
    name: str, values: Mapping[str, Any], groups: tuple[str, ...], place: Place, notes: Notes
) -> Host:
    """The host `name`. Raises `InputError` for a name that no host can have."""
    check_name(name, *place)
    kept, secrets = without_secrets(values)
    for secret in secrets:
        notes.add(f"{secret!r} was left out, since it is a secret: {ADVICE}", name)
    fields = _own_fields(name, kept, notes)
    connection = _transport(name, kept, notes)
    windows = connection == "winrm" or kept.get("ansible_shell_type") in _WINDOWS_SHELLS
    fields.setdefault("transport", connection)
    fields.setdefault("os", "windows" if windows else "linux")
    for field, value in _connection(name, kept, notes).items():
        fields.setdefault(field, value)
    return Host(name=name, groups=groups, vars=kept, **fields)


def _connection(name: str, values: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    address = values.get("ansible_host", values.get("ansible_ssh_host", ""))
    user = values.get("ansible_user", values.get("ansible_ssh_user", ""))
    port = values.get("ansible_port", values.get("ansible_ssh_port"))
    for field, value in (("address", address), ("user", user)):
        if isinstance(value, str | int) and value != "":
            found[field] = str(value)
            if "{{" in str(value):
                notes.add(f"{field} {value!r} is a template, and templates are not evaluated", name)
    text = str(port) if port is not None else ""
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= _LAST_PORT:
        found["port"] = int(text)
    elif text:
        notes.add(f"port {text[:40]!r} is not a number from 1 to 65535 and is not used", name)
    gateway = _gateway(values)
    if gateway:
        found["gateway"] = gateway
    return found


def _gateway(values: Mapping[str, Any]) -> str:
    """The jump host, where SSH's arguments name a single one."""
    arguments = (
        f"{values.get('ansible_ssh_common_args', '')} {values.get('ansible_ssh_extra_args', '')}"
    )
    match = _JUMP.search(arguments)
    return match[1] if match and "{{" not in match[1] else ""


def _transport(name: str, values: Mapping[str, Any], notes: Notes) -> str:
    connection = values.get("ansible_connection", "")
    short = str(connection).removeprefix("ansible.builtin.").removeprefix("ansible.windows.")
    found = _TRANSPORTS.get(short)
    if found is None:
        notes.add(f"connection {str(connection)[:40]!r} is not known here, ssh is used", name)
    return found or "ssh"


def _own_fields(name: str, values: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Variables that are named like a host's fields and are of their kind."""
    found = {key: values[key] for key in _TEXTS if values.get(key) and isinstance(values[key], str)}
    for key, choices in _CHOICES.items():
        if values.get(key) in choices:
            found[key] = values[key]
        elif isinstance(values.get(key), str):
            message = (
                f"{key} {values[key][:40]!r} is none of {', '.join(choices)}: it stays a variable"
            )
            notes.add(message, name)
    if isinstance(values.get("protected"), bool):
        found["protected"] = values["protected"]
    tags = values.get("tags")
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        found["tags"] = tuple(tags)
    if isinstance(values.get("console"), dict):
        found["console"] = _console(name, values["console"], notes)
    return found


def _console(name: str, value: dict[str, Any], notes: Notes) -> ConsoleRef | None:
    try:
        return msgspec.convert(value, ConsoleRef)
    except msgspec.ValidationError as error:
        notes.add(f"console is not one of ours and stays a variable: {error}", name)
        return None
