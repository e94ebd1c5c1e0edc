"""Writing a fleet in the forms that are read. YAML and JSON keep all of it; the others say below what they lose."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import yaml

from recovery.inventory.table import CONSOLE, NAME_COLUMNS, VARIABLE, field_columns
from recovery.model.host import Fleet, Host

Form = Literal["yaml", "csv", "json", "jsonl", "ansible"]

_FIELDS = tuple(
    field.name for field in msgspec.structs.fields(Host) if field.name not in ("name", "vars")
)
_DEFAULTS = msgspec.to_builtins(Host(name=""))
_CONNECTIONS = ("ssh", "winrm")


def dump(fleet: Fleet, form: Form) -> str:
    """The fleet as text. All but `yaml` and `json` lose what sites and services are, `csv` also types of variables."""
    match form:
        case "yaml":
            return _yaml(_native(fleet))
        case "json":
            return msgspec.json.format(msgspec.json.encode(_native(fleet))).decode() + "\n"
        case "jsonl":
            lines = (
                msgspec.json.encode({"name": host.name, **_body(host)}).decode()
                for host in fleet.hosts
            )
            return "".join(f"{line}\n" for line in lines)
        case "csv":
            return _table(fleet)
        case "ansible":
            return _yaml(_groups(fleet))


def _yaml(data: Mapping[str, Any]) -> str:
    text: str = yaml.dump(
        data, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110
    )
    return text


def _native(fleet: Fleet) -> dict[str, Any]:
    sections = {
        "sites": {name: _set(site) for name, site in fleet.sites.items()},
        "services": {name: _set(service) for name, service in fleet.services.items()},
    }
    hosts = {host.name: _body(host) for host in fleet.hosts}
    return {**{name: section for name, section in sections.items() if section}, "hosts": hosts}


def _set(thing: Any) -> dict[str, Any]:
    """The fields that are not as they are by default."""
    defaults = msgspec.to_builtins(type(thing)())
    values: dict[str, Any] = msgspec.to_builtins(thing)
    return {name: value for name, value in values.items() if value != defaults[name]}


def _body(host: Host) -> dict[str, Any]:
    values = msgspec.to_builtins(host)
    body = {name: values[name] for name in _FIELDS if values[name] != _DEFAULTS[name]}
    if host.console is not None:
        body["console"] = {"kind": host.console.kind, **_without(_set_of_console(host), "kind")}
    return {**body, "vars": values["vars"]} if host.vars else body


def _set_of_console(host: Host) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(host.console)
    return {name: value for name, value in values.items() if value}


def _without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _table(fleet: Fleet) -> str:
    rows = [_row(host) for host in fleet.hosts]
    columns = list(dict.fromkeys(("name", *(key for row in rows for key in row))))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _row(host: Host) -> dict[str, str]:
    row: dict[str, str] = {"name": host.name}
    for name, value in _without(_body(host), "vars", "console").items():
        row[name] = ";".join(value) if isinstance(value, list | tuple) else _cell(value)
    if host.console is not None:
        console = _set_of_console(host)
        for name, value in (_without(console, "options") | console.get("options", {})).items():
            row[CONSOLE + name] = value
    taken = {*NAME_COLUMNS, *field_columns()}
    for name, value in host.vars.items():
        plain = name.lower().replace(" ", "_") not in taken and not name.startswith(
            (CONSOLE, VARIABLE)
        )
        row[name if plain else VARIABLE + name] = _cell(value)
    return row


def _cell(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    )


def _groups(fleet: Fleet) -> dict[str, Any]:
    every: dict[str, Any] = {"hosts": {host.name: _variables(host) for host in fleet.hosts}}
    if fleet.groups:
        names = {host.name for host in fleet.hosts}
        every["children"] = {
            group: {"hosts": {name: {} for name in members if name in names}}
            for group, members in fleet.groups.items()
        }
    return {"all": every}


def _variables(host: Host) -> dict[str, Any]:
    body = _body(host)
    fields = _without(body, "vars", "groups", "address", "port", "user", "transport")
    known = host.transport in _CONNECTIONS
    connection = {
        "ansible_host": host.address or None,
        "ansible_port": host.port,
        "ansible_user": host.user or None,
        "ansible_connection": host.transport if known else None,
        "ansible_ssh_common_args": f"-o ProxyJump={host.gateway}" if host.gateway else None,
        "transport": None if known else host.transport,
    }
    given = {name: value for name, value in connection.items() if value is not None}
    return {"os": host.os, **fields, **given, **body.get("vars", {})}
