"""What simulated machines tell of their kernels before an incident."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from recovery.model.host import Host, Os
from recovery.ports import Command
from recovery.remote import records
from recovery.sim.faults import chance
from recovery.sim.machine import Machine

_encode = msgspec.json.Encoder().encode

_KERNEL: Mapping[Os, tuple[tuple[str, str, str], ...]] = {
    "windows": (
        ("csagent.sys", "driver", "CrowdStrike, Inc."),
        ("csboot.sys", "elam", "CrowdStrike, Inc."),
        ("mocknic.sys", "driver", "Mock Networks"),
    ),
    "linux": (("falcon-sensor-bpf", "ebpf", ""),),
    "macos": (("com.crowdstrike.falcon.Agent", "extension", ""),),
}
_SERVED = 0.3
"""Share of Windows machines whose Safe Mode was prepared for remote work."""
_PROTECTED = 0.6
"""Share of Windows machines whose system volume is encrypted."""


def survey(machine: Machine, host: Host, command: Command, at: float) -> bytes:
    """The reply to `exposure`, drawn from the machine's seed."""
    found: list[records.Record] = [
        records.Boot(
            boot_id=machine.boot_id,
            boot_time=float(round(machine.boot_at + machine.skew)),
            uptime=round(at - machine.boot_at, 2),
            clock=float(int(at + machine.skew)),
        ),
        records.System(os=host.os, hostname_hex=_hex(host.name)),
        *(_module(host.os, *module) for module in _KERNEL[host.os]),
        records.Modules(),
        *_standing(machine, host),
        records.End(token=command.token),
    ]
    return b"".join(_encode(record) + b"\n" for record in found)


def _standing(machine: Machine, host: Host) -> list[records.Record]:
    if host.os != "windows":
        return [records.ReadinessRecord(restarts_after_crash=host.os == "linux", kernels=2)]
    served = chance(machine.seed, host.name, "served") < _SERVED
    found: list[records.Record] = []
    if chance(machine.seed, host.name, "encrypted") < _PROTECTED:
        identity = machine.boot_id.upper()
        found.append(
            records.Volume(drive_hex=_hex("C:"), status="on", protectors=(f"{{{identity}}}",))
        )
    return [
        *found,
        records.Facts(),
        records.ReadinessRecord(
            safe_mode_services=("sshd",) if served else (),
            quick_recovery="off",
            recovery_environment="on",
            restarts_after_crash=True,
        ),
    ]


def _module(os: Os, name: str, kind: str, vendor: str) -> records.Record:
    return msgspec.convert(
        {
            "record": "module",
            "name_hex": _hex(name),
            "kind": kind,
            "mode": "user" if kind == "extension" else "kernel",
            "vendor_hex": _hex(vendor),
            "running": True,
            "start": "boot" if os == "windows" else "",
        },
        records.Module,
    )


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()
