"""The settings: defaults < file < environment < flags, and for each value where it came from."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs

from recovery.documents import Document, duration, read_yaml
from recovery.errors import InputError, UnknownNameError, UsageError
from recovery.model.credential import CredentialDefinition
from recovery.model.key_source import AnyKeySource
from recovery.programs import words_of

_APP = "recovery"
_PREFIX = "RECOVERY_"
_MOST_BYTES = 1_000_000
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_DURATIONS = ("ssh.look_timeout", "ssh.keepalive", "winrm.look_timeout", "keys.show_for")
"""Settings that may be written as `5s` or `1m30s` as well as in seconds."""

_SECTIONS = ("ssh", "winrm", "tui", "keys", "credentials")

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]

Layer = Iterator[tuple[str, Any, str]]
"""Dotted name, value, and where it came from."""


def _state(name: str) -> str:
    return str(platformdirs.user_state_path(_APP, appauthor=False) / name)


class SshSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How SSH sessions are opened."""

    known_hosts: tuple[str, ...] = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
    """Files with the keys of hosts; missing ones are empty."""
    pins: str = msgspec.field(default_factory=lambda: _state("host-keys"))
    """File that keeps the keys that were accepted at first sight."""
    accept_new: bool = False
    """Accept and pin the key of a host that nobody knows. A changed key is refused all the same."""
    config: str = "~/.ssh/config"
    """OpenSSH client configuration; empty means none."""
    look_timeout: Positive = 1.5
    """Seconds in which a host has to accept a TCP connection before a session is tried."""
    keepalive: Positive = 2.0
    """Seconds between keepalives; three without an answer end the session."""
    gateway_rate: Positive = 10.0
    """New connections a second through one gateway."""
    gateway_credential: str = ""
    """Credential that jump hosts are entered with; empty means that of the host behind them."""


class WinrmSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How WinRM sessions are opened. A host's variables say otherwise for it: `winrm_scheme`, `winrm_auth`, ..."""

    scheme: Literal["", "https", "http"] = ""
    """Empty is https, but http where the port is 5985. Over http messages are always encrypted."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """Where a host names none; 0 is 5986 for https and 5985 for http."""
    auth: Literal["ntlm", "kerberos", "credssp", "certificate", "basic"] = "ntlm"
    """`basic` and `certificate` go over https only."""
    ca_file: str = ""
    """Certificates (PEM) that are believed; empty means the system's."""
    verify: bool = True
    """Check the server's certificate. Without it anybody on the way can pose as the host."""
    proxy: str = ""
    """`http://host:port`; the environment's proxies are never used."""
    look_timeout: Positive = 2.0
    """Seconds in which a host has to say that it speaks WinRM before a session is tried."""
    operation_timeout: Count = 20
    """Seconds after which a host answers a question for output even if there is none yet."""
    read_timeout: Count = 60
    """Seconds of silence after which a connection is given up."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Processes that carry sessions; 0 is one for each processor."""


class TuiSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the dashboard looks, and what its keys are."""

    theme: Literal["night", "day"] = "night"
    """`day` is light with high contrast."""
    pictures: Literal["auto", "sixel", "kitty", "blocks", "none"] = "auto"
    """How pictures of screens are shown: in pixels where the terminal says that it can, else in half blocks."""
    keys: dict[str, str] = {}
    """Action, as the help names it, to the keys that it has instead of its own: `app.help: f1`."""


class KeysSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where BitLocker recovery keys are to be had, and how they are shown."""

    sources: tuple[AnyKeySource, ...] = ()
    """Asked in this order, until one has the key."""
    show_for: Annotated[float, msgspec.Meta(ge=10, le=900)] = 120.0
    """Seconds for which a key is shown."""
    per_hour: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    """Keys that one person may ask for within an hour."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that an operator can set once for all runs."""

    journal: str = msgspec.field(default_factory=lambda: _state("journal.db"))
    """File of the journal."""
    inventory: tuple[str, ...] = ()
    """Inventories that are used when a command names none."""
    incident: str = ""
    """Incident profile that is used when a command names none."""
    concurrency: Count | None = None
    """At most so many hosts at once; what the playbook and the system allow when it is not set."""
    blocker: tuple[str, ...] = ()
    """Program with its arguments, or one URL, that says before and during a run whether machines may be changed now."""
    ocr: Literal["auto", "rapidocr", "tesseract", "none"] = "auto"
    """Who reads the text of console pictures; `auto` is what is installed."""
    ssh: SshSection = msgspec.field(default_factory=SshSection)
    winrm: WinrmSection = msgspec.field(default_factory=WinrmSection)
    tui: TuiSection = msgspec.field(default_factory=TuiSection)
    keys: KeysSection = msgspec.field(default_factory=KeysSection)
    credentials: dict[str, CredentialDefinition] = {}
    """By the names that inventories use."""


class Configuration(msgspec.Struct, frozen=True):
    """The settings, and where each of them came from."""

    settings: Settings
    origins: Mapping[str, str]
    """Dotted name to `default`, `file:line`, the variable's name, or the flag's."""


def default_file() -> Path:
    """The settings file that is read when none is named."""
    return platformdirs.user_config_path(_APP, appauthor=False) / "settings.yaml"


def load(
    file: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Configuration:
    """Put the settings together.

    `file` is the one that was asked for; without it the one that `RECOVERY_CONFIG` names, then the default one if it
    exists. `flags` are by dotted name; a value of None was not given. Lists in the environment are separated like PATH.
    Raises `InputError` for the file, and `UsageError` for the rest.
    """
    try:
        return _loaded(file, environ, flags)
    except RuntimeError:  # a user of whom the system knows nothing, as in some containers
        raise UsageError(
            "you have no home directory, where settings and journal stand: set HOME"
        ) from None


def _loaded(
    file: str, environ: Mapping[str, str] | None, flags: Mapping[str, Any] | None
) -> Configuration:
    variables = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    wanted = file or variables.get(f"{_PREFIX}CONFIG", "")
    for layer in (_from_file(wanted), _from_environment(variables), _from_flags(flags or {})):
        for name, value, origin in layer:
            values[name] = value
            origins[name] = origin
    settings = _assemble(values)
    names = (name for name, _ in _flat(settings))
    return Configuration(settings, {name: origins.get(name, "default") for name in names})


def described(configuration: Configuration) -> Iterator[tuple[str, Any, str]]:
    """Each setting as dotted name, value and origin. A credential shows where its secret is to be had."""
    for name, value in _flat(configuration.settings):
        yield name, value, configuration.origins[name]


def variables() -> frozenset[str]:
    """The variables of the environment that settings are read from."""
    return frozenset(f"{_PREFIX}{name.upper().replace('.', '_')}" for name in (*_types(), "config"))


def _types() -> dict[str, Any]:
    """Each setting that is one value: dotted name to type."""
    found = {f.name: f.type for f in msgspec.structs.fields(Settings) if f.name not in _SECTIONS}
    for section, kind in (
        ("ssh", SshSection),
        ("winrm", WinrmSection),
        ("tui", TuiSection),
        ("keys", KeysSection),
    ):
        found |= {f"{section}.{f.name}": f.type for f in msgspec.structs.fields(kind)}
    return found


def _flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    for name in _types():
        section, _, key = name.rpartition(".")
        yield name, getattr(getattr(settings, section) if section else settings, key)
    for name, definition in settings.credentials.items():
        yield f"credentials.{name}", definition


def _assemble(values: Mapping[str, Any]) -> Settings:
    own = {name: value for name, value in values.items() if "." not in name}
    sections: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    for name, value in values.items():
        section, dot, key = name.partition(".")
        if dot:
            sections[section][key] = value
    if "journal" in own:
        own["journal"] = str(Path(own["journal"]).expanduser())
    return Settings(
        **own,
        ssh=SshSection(**sections["ssh"]),
        winrm=WinrmSection(**sections["winrm"]),
        tui=TuiSection(**sections["tui"]),
        keys=KeysSection(**sections["keys"]),
        credentials=sections["credentials"],
    )


# --- the layers ---


def _from_file(wanted: str) -> Layer:
    path = Path(wanted).expanduser() if wanted else default_file()
    if not wanted and not path.exists():
        return
    document = read_yaml(_trusted_text(path), str(path))
    if document.data is None:
        return
    _read_durations(document)
    read = document.convert(Settings)
    for name, value in _flat(read):
        place = tuple(name.split(".", 1))
        if _given(document, place):
            yield name, value, f"{path}:{document.line(place)}"


def _given(document: Document, place: tuple[str, ...]) -> bool:
    part: Any = document.data
    for key in place:
        if not isinstance(part, dict) or key not in part:
            return False
        part = part[key]
    return True


def _read_durations(document: Document) -> None:
    for name in _DURATIONS:
        place = tuple(name.split("."))
        if _given(document, place):
            section, key = place
            try:
                document.data[section][key] = duration(document.data[section][key], key)
            except ValueError as error:
                raise document.error(str(error), place) from None


def _from_environment(variables: Mapping[str, str]) -> Layer:
    for name, kind in _types().items():
        variable = _PREFIX + name.upper().replace(".", "_")
        text = variables.get(variable, "")
        if text:
            yield name, _parsed(name, kind, text, variable), variable


def _parsed(name: str, kind: Any, text: str, variable: str) -> Any:
    try:
        if name in _DURATIONS:
            return msgspec.convert(duration(text, name), kind)
        if name == "blocker":
            return words_of(text)
        if kind == tuple[str, ...]:
            return tuple(part for part in text.split(os.pathsep) if part)
        if kind is bool:
            return _switch(text)
        return msgspec.convert(text, kind, strict=False)
    except ValueError as error:
        raise UsageError(f"{variable}={text!r}: {error}") from None


def _switch(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(f"expected one of {', '.join(_TRUE + _FALSE)}")
    return word in _TRUE


def _from_flags(flags: Mapping[str, Any]) -> Layer:
    types = _types()
    for name, value in flags.items():
        if name not in types:
            raise UnknownNameError("setting", name, types)
        if value is None:
            continue
        flag = "--" + name.rpartition(".")[2].replace("_", "-")
        try:
            yield name, msgspec.convert(value, types[name]), flag
        except msgspec.ValidationError as error:
            raise UsageError(f"{flag} {value}: {error}") from None


# --- the file ---


def _trusted_text(path: Path) -> str:
    """The text of the file. It names programs to start, so nobody but its owner and root may have written it."""
    try:
        # A named pipe would otherwise hold the program until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            _check_writers(path, os.fstat(handle))
            raw = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path)) from None
    if len(raw) > _MOST_BYTES:
        raise InputError(f"larger than {_MOST_BYTES} bytes", file=str(path))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", file=str(path)) from None


def _check_writers(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InputError("not a file", file=str(path))
    if status.st_uid not in (0, os.geteuid()):
        raise InputError(
            "belongs to another user, who could have programs started by it", file=str(path)
        )
    if status.st_mode & stat.S_IWOTH:
        raise InputError("everybody may write it; take that away: chmod o-w", file=str(path))
    folder = path.resolve().parent
    if folder.stat().st_mode & stat.S_IWOTH:
        raise InputError(
            f"everybody may write in {folder}; keep the settings elsewhere", file=str(path)
        )
