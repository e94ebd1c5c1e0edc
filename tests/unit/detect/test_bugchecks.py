"""Stop codes and their names."""

from __future__ import annotations

import pytest

from recovery.detect import bugchecks


def test_the_table_is_whole() -> None:
    names = bugchecks.names()
    assert len(names) >= 400
    assert len(set(names.values())) == len(names)
    assert all(name == name.upper() and name.replace("_", "").isalnum() for name in names.values())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x0A, "IRQL_NOT_LESS_OR_EQUAL"),
        (0x50, "PAGE_FAULT_IN_NONPAGED_AREA"),
        (0x7B, "INACCESSIBLE_BOOT_DEVICE"),
        (0x7E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"),
        (0x1000007E, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"),
        (0xED, "UNMOUNTABLE_BOOT_VOLUME"),
        (0xEF, "CRITICAL_PROCESS_DIED"),
        (0x133, "DPC_WATCHDOG_VIOLATION"),
        (0x139, "KERNEL_SECURITY_CHECK_FAILURE"),
        (0x1CA, "SYNTHETIC_WATCHDOG_TIMEOUT"),
        (0xC000021A, "STATUS_SYSTEM_PROCESS_TERMINATED"),
        (0xDEADDEAD, "MANUALLY_INITIATED_CRASH1"),
        (0xABCDE, ""),
    ],
)
def test_names(code: int, name: str) -> None:
    assert bugchecks.name(code) == name
    assert bugchecks.shown(code).endswith(name or "0xABCDE")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0x00000050 (0xffff840500000074, 0x0, 0xfffff806715114ed, 0x2)", 0x50),
        ("0x50", 0x50),
        ("50", 0x50),
        ("(7e)", 0x7E),
        ("0x1000007E", 0x7E),
        ("0x8000000A", 0x0A),
        ("0xFFFFFFFF1000007E", 0x7E),
        ("*** STOP: 0x0000007E (0xC0000005, ...)", 0x7E),
        ("STOP 0x7B", 0x7B),
        ("PAGE_FAULT_IN_NONPAGED_AREA (50)", 0x50),
        ("PAGE_FAULT_IN_NONPAGED_AREA", 0x50),
        ("page_fault_in_nonpaged_area", 0x50),
        ("SOMETHING_NEW_AND_UNKNOWN (1ff)", 0x1FF),
        ("SOMETHING_NEW_AND_UNKNOWN", None),
        ("0x0", None),
        ("0x123456789", None),
        ("", None),
        ("nothing at all", None),
    ],
)
def test_parsing(text: str, code: int | None) -> None:
    assert bugchecks.parse(text) == code


def test_reports_on_running_systems_are_told_apart() -> None:
    assert all(map(bugchecks.is_live, (0x5454414D, 0x117, 0x141, 0x15E, 0x161, 0x1A8)))
    assert not any(map(bugchecks.is_live, (0x50, 0x7E, 0x116, 0xDEADDEAD)))
