"""What one record of a Windows event log says of crashes, starts and ends of a machine.

Records are told apart by provider and number together: 1001 of `Windows Error Reporting` is about programs and has
nothing to do with 1001 of `BugCheck`. Nothing that is localised is read. Sources: Microsoft's article on event 41
("Windows has restarted without shutting down cleanly first"), the bug check reference, and recorded logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from recovery.detect import bugchecks

EventKind = Literal[
    "bugcheck",
    "dirty_restart",
    "unexpected_shutdown",
    "planned_restart",
    "boot",
    "shutdown",
    "dump_failed",
    "uptime",
    "other",
]

_LONGEST = 300
_FOUR = re.compile(r"0x[0-9a-fA-F]{1,16}")
_SYSTEMTIME = 16
_LONGEST_CODE = 18
_WIDEST_ZONE = timedelta(hours=15)
_TOLERANCE = timedelta(minutes=2)


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a record, as they stand in it."""

    event_id: int
    provider: str = ""
    guid: str = ""
    source: str = ""
    """EventSourceName: the name that the provider had before it had a manifest."""
    channel: str = ""
    computer: str = ""
    record_id: int | None = None
    at: datetime | None = None
    data: tuple[tuple[str, str], ...] = ()
    """Name (may be empty) and value of each."""
    binary: bytes = b""

    def value(self, name: str, place: int = -1) -> str:
        """The datum of that name, else the one at `place` where the data have no names."""
        for known, value in self.data:
            if known.lower() == name.lower():
                return value
        unnamed = not any(known for known, _ in self.data)
        return self.data[place][1] if unnamed and 0 <= place < len(self.data) else ""


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, read. Times are by the clock of the machine that wrote it."""

    event_id: int
    provider: str
    kind: EventKind
    at: datetime | None
    """When it was written, UTC."""
    computer: str = ""
    record_id: int | None = None
    stop_code: int | None = None
    """Without the mark that some codes carry; None when it tells of no bug check."""
    raw_stop_code: int | None = None
    """As it stands in the record: 0 where it says that there was none, None where it does not say."""
    parameters: tuple[int, ...] = ()
    dump_path: str = ""
    report_id: str = ""
    power_button: bool = False
    """Somebody held the power button before the restart."""
    from_firmware: bool = False
    """The stop code was kept by the firmware; there may be no dump and no other record."""
    alive_until: datetime | None = None
    """UTC; when the machine was last known to run before it went."""
    alive_until_local: str = ""
    """The same by the machine's local time, ISO 8601 without a zone."""
    started: datetime | None = None
    """UTC; when the boot began that the record is about."""
    who: str = ""
    meaning: str = ""
    """In words, for an operator."""


def interpret(raw: RawEvent) -> EventRecord:
    """What a record says. Never raises; what it does not know is of kind `other`."""
    reader = _reader(raw)
    plain = EventRecord(
        event_id=raw.event_id,
        provider=_inert(raw.provider or raw.source),
        kind="other",
        at=raw.at,
        computer=_inert(raw.computer),
        record_id=raw.record_id,
        meaning="says nothing of crashes or restarts",
    )
    return plain if reader is None else reader(raw, plain)


Reader = Callable[[RawEvent, EventRecord], EventRecord]


def _reader(raw: RawEvent) -> Reader | None:
    names = {raw.provider.lower(), raw.source.lower()}
    family = next((_FAMILIES[name] for name in names if name in _FAMILIES), None)
    family = family or _GUIDS.get(raw.guid.strip("{}").lower())
    return _READERS.get((family, raw.event_id)) if family else None


def _bugcheck(raw: RawEvent, plain: EventRecord) -> EventRecord:
    """Param1 is `0x00000050 (0x.., 0x.., 0x.., 0x..)`, then the dump's path and the report's id."""
    text = raw.value("param1", 0)
    numbers = [int(found, 16) for found in _FOUR.findall(text[:_LONGEST])]
    code = bugchecks.parse(text)
    dump = _inert(raw.value("param2", 1))
    words = (
        f"blue screen: stop code {bugchecks.shown(code)}" if code else "blue screen, code not given"
    )
    return msgspec.structs.replace(
        plain,
        kind="bugcheck",
        stop_code=code,
        raw_stop_code=numbers[0] & 0xFFFFFFFF if code and numbers else code,
        parameters=tuple(numbers[1:5]),
        dump_path=dump,
        report_id=_report(raw.value("param3", 2)),
        meaning=words + (f"; dump {dump}" if dump else ""),
    )


def _report(text: str) -> str:
    """The report's id; empty for the one of noughts alone, which every crash has where reporting is off."""
    found = _inert(text).strip("{}").lower()
    return found if found.strip("0-") else ""


def _old_bugcheck(raw: RawEvent, plain: EventRecord) -> EventRecord:
    """Windows XP and 2003: five hex numbers without a prefix."""
    digits = (value.strip().lower().removeprefix("0x") for _, value in raw.data[:5])
    numbers = [_number(f"0x{value}") for value in digits]
    code = bugchecks.effective(numbers[0]) if numbers else 0
    return msgspec.structs.replace(
        plain,
        kind="bugcheck",
        stop_code=code or None,
        raw_stop_code=numbers[0] or None if numbers else None,
        parameters=tuple(numbers[1:]),
        meaning=f"blue screen: stop code {bugchecks.shown(code)}" if code else "blue screen",
    )


_UNCLEAN = "restarted without a clean shutdown"


def _dirty_restart(raw: RawEvent, plain: EventRecord) -> EventRecord:
    """A code other than zero is a crash, whatever the power button says: a stopped machine is often switched off."""
    number = _code(raw.value("BugcheckCode", 0))
    code = bugchecks.effective(number) or None if number else None
    firmware = _flag(raw.value("BugcheckInfoFromEFI", 12))
    held = _number(raw.value("PowerButtonTimestamp", 6)) != 0 or _flag(
        raw.value("LongPowerButtonPressDetected", 15)
    )
    if code:
        kept = ", kept by the firmware" if firmware else ""
        meaning = f"{_UNCLEAN} after a blue screen: stop code {bugchecks.shown(code)}{kept}"
    elif held:
        meaning = f"{_UNCLEAN}: the power button was held"
    elif number is None:
        meaning = f"{_UNCLEAN}; whether after a blue screen cannot be read in the record"
    else:
        meaning = (
            f"{_UNCLEAN}: the power was cut, the machine was reset or hung, "
            "or it crashed and could not write down why"
        )
    parameters = [_number(raw.value(f"BugcheckParameter{n}", n)) for n in range(1, 5)]
    return msgspec.structs.replace(
        plain,
        kind="dirty_restart",
        stop_code=code,
        raw_stop_code=number,
        parameters=tuple(parameters) if code else (),
        power_button=held,
        from_firmware=firmware and code is not None,
        meaning=meaning,
    )


def _unexpected_shutdown(raw: RawEvent, plain: EventRecord) -> EventRecord:
    """The binary part holds two SYSTEMTIMEs: the machine's local time, and behind it the same in UTC."""
    local = _systemtime(raw.binary[:_SYSTEMTIME])
    utc = _systemtime(raw.binary[_SYSTEMTIME : 2 * _SYSTEMTIME])
    if local is None or utc is None or not _one_moment(local, utc, raw.at):
        utc = None
    if utc is not None:
        when = f"; it ran until {utc:%Y-%m-%d %H:%M:%S} UTC or a little longer"
    elif local is not None:
        when = f"; it ran until {local:%Y-%m-%d %H:%M:%S} by its local time or a little longer"
    else:
        when = ""
    return msgspec.structs.replace(
        plain,
        kind="unexpected_shutdown",
        alive_until=utc.replace(tzinfo=UTC) if utc else None,
        alive_until_local=local.isoformat() if local else "",
        meaning=f"the previous shutdown was unexpected{when}",
    )


def _planned(raw: RawEvent, plain: EventRecord) -> EventRecord:
    """The user and the process are named; the texts between them are localised."""
    who = " by ".join(
        part for part in (_inert(raw.value("param7", 6)), _inert(raw.value("param1", 0))) if part
    )
    code = _inert(raw.value("param4", 3))
    reason = f", reason {code}" if code else ""
    asked = f" for {who}" if who else ""
    return msgspec.structs.replace(
        plain, kind="planned_restart", who=who, meaning=f"restart or shutdown asked{asked}{reason}"
    )


def _boot(raw: RawEvent, plain: EventRecord) -> EventRecord:
    started = moment(raw.value("StartTime", 6)) or raw.at
    mode = _number(raw.value("BootMode", 5))
    return msgspec.structs.replace(
        plain,
        kind="boot",
        started=started,
        meaning="Windows started"
        + (f" in boot mode {mode}, which is not the usual one" if mode else ""),
    )


def _says(kind: EventKind, meaning: str) -> Reader:
    def reader(raw: RawEvent, plain: EventRecord) -> EventRecord:
        started = raw.at if kind == "boot" else None
        return msgspec.structs.replace(plain, kind=kind, meaning=meaning, started=started)

    return reader


_FAMILIES: Mapping[str, str] = {
    "microsoft-windows-wer-systemerrorreporting": "bugcheck",
    "bugcheck": "bugcheck",
    "save dump": "bugcheck",
    "system error": "old_bugcheck",
    "microsoft-windows-kernel-power": "power",
    "eventlog": "eventlog",
    "microsoft-windows-eventlog": "eventlog",
    "user32": "user32",
    "volmgr": "volmgr",
    "microsoft-windows-kernel-general": "general",
}
_GUIDS: Mapping[str, str] = {
    "abce23e7-de45-4366-8631-84fa6c525952": "bugcheck",
    "331c3b3a-2005-44c2-ac5e-77220c37d6b4": "power",
    "a68ca8b7-004f-d7b6-a698-07e2de0f1f5d": "general",
    "b0aa8734-56f7-41cc-b2f4-de228e98b946": "user32",
}
_NO_DUMP = "no dump could be prepared: a crash would leave none"
_READERS: Mapping[tuple[str, int], Reader] = {
    ("bugcheck", 1001): _bugcheck,
    ("old_bugcheck", 1003): _old_bugcheck,
    ("power", 41): _dirty_restart,
    ("eventlog", 6008): _unexpected_shutdown,
    ("user32", 1074): _planned,
    ("general", 12): _boot,
    ("general", 13): _says("shutdown", "Windows shut down"),
    ("eventlog", 6005): _says("boot", "the event log service started: Windows started"),
    ("eventlog", 6006): _says(
        "shutdown", "the event log service stopped: Windows shut down cleanly"
    ),
    ("eventlog", 6009): _says("boot", "Windows started and named its version"),
    ("eventlog", 6013): _says("uptime", "Windows told how long it was up"),
    ("volmgr", 46): _says("dump_failed", _NO_DUMP),
    ("volmgr", 49): _says("dump_failed", _NO_DUMP),
    ("volmgr", 161): _says("dump_failed", "a dump was begun and could not be written"),
}

_MOMENT = re.compile(
    r"\s*(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?\s*(Z|[+-]\d\d:?\d\d)?\s*"
)


def moment(text: str) -> datetime | None:
    """A time with any number of fraction digits, UTC where it names no zone; None when it is none."""
    found = _MOMENT.fullmatch(text)
    if not found:
        return None
    *numbers, fraction, zone = found.groups()
    try:
        parts = [int(number) for number in numbers]
        at = datetime(*parts[:6], tzinfo=UTC)  # type: ignore[misc,arg-type]
        at += timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
        if zone and zone != "Z":
            ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            at -= ahead if zone[0] == "+" else -ahead
    except (ValueError, OverflowError):
        return None
    return at


def _systemtime(raw: bytes) -> datetime | None:
    if len(raw) < _SYSTEMTIME:
        return None
    year, month, _, day, hour, minute, second, milli = (
        int.from_bytes(raw[place : place + 2], "little") for place in range(0, _SYSTEMTIME, 2)
    )
    try:
        return datetime(year, month, day, hour, minute, second, milli * 1000)  # noqa: DTZ001 - of no zone yet
    except ValueError:
        return None


def _one_moment(local: datetime, utc: datetime, logged: datetime | None) -> bool:
    """Whether the second time can be the first one in UTC: apart by a zone, and before it was written down."""
    apart = abs(local - utc)
    before = logged is None or utc.replace(tzinfo=UTC) <= logged + _TOLERANCE
    return before and apart <= _WIDEST_ZONE and apart.seconds % 900 == 0 and not apart.microseconds


def _number(text: str) -> int:
    """A decimal or, with its prefix, hex number of at most 64 bits; 0 when it is none."""
    return _read_number(text) or 0


def _read_number(text: str) -> int | None:
    """As `_number`; None when it is none."""
    text = text.strip()[:24]
    try:
        return int(text, 16 if text[:2].lower() == "0x" else 10) & 0xFFFFFFFFFFFFFFFF
    except ValueError:
        return None


def _code(text: str) -> int | None:
    """A stop code, which has 32 bits; None where the text is no such number, never a part of it."""
    text = text.strip()
    found = _read_number(text) if len(text) <= _LONGEST_CODE and text[:1] not in "+-" else None
    return found if found is not None and found >> 32 == 0 else None


def _flag(text: str) -> bool:
    return text.strip().lower() in ("true", "1")


def _inert(text: str) -> str:
    """Text from a log, bounded, without anything that could act on a terminal."""
    text = text.strip()[:_LONGEST]
    return text if text.isprintable() else "".join(char for char in text if char.isprintable())
