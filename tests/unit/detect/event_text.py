"""Event records as XML in the shapes in which Windows writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
WER = {
    "Name": "Microsoft-Windows-WER-SystemErrorReporting",
    "Guid": "{ABCE23E7-DE45-4366-8631-84FA6C525952}",
    "EventSourceName": "BugCheck",
}
POWER = {
    "Name": "Microsoft-Windows-Kernel-Power",
    "Guid": "{331C3B3A-2005-44C2-AC5E-77220C37D6B4}",
}


def event(
    provider: Mapping[str, str],
    number: int,
    at: str,
    data: Mapping[str, str] | list[str] | None = None,
    *,
    binary: str = "",
    record: int = 1,
    channel: str = "System",
) -> str:
    """One record."""
    named = data.items() if isinstance(data, Mapping) else [("", value) for value in data or []]
    inner = "".join(
        f"<Data{f' Name={quoteattr(name)}' if name else ''}>{escape(value)}</Data>"
        for name, value in named
    )
    inner += f"<Binary>{binary}</Binary>" if binary else ""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in provider.items())
    return (
        f"<Event xmlns='{NAMESPACE}'><System><Provider{attributes}/>"
        f"<EventID Qualifiers='0'>{number}</EventID><Version>0</Version><Level>2</Level>"
        f"<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime='{at}'/>"
        f"<EventRecordID>{record}</EventRecordID><Correlation/>"
        f"<Channel>{channel}</Channel><Computer>ATL-KIOSK-001</Computer><Security/></System>"
        f"<EventData>{inner}</EventData></Event>"
    )


def bugcheck(
    at: str, code: str = "0x00000050", report: str = "r", dump: str = "", **more: Any
) -> str:
    """1001 of the blue screen."""
    first = (
        f"{code} (0xffff840500000074, 0x0000000000000000, 0xfffff806715114ed, 0x0000000000000002)"
    )
    path = dump or r"C:\Windows\MEMORY.DMP"
    return event(WER, 1001, at, {"param1": first, "param2": path, "param3": report}, **more)


def dirty_restart(at: str, code: int = 0, button: int = 0, efi: str = "false", **more: Any) -> str:
    """41 of Kernel-Power; the code is decimal."""
    data = {"BugcheckCode": str(code), "BugcheckParameter1": "0xffff840500000074"}
    data |= {f"BugcheckParameter{n}": "0x0" for n in (2, 3, 4)}
    data |= {"SleepInProgress": "0", "PowerButtonTimestamp": str(button), "BootAppStatus": "0"}
    data |= {"BugcheckInfoFromEFI": efi, "LongPowerButtonPressDetected": "false"}
    return event(POWER, 41, at, data, **more)


def systemtime(at: datetime) -> str:
    """A SYSTEMTIME in hex, as 6008 holds two of them."""
    week = (at.weekday() + 1) % 7
    parts = (at.year, at.month, week, at.day, at.hour, at.minute, at.second, at.microsecond // 1000)
    return b"".join(part.to_bytes(2, "little") for part in parts).hex().upper()


def unexpected(at: str, utc: datetime, hours: float = 2.0, **more: Any) -> str:
    """6008 of a host whose clock is `hours` ahead of UTC; its texts are localised."""
    local = systemtime(utc + timedelta(hours=hours))
    texts = ["10:23:28", "\u200e19.\u200e07.\u200e2024", "", "", "31", "", ""]
    binary = local + systemtime(utc) + "3C0000003C000000"
    return event({"Name": "EventLog"}, 6008, at, texts, binary=binary, **more)


def planned(at: str, user: str = r"CORP\technician", **more: Any) -> str:
    """1074 of User32."""
    data = {
        "param1": r"C:\Windows\System32\RuntimeBroker.exe (ATL-KIOSK-001)",
        "param2": "ATL-KIOSK-001",
        "param3": "Anderer Grund (geplant)",
        "param4": "0x85000000",
        "param5": "Neustart",
        "param6": "",
        "param7": user,
    }
    return event({"Name": "User32", "EventSourceName": "User32"}, 1074, at, data, **more)


def boot(at: str, started: str = "", **more: Any) -> str:
    """12 of Kernel-General."""
    data = {"MajorVersion": "10", "BootMode": "0", "StartTime": started or at}
    return event({"Name": "Microsoft-Windows-Kernel-General"}, 12, at, data, **more)


def application_report(at: str, **more: Any) -> str:
    """1001 of a program that crashed: another provider, another log."""
    data = ["", "0", "BlueScreen", "Not available", "0", "50", "ffff840500000074", "0"]
    provider = {"Name": "Windows Error Reporting"}
    return event(provider, 1001, at, data, channel="Application", **more)


MAKERS: Mapping[str, Callable[..., str]] = {
    "bugcheck": bugcheck,
    "dirty": dirty_restart,
    "planned": planned,
    "boot": boot,
    "application": application_report,
}


def from_case(item: Mapping[str, Any], zero: datetime) -> str:
    """The record that a case describes: its maker's name with the minute after `zero`, and the maker's arguments."""
    kind = next(name for name in (*MAKERS, "unexpected", "no_dump") if name in item)
    at = zero + timedelta(minutes=item[kind])
    shown = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    more = {name: value for name, value in item.items() if name != kind}
    number = int(item[kind] * 60) + [*MAKERS, "unexpected", "no_dump"].index(kind) * 100_000
    if kind == "unexpected":
        return unexpected(shown, at - timedelta(minutes=1), record=number)
    if kind == "no_dump":
        return event(
            {"Name": "volmgr"}, 161, shown, ["", r"\Device\HarddiskVolume3"], record=number
        )
    return MAKERS[kind](shown, record=number, **more)
