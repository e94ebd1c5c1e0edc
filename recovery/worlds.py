"""The surroundings of a run: the real one, or the mock twin. Nothing else decides which adapters there are."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from recovery import plugins
from recovery.credentials import CredentialStore
from recovery.engine import acts, audit, once, power_cycle, race, reboot, steps
from recovery.engine.context import Sight
from recovery.engine.pursuit import Action
from recovery.errors import (
    InputError,
    UnknownNameError,
    UsageError,
)
from recovery.inventory.ranges import fold as folded
from recovery.journal.pictures import kept_pictures
from recovery.model.events import AnyEvent, CredentialStopped
from recovery.model.host import Fleet, Host, Os
from recovery.model.incident import Incident
from recovery.model.playbook import Playbook
from recovery.model.product import process_names
from recovery.playbook import library
from recovery.playbook.report import Report
from recovery.ports import Clock, Console, Credentials, PictureReader, Transport
from recovery.settings import Settings

if TYPE_CHECKING:
    from recovery.ocr import Engine
    from recovery.sim.faults import Mix
    from recovery.sim.world import World

T = TypeVar("T")
Emit = Callable[[AnyEvent], None]

_REST = 0.2
"""Seconds between two looks for a word of people's, while a twin's time stands still."""


_BELIEVED = (
    "winrm: verify: false: any machine is believed to be the host that it poses as, and whoever is on the way could "
    "relay a sign-in by NTLM to another machine; name the authority of the certificates instead (winrm: ca_file)"
)


class Surroundings(Protocol):
    """What a run needs of the world."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry `work` out on an event loop of the right pace."""

    def clock(self) -> Clock:
        """The time; asked for on that loop."""

    def transports(self) -> Mapping[str, Transport]:
        """The ways to the hosts, by the name that hosts give; made on that loop."""

    def sight(self) -> Sight:
        """The out-of-band ways to the hosts; made on that loop, after `transports`."""

    async def prepare(self) -> None:
        """Get what transports need before anything begins. Raises `UsageError` when it is not to be had."""

    def tell(self, emit: Emit) -> None:
        """Where the surroundings' own events go."""

    @property
    def rest(self) -> Callable[[], Awaitable[None]] | None:
        """Waits a moment of real time, where the run's own time would jump; None where it goes by itself."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock

    def monotonic(self) -> float:
        """The event loop's time."""
        return asyncio.get_running_loop().time()


class RealWorld:
    """Real hosts, real time."""

    def __init__(self, settings: Settings, fleet: Fleet, run: str) -> None:
        """Reach the fleet's hosts as the settings say."""
        self._settings = settings
        self._fleet = fleet
        self._run = run
        self._emit: Emit | None = None
        self._credentials = CredentialStore(settings.credentials, on_stopped=self._stopped)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """On the usual event loop."""
        return asyncio.run(work)

    def clock(self) -> Clock:
        """The machine's own."""
        return SystemClock()

    def tell(self, emit: Emit) -> None:
        """For credentials that are stopped."""
        self._emit = emit

    @property
    def rest(self) -> None:
        """Real time goes by itself."""

    def transports(self) -> Mapping[str, Transport]:
        """SSH, WinRM, and those of plug-ins. Raises `UnknownNameError` for hosts that ask for another way."""
        from recovery.transports.ssh import SshSettings, SshTransport
        from recovery.transports.winrm import WinrmSettings, WinrmTransport

        makers = plugins.load_all("recovery.transports").plugins
        others = {host.transport for host in self._fleet.hosts} - {"ssh", "winrm"}
        for name in sorted(others - makers.keys()):
            raise UnknownNameError("transport in this version", name, ["ssh", "winrm", *makers])
        ssh = SshTransport(
            msgspec.convert(self._settings.ssh, SshSettings, from_attributes=True),
            self._credentials,
            self._gateway,
        )
        winrm = WinrmTransport(
            msgspec.convert(self._settings.winrm, WinrmSettings, from_attributes=True),
            self._credentials,
        )
        own: dict[str, Transport] = {"ssh": ssh, "winrm": winrm}
        return {**own, **{name: makers[name](self._credentials) for name in sorted(others)}}

    def sight(self) -> Sight:
        """Consoles of the kinds that hosts name.

        Raises `UnknownNameError` for one that is not there, `UsageError` where the settings' `ocr` is not installed.
        """
        consoles = open_consoles(self._fleet, self._credentials)
        return _sight(consoles, self._settings, mock=False)

    async def prepare(self) -> None:
        """Fetch every credential that hosts and jump hosts ask for: people are asked before the run, not in it."""
        names = [host.credential for host in self._fleet.hosts]
        names += [host.console.credential for host in self._fleet.hosts if host.console]
        if any(host.transport == "ssh" for host in self._fleet.hosts):
            names.append(self._settings.ssh.gateway_credential)
        await self._credentials.prepare(names)

    def _gateway(self, host: Host) -> str:
        return host.gateway or self._fleet.site_of(host).gateway

    def _stopped(self, name: str, refusals: int) -> None:
        if self._emit is not None:
            self._emit(
                CredentialStopped(
                    at=SystemClock().now(), run=self._run, credential=name, refusals=refusals
                )
            )


class MockWorld:
    """The mock twin of a fleet, in virtual time. With a ledger it outlives its process."""

    def __init__(  # noqa: PLR0913 - what a twin is made of
        self,
        fleet: Fleet,
        incident: Incident,
        began: datetime,
        ledger: Path | None,
        settings: Settings,
        *,
        seed: int,
        speed: str,
        mix: str | Mix,
    ) -> None:
        """Simulate `fleet` from `began` on, or from where `ledger` ends if it is there; `mix` or its file."""
        from recovery.sim.faults import DEFAULT_MIX, load_mix
        from recovery.sim.virtual import parse_speed

        self._fleet = fleet
        self._incident = incident
        self._began = began
        self._ledger = ledger
        self._seed = seed
        self._speed = parse_speed(speed)
        self._mix = (load_mix(Path(mix)) if mix else DEFAULT_MIX) if isinstance(mix, str) else mix
        self._clock: Clock | None = None
        self._world: World | None = None
        self._settings = settings

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """On a loop whose clock jumps or runs faster."""
        from recovery.sim.virtual import run

        return run(work, speed=self._speed, epoch=self._began)

    def clock(self) -> Clock:
        """The twin's, one for all."""
        from recovery.sim.virtual import LoopClock

        if self._clock is None:
            self._clock = LoopClock(asyncio.get_running_loop(), self._began)
        return self._clock

    def tell(self, emit: Emit) -> None:
        """A twin has no events of its own."""

    @property
    def rest(self) -> Callable[[], Awaitable[None]] | None:
        """In a thread, so that the twin's clock stands still."""
        if self._speed != "max":
            return None

        async def rest() -> None:
            await asyncio.to_thread(threading.Event().wait, _REST)

        return rest

    def transports(self) -> Mapping[str, Transport]:
        """The mock, under every name that hosts ask for."""
        from recovery.sim.world import World
        from recovery.transports.mock import MockTransport

        arguments = (self._fleet, self._incident, self._mix, self._seed)
        if self._ledger is not None and self._ledger.exists():
            try:
                world = World.restore(*arguments, clock=self.clock(), ledger=self._ledger)
            except OSError as error:
                raise InputError(
                    f"the twin's ledger cannot be read: {error.strerror}", file=str(self._ledger)
                ) from None
        else:
            world = World(*arguments, clock=self.clock(), ledger=self._ledger)
        self._world = world
        mock = MockTransport(world)
        return dict.fromkeys({host.transport for host in self._fleet.hosts}, mock)

    def sight(self) -> Sight:
        """The mock, under every kind that hosts name.

        Raises `UsageError` where the settings' `ocr` is not installed.
        """
        from recovery.consoles.mock import MockConsole

        kinds = {host.console.kind for host in self._fleet.hosts if host.console}
        if not kinds or self._world is None:
            return Sight()
        consoles = dict.fromkeys(kinds, MockConsole(self._world))
        return _sight(consoles, self._settings, mock=True)

    async def prepare(self) -> None:
        """A twin needs no credentials."""


CONSOLES: Mapping[str, tuple[str, str]] = {
    "qmp": ("recovery.consoles.qmp", "QmpConsole"),
    "redfish": ("recovery.consoles.redfish", "RedfishConsole"),
    "libvirt": ("recovery.consoles.libvirt", "LibvirtConsole"),
    "ec2": ("recovery.consoles.ec2", "Ec2Console"),
}
"""The program's own kinds of consoles: module and class, which is called with the credentials."""

_NO_CHOICE = frozenset({"qmp", "libvirt", "ec2"})
"""Those that cannot choose the device of one start; what others can is known by asking them."""


def check_consoles(playbook: Playbook, fleet: Fleet, *, mock: bool) -> tuple[str, ...]:
    """What is to be said of hosts that a step has to switch by their console, and nobody can.

    Raises `UsageError` where that is so of all of them.
    """
    acts = [step for step in playbook.steps if step.name in ("boot_once", "power_cycle")]
    if not acts or not fleet.hosts:
        return ()
    chooses = next((step for step in acts if step.name == "boot_once"), None)
    lacking = _NO_CHOICE if chooses and not mock else frozenset[str]()
    names = [host.name for host in fleet.hosts if not host.console or host.console.kind in lacking]
    step, able = chooses or acts[0], ""
    if chooses:
        able = " that can choose the next start, such as redfish"
    what = f"{step.name} (line {step.line}) needs a console{able}"
    if len(names) == len(fleet.hosts):
        raise UsageError(f"{what}: no host of the selection has one")
    return (f"{what}: {len(names)} hosts have none: {folded(names, 4)}",) if names else ()


def open_consoles(fleet: Fleet, credentials: Credentials) -> Mapping[str, Console]:
    """A console of each kind that hosts name. Raises `UnknownNameError` for a kind that is not there."""
    makers = plugins.load_all("recovery.consoles").plugins
    found: dict[str, Console] = {}
    for kind in sorted({host.console.kind for host in fleet.hosts if host.console}):
        if kind in CONSOLES:
            module, name = CONSOLES[kind]
            found[kind] = getattr(importlib.import_module(module), name)(credentials)
        elif kind in makers:
            found[kind] = makers[kind](credentials)
        else:
            raise UnknownNameError("kind of console", kind, [*CONSOLES, *makers])
    return found


def _sight(consoles: Mapping[str, Console], settings: Settings, *, mock: bool) -> Sight:
    if not consoles:
        return Sight()
    keeper = kept_pictures(settings.journal, mock=mock)
    return Sight(consoles, picture_reader(settings.ocr), keeper)


def picture_reader(engine: Engine) -> PictureReader:
    """Who reads the pictures of screens, their text by `engine`. Raises `UsageError` where that is not installed."""
    from recovery.detect.screen import read
    from recovery.ocr import choose

    return partial(read, reader=choose(engine))


def actions() -> Mapping[str, Action]:
    """The code of every step, that of plug-ins included; the program's own cannot be replaced."""
    quarantine = acts.Quarantine()
    others = plugins.load_all("recovery.steps").plugins
    return {
        **{name: plugin() for name, plugin in others.items()},
        "triage": steps.Triage(),
        "exposure": audit.Exposure(_processes()),
        "settle": steps.Settle(),
        "prove": steps.Prove(),
        "hand_over": steps.HandOver(),
        "notify": steps.Notify(),
        "approve": steps.Gate(steps.approve_question),
        "freeze": steps.Gate(steps.freeze_question),
        "quarantine": quarantine,
        "rollback": quarantine,
        "race": race.Race(),
        "undo": acts.Undo(),
        "reboot": reboot.Reboot(),
        "boot_once": once.BootOnce(),
        "power_cycle": power_cycle.PowerCycle(),
        "run": acts.RunCommand(),
    }


def _processes() -> Mapping[Os, tuple[str, ...]]:
    known = library.products()
    systems: tuple[Os, ...] = ("windows", "linux", "macos")
    return {os: process_names(known, os) for os in systems}


def winrm_means() -> Mapping[str, str]:
    """The ways to sign in over WinRM, and what each of them still needs."""
    from recovery.transports.winrm import means

    return means()


def plugin_warnings() -> tuple[str, ...]:
    """A sentence for each plug-in of ours that cannot be loaded."""
    groups: tuple[plugins.Group, ...] = (
        "recovery.transports",
        "recovery.steps",
        "recovery.consoles",
    )
    return tuple(warning for group in groups for warning in plugins.load_all(group).warnings)


def standing_warnings(
    settings: Settings, fleet: Fleet, found: Report, *, mock: bool
) -> tuple[str, ...]:
    """What has to be said aloud before a run begins, whatever becomes of it."""
    said = (*(problem.shown() for problem in found.warnings), *plugin_warnings())
    over_winrm = any(host.transport == "winrm" for host in fleet.hosts)
    if settings.winrm.verify or mock or not over_winrm:
        return said
    return (*said, _BELIEVED)
