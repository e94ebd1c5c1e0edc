"""A simulated fleet: its machines, made when they are first asked for, and the acts on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from recovery.errors import InputError, UnknownNameError
from recovery.model.console import BootDevice
from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident
from recovery.ports import Clock, Command, News, Standing
from recovery.sim.acts import Act, Header, Ledger, perform, read_ledger
from recovery.sim.birth import born
from recovery.sim.endpoint import Endpoint, unsupported
from recovery.sim.faults import DEFAULT_MIX, TICKS, Faults, Mix, chance, seed_key, tick
from recovery.sim.items import endpoint_of
from recovery.sim.machine import Machine, advance
from recovery.sim.shown import Shown, crash_screen, draw, power, shown
from recovery.sim.survey import survey

Door = Literal["open", "closed", "silent", "hangs", "denied"]
Fate = Literal["whole", "cut", "reset", "gone"]


class World:
    """The machines of a fleet in one incident."""

    def __init__(
        self,
        fleet: Fleet,
        incident: Incident,
        mix: Mix = DEFAULT_MIX,
        seed: int = 0,
        *,
        clock: Clock,
        ledger: Path | None = None,
    ) -> None:
        """Begin now by `clock`. Acts are appended to the file `ledger`, which must not be there yet."""
        self._read = clock.now()
        self._began = self._latest = tick(self._read.timestamp())
        self._fleet = fleet
        self._incident = incident
        self._mix = mix
        self._seed_number = seed
        self._seed = seed_key(seed)
        self._clock = clock
        self._machines: dict[str, Machine] = {}
        self._endpoints: dict[str, Endpoint | None] = {}
        self._faults: dict[tuple[int, ...], Faults] = {}
        self._hosts: dict[str, Host] = {}
        self._ledger = Ledger(ledger, self._header()) if ledger else None
        self.draw: Callable[[Shown], bytes] = draw
        """Draws what consoles show."""

    @classmethod
    def restore(
        cls,
        fleet: Fleet,
        incident: Incident,
        mix: Mix = DEFAULT_MIX,
        seed: int = 0,
        *,
        clock: Clock,
        ledger: Path,
    ) -> World:
        """The world that the ledger tells of, as it has become since; goes on writing there. Raises `InputError`."""
        header, acts = read_ledger(ledger)
        world = cls(fleet, incident, mix, seed, clock=clock)
        world._began = header.began
        if header != world._header():
            message = "the ledger is of another world: its seed or fault mix differ"
            raise InputError(message, file=str(ledger), line=1)
        world._replay(acts)
        world._ledger = Ledger(ledger, None)
        return world

    @property
    def now(self) -> float:
        """The world's time: seconds since 1970, in whole ticks; never goes back."""
        read = self._clock.now()
        if read is not self._read:
            self._read = read
            self._latest = max(self._latest, tick(read.timestamp()))
        return self._latest

    def machine(self, name: str) -> Machine:
        """The machine as it is now. Raises `UnknownNameError`."""
        return self._at(self._host(name), self.now)

    def contact(self, host: Host) -> tuple[Door, int]:
        """What somebody meets who connects to the host now, and the number of the boot that answers."""
        now = self.now
        machine = self._at(host, now)
        traits, drops = machine.traits, machine.faults.drops
        if not machine.answers:
            return ("hangs" if "open_port" in traits else "silent", 0)
        if "refused" in traits:
            return ("closed", 0)
        if drops and chance(self._seed, host.name, "drops", int(now * TICKS)) < drops:
            return ("silent", 0)
        return ("denied" if "wrong_credential" in traits else "open", machine.boot)

    def doors(self, hosts: Sequence[Host]) -> list[Door]:
        """What somebody meets who connects to each of the hosts, as of `contact`."""
        now, known = self.now, self._machines
        found: list[Door] = []
        for host in hosts:
            machine = known.get(host.name)
            if (
                machine is not None
                and machine.until > now
                and not machine.answers
                and "open_port" not in machine.traits
            ):
                found.append("silent")
            else:
                found.append(self.contact(host)[0])
        return found

    @property
    def prompt(self) -> bool:
        """Whether nothing ever waits for the network."""
        return self._mix.latency == 0.0

    def delays(self, host: Host) -> tuple[float, float]:
        """Seconds to open a connection to the host, and to carry a command out there."""
        factor = self._mix.latency
        if factor == 0.0:
            return (0.0, 0.0)
        machine = self._known(host)
        if "slow" in machine.traits:
            factor *= machine.faults.slow_by
        return (factor * (0.2 + 0.8 * machine.pace), factor * (0.2 + 0.2 * machine.pace))

    def alive(self, host: Host, boot: int) -> bool:
        """Whether that boot of the host answers now."""
        machine = self._at(host, self.now)
        return machine.boot == boot and machine.answers

    def answer(self, host: Host, boot: int, command: Command) -> tuple[Fate, bytes]:
        """What comes of a command that arrives now on a connection to that boot, and the reply."""
        now = self.now
        machine = self._at(host, now)
        if machine.boot != boot or not machine.answers:
            return ("gone", b"")
        faults = machine.faults
        drawn = 1.0
        if faults.resets or faults.cut:
            drawn = chance(self._seed, host.name, "reply", int(now * TICKS))
        if drawn < faults.resets / 2:
            return ("reset", b"")
        if command.action == "exposure":
            return ("whole", survey(machine, host, command, now))
        endpoint = self._endpoint(host)
        reply = (
            endpoint.answer(machine, command, now, self._perform)
            if endpoint
            else unsupported(command)
        )
        if drawn < faults.resets:
            return ("reset", b"")
        if drawn < faults.resets + faults.cut:
            return ("cut", reply[: len(reply) // 2])
        return ("whole", reply)

    def standing(self, host: Host) -> Standing:
        """How the machine stands now."""
        now = self.now
        machine = self._at(host, now)
        return Standing(now, machine.boot, machine.crashed_at, power(machine), machine.until - now)

    def picture(self, host: Host) -> bytes:
        """What its screen shows now."""
        return self.draw(shown(self._at(host, self.now), self._incident, host.os))

    def crash_news(self, host: Host) -> News:
        """What a console tells of its latest crash."""
        machine = self._at(host, self.now)
        screen = crash_screen(machine, self._incident, host.os)
        at = datetime.fromtimestamp(machine.crashed_at, UTC)
        return News(kind="panic", at=at, stop_code=screen.stop_code, text=screen.panic)

    def switch(self, host: Host, *, on: bool) -> None:
        """Give it power, or take it."""
        (self.power_on if on else self.power_off)(host.name)

    def boot_once(self, host: Host, device: BootDevice) -> None:
        """Choose what it starts from the next time."""
        name = self.machine(host.name).host
        self._perform(Act(at=self.now, host=name, act="boot_once", device=device))

    def power_off(self, name: str) -> None:
        """Cut the power."""
        self._perform(Act(at=self.now, host=self.machine(name).host, act="power_off"))

    def power_on(self, name: str) -> None:
        """Switch a machine on that is off."""
        self._perform(Act(at=self.now, host=self.machine(name).host, act="power_on"))

    def enter_key(self, name: str) -> None:
        """Give the machine its BitLocker key, if it asks for one."""
        self._perform(Act(at=self.now, host=self.machine(name).host, act="enter_key"))

    def mend(self, name: str) -> None:
        """A person takes the bad files away below recovery media, and starts the machine again."""
        host = self.machine(name).host
        for act in ("power_off", "mend", "power_on"):
            self._perform(Act(at=self.now, host=host, act=act))

    def strike(self, name: str) -> None:
        """The vendor's feed delivers a bad file to the machine."""
        self._perform(Act(at=self.now, host=self.machine(name).host, act="strike", files=(1,)))

    def close(self) -> None:
        """Close the ledger."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _perform(self, act: Act) -> None:
        if self._ledger is not None:
            self._ledger.write(act)
        perform(self._machines[act.host], act, feed_frozen=self._mix.feed_frozen)

    def _replay(self, acts: Sequence[Act]) -> None:
        for act in acts:
            perform(self._at(self._host(act.host), act.at), act, feed_frozen=self._mix.feed_frozen)
            self._latest = max(self._latest, act.at)

    def _at(self, host: Host, now: float) -> Machine:
        machine = self._machines.get(host.name) or self._known(host)
        if machine.until <= now:
            advance(machine, now, feed_frozen=self._mix.feed_frozen)
        return machine

    def _known(self, host: Host) -> Machine:
        machine = self._machines.get(host.name)
        if machine is None:
            faults = self._mix.faults_of(host, self._faults)
            machine = self._machines[host.name] = born(
                host, self._incident, faults, self._seed, self._began
            )
        return machine

    def _endpoint(self, host: Host) -> Endpoint | None:
        if host.os not in self._endpoints:
            platform = self._incident.platforms.get(host.os)
            self._endpoints[host.os] = (
                endpoint_of(self._incident, platform, host.os) if platform else None
            )
        return self._endpoints[host.os]

    def _host(self, name: str) -> Host:
        if not self._hosts:
            self._hosts = {host.name: host for host in self._fleet.hosts}
        if name not in self._hosts:
            raise UnknownNameError("host", name, self._hosts)
        return self._hosts[name]

    def _header(self) -> Header:
        mix = hashlib.sha256(msgspec.json.encode(self._mix)).hexdigest()[:16]
        return Header(began=self._began, seed=self._seed_number, mix=mix)
