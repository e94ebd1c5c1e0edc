"""What a fleet is exposed to, before an incident: what could take its hosts down, and whether they could be helped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from recovery.model.events import StepFinished
from recovery.model.evidence import (
    AnyEvidence,
    KernelModule,
    KernelModules,
    MachineFacts,
    Readiness,
    ServiceState,
)
from recovery.model.host import Fleet, Host
from recovery.model.product import Product
from recovery.ports import Stored

SCHEMA = 1

Mode = Literal["kernel", "ebpf", "user"]
_MODES: tuple[Mode, ...] = ("kernel", "ebpf", "user")
Risk = Literal["yes", "less", "no", "unknown"]
Help = Literal["yes", "partly", "no", "unknown"]

_REMOTE = ("sshd", "winrm")


class Audit(msgspec.Struct, frozen=True):
    """What one host told."""

    at: datetime
    evidence: tuple[AnyEvidence, ...]


class Exposed(msgspec.Struct, frozen=True):
    """One host, as far as it could be taken down and brought back."""

    host: Host
    audited: datetime | None
    products: Mapping[str, Mode]
    """Title to the way in which it runs, the most dangerous one."""
    others: tuple[str, ...]
    """Drivers and modules of vendors that are not on the list of products."""
    could_take_down: Risk
    recoverable: Help
    because: tuple[str, ...]


def audits(events: Iterable[Stored]) -> dict[str, Audit]:
    """The latest audit of each host."""
    found: dict[str, Audit] = {}
    for stored in events:
        event = stored.event
        if isinstance(event, StepFinished) and event.step == "exposure" and event.outcome == "ok":
            found[event.host] = Audit(event.at, event.evidence)
    return found


def exposed(
    fleet: Fleet, known: Mapping[str, Audit], products: Sequence[Product]
) -> tuple[Exposed, ...]:
    """Every host of the fleet; one that was not audited is unknown, never safe."""
    return tuple(_exposed(host, known.get(host.name), products) for host in fleet.hosts)


def _exposed(host: Host, audit: Audit | None, products: Sequence[Product]) -> Exposed:
    if audit is None:
        return Exposed(host, None, {}, (), "unknown", "unknown", ("it has not been audited",))
    modules = _modules(audit.evidence)
    ways, others = _products(host, modules, _running(audit.evidence), products)
    risk, why = _risk(ways, others)
    help_, how = _help(host, audit.evidence)
    gap = _gap(audit.evidence)
    if gap and risk != "yes":
        risk, why = "unknown", ()
    because = (*why, *gap, *_unconfirmed(ways, host, products), *how)
    return Exposed(host, audit.at, ways, others, risk, help_, because)


def _gap(evidence: Iterable[AnyEvidence]) -> tuple[str, ...]:
    """Why what was listed of the kernel is not all that runs in it; empty where it is."""
    lists = [item for item in evidence if isinstance(item, KernelModules)]
    if not lists:
        return ("it did not list what runs in its kernel",)
    return ("its list of modules was too long and was cut",) if lists[0].truncated else ()


def _unconfirmed(
    ways: Mapping[str, Mode], host: Host, products: Sequence[Product]
) -> tuple[str, ...]:
    found = [
        product.title
        for product in products
        if product.title in ways and not product.traces[host.os].confirmed
    ]
    return (f"told by names that no public source confirms: {', '.join(found)}",) if found else ()


def _modules(evidence: Iterable[AnyEvidence]) -> tuple[KernelModule, ...]:
    return next((item.modules for item in evidence if isinstance(item, KernelModules)), ())


def _running(evidence: Iterable[AnyEvidence]) -> frozenset[str]:
    return frozenset(
        item.name for item in evidence if isinstance(item, ServiceState) and item.running
    )


def _products(
    host: Host,
    modules: Sequence[KernelModule],
    running: frozenset[str],
    products: Sequence[Product],
) -> tuple[dict[str, Mode], tuple[str, ...]]:
    ways: dict[str, Mode] = {}
    claimed: set[str] = set()
    for product in products:
        traces = product.traces.get(host.os)
        if traces is None:
            continue
        own = [m for m in modules if traces.match(m.name) or m.name in traces.processes]
        claimed.update(module.name for module in own)
        modes: set[Mode] = {_mode(module) for module in own if module.start != "disabled"}
        modes |= {"user"} if running & set(traces.processes) else set()
        if modes:
            ways[product.title] = min(modes, key=_MODES.index)
    others = (m for m in modules if m.name not in claimed and m.start != "disabled")
    return ways, tuple(dict.fromkeys(_named(module) for module in others if _counts(module)))


def _mode(module: KernelModule) -> Mode:
    return "ebpf" if module.kind == "ebpf" else module.mode


def _counts(module: KernelModule) -> bool:
    return module.mode == "kernel" and module.kind != "ebpf"


def _named(module: KernelModule) -> str:
    return f"{module.name} ({module.vendor})" if module.vendor else module.name


def _risk(ways: Mapping[str, Mode], others: Sequence[str]) -> tuple[Risk, tuple[str, ...]]:
    kernel = [title for title, mode in ways.items() if mode == "kernel"]
    if kernel:
        return "yes", (f"{', '.join(kernel)} in kernel mode: a bad update can stop the machine",)
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""  # noqa: PLR2004 - as many as are read
        return "yes", (f"other vendors' code in the kernel: {', '.join(others[:3])}{more}",)
    contained = [title for title, mode in ways.items() if mode == "ebpf"]
    if contained:
        return "less", (
            f"{', '.join(contained)} by eBPF: the kernel checks its programs, and has panicked even so",
        )
    return "no", ("nothing of another vendor runs in its kernel",)


def _help(host: Host, evidence: Sequence[AnyEvidence]) -> tuple[Help, tuple[str, ...]]:
    """Whether somebody far away could bring the host back, and by what."""
    locked = _keys(evidence)
    if host.console is not None:
        return "yes", (f"it has a console ({host.console.kind})", *locked)
    ready = next((item for item in evidence if isinstance(item, Readiness)), None)
    if ready is None:
        return "unknown", (
            "it has no console, and did not say how else it could be helped",
            *locked,
        )
    ways = _ways(ready)
    if ways:
        return "partly", (*ways, *locked)
    return "no", ("without its own system nothing answers for it: it would need hands", *locked)


def _ways(ready: Readiness) -> tuple[str, ...]:
    services = [name for name in ready.safe_mode_services if name.lower() in _REMOTE]
    found = []
    if services:
        found.append(f"{', '.join(services)} starts in Safe Mode with Networking")
    if ready.quick_recovery == "on":
        found.append("Quick Machine Recovery is on, for fixes that Microsoft publishes")
    if ready.restarts_after_crash and (ready.kernels or 0) > 1:
        found.append(f"it restarts after a crash, and has {ready.kernels} kernels to start")
    return tuple(found)


def _keys(evidence: Sequence[AnyEvidence]) -> tuple[str, ...]:
    facts = next((item for item in evidence if isinstance(item, MachineFacts)), None)
    locked = [v for v in facts.volumes if v.status in ("on", "locked")] if facts else []
    without = [volume.drive for volume in locked if not volume.protectors]
    if without:
        return (f"BitLocker on {', '.join(without)} without a recovery password",)
    if locked:
        ids = ", ".join(identity for volume in locked for identity in volume.protectors)
        return (
            f"BitLocker asks for the key with the id {ids}; the host cannot tell whether it is kept anywhere",
        )
    return ()


def rows(found: Iterable[Exposed]) -> list[dict[str, Any]]:
    """One row a host, for JSON and CSV."""
    return [
        {
            "schema": SCHEMA,
            "name": each.host.name,
            "os": each.host.os,
            "site": each.host.site,
            **{
                f"{mode}_mode": [title for title, way in each.products.items() if way == mode]
                for mode in _MODES
            },
            "others_in_kernel": list(each.others),
            "could_take_down": each.could_take_down,
            "recoverable_remotely": each.recoverable,
            "because": list(each.because),
            "audited": msgspec.to_builtins(each.audited),
        }
        for each in found
    ]


def summary(found: Sequence[Exposed]) -> dict[str, Any]:
    """Hosts by product and way, and by site: how many could be taken down, and how many of these would need hands."""
    by_product = Counter((title, mode) for each in found for title, mode in each.products.items())
    titles = sorted({title for title, _ in by_product})
    sites = sorted({each.host.site for each in found})
    return {
        "schema": SCHEMA,
        "total": len(found),
        "audited": sum(each.audited is not None for each in found),
        "products": {title: {mode: by_product[title, mode] for mode in _MODES} for title in titles},
        "sites": {
            site or "(no site)": _site([each for each in found if each.host.site == site])
            for site in sites
        },
    }


def _site(found: Sequence[Exposed]) -> dict[str, int]:
    at_risk = [each for each in found if each.could_take_down == "yes"]
    return {
        "hosts": len(found),
        "could_take_down": len(at_risk),
        "unknown": sum(each.could_take_down == "unknown" for each in found),
        "need_hands": sum(each.recoverable == "no" for each in at_risk),
    }
