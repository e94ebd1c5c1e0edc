"""Looking at hosts through their consoles: what stands on the screen, whether there is power, and what is told of."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping

import msgspec

from recovery.detect.screen_rules import PANIC_EVENT
from recovery.engine.deadline import Supervisor
from recovery.engine.power import ANSWER, Switched, choose_start, read_power, switch
from recovery.errors import JournalError, TransportError, UnsupportedError
from recovery.model.console import CRASHED, BootDevice, Power, PowerAct
from recovery.model.evidence import (
    AnyEvidence,
    CrashRecord,
    MachineReset,
    PowerSeen,
    ScreenSeen,
)
from recovery.model.host import Host
from recovery.model.reading import Reading
from recovery.ports import Checked, Clock, Console, News, PictureKeeper, PictureReader
from recovery.redact import scrub

_PICTURE_TIME = 30.0
"""Seconds for a picture to come."""
_READING_TIME = 60.0
"""Seconds for a picture to be read, its text included."""
_MOST_LINES = 12
"""Lines of a screen that go to the journal; its picture has them all."""
_LONGEST_LINE = 120
_REMEMBERED = 256
"""Readings; their pictures would take gigabytes."""
_AT_ONCE = 32
"""Hosts that are looked at through consoles at once."""


class Eyes:
    """All consoles of a run."""

    def __init__(
        self,
        consoles: Mapping[str, Console],
        read: PictureReader,
        keeper: PictureKeeper | None,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        """Look through `consoles`, by the kind that hosts name; pictures are kept by `keeper`, if there is one."""
        self.consoles = consoles
        self._read = read
        self._known: dict[bytes, Reading] = {}
        self._keeper = keeper
        self._clock = clock
        self._supervisor = supervisor
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._readers = asyncio.Semaphore(os.cpu_count() or 1)

    def console_of(self, host: Host) -> Console | None:
        """The way to the host that needs nothing of it; None where it has none."""
        return self.consoles.get(host.console.kind) if host.console else None

    async def see(self, host: Host) -> tuple[AnyEvidence, ...]:
        """What the console shows now; empty without a console. What goes wrong is evidence as well."""
        console = self.console_of(host)
        if console is None:
            return ()
        async with self._places:
            power = await self._checked(console, host, await self._power(console, host))
            if power.state == "off":
                return (*await self._pictures(console, host, ("crash_picture",)), power)
            return (power, *await self._pictures(console, host, ("picture", "crash_picture")))

    async def picture(self, host: Host) -> tuple[AnyEvidence, ...]:
        """What is on the screen at this moment."""
        console = self.console_of(host)
        return () if console is None else await self._pictures(console, host, ("picture",))

    async def power(self, host: Host) -> PowerSeen:
        """How the host stands, by its console; unknown where that does not say."""
        console = self.console_of(host)
        if console is None:
            return PowerSeen(at=self._clock.now(), source="console", state="unknown")
        return await self._power(console, host)

    async def switch(self, host: Host, act: PowerAct) -> Switched:
        """Carry a power act out, as far as it is seen to happen; nothing is raised."""
        console = self.console_of(host)
        if console is None:
            return Switched(done=False, state="unknown", message="it has no console")
        found = await switch(console, host, act, self._supervisor)
        return found._replace(message=scrub(found.message)[:500])

    async def choose_start(self, host: Host, device: BootDevice, medium: str) -> Switched:
        """Choose what the host starts from the next time; nothing is raised."""
        console = self.console_of(host)
        if console is None:
            return Switched(done=False, state="unknown", message="it has no console")
        try:
            return await choose_start(console, host, (device, medium), self._supervisor)
        except (TransportError, UnsupportedError) as error:
            return Switched(done=False, state="unknown", message=scrub(str(error))[:500])

    def told(self, host: Host, news: News) -> AnyEvidence | None:
        """What an event says; None for one that is no evidence."""
        source = host.console.kind if host.console else "console"
        now = self._clock.now()
        match news.kind:
            case "panic":
                return CrashRecord(
                    at=now,
                    source=source,
                    stop_code=news.stop_code,
                    parameters=news.parameters,
                    text=scrub(news.text[:2000]),
                    record=PANIC_EVENT,
                    report=f"{source}:{news.at.timestamp():.6f}",
                )
            case "reset":
                return MachineReset(at=now, source=source, asked_for=news.asked_for)
            case "power_on" | "power_off":
                state: Power = "on" if news.kind == "power_on" else "off"
                return PowerSeen(at=now, source=source, state=state)
            case "lost":
                return None

    async def _power(self, console: Console, host: Host) -> PowerSeen:
        try:
            state, reason = await read_power(console, host, self._supervisor), ""
        except (TransportError, UnsupportedError) as error:
            state, reason = "unknown", scrub(str(error))[:500]
        return PowerSeen(at=self._clock.now(), source=console.name, state=state, reason=reason)

    async def _checked(self, console: Console, host: Host, seen: PowerSeen) -> PowerSeen:
        """With what the console's keeper checks by itself, where it does and says so."""
        if seen.state != "on" or not isinstance(console, Checked):
            return seen
        work = console.checks(host, ANSWER)
        try:
            said = await self._supervisor.within(ANSWER + 1.0, work, f"the checks of {host.name}")
        except (TransportError, UnsupportedError):
            return seen
        return msgspec.structs.replace(seen, checks=scrub(said)[:200])

    async def _pictures(
        self, console: Console, host: Host, kinds: tuple[str, ...]
    ) -> tuple[AnyEvidence, ...]:
        seen: list[AnyEvidence] = []
        for kind in kinds:
            kept = kind == "crash_picture"
            take = console.crash_picture if kept else console.picture
            work = take(host, _PICTURE_TIME)
            try:
                data = await self._supervisor.within(
                    _PICTURE_TIME + 1.0, work, f"the picture of {host.name}"
                )
            except (TransportError, UnsupportedError):
                continue  # the power state tells of a console that does not answer
            if data:
                seen.append(await self._seen(console, host, data, last_crash=kept))
        return tuple(seen)

    async def _seen(
        self, console: Console, host: Host, data: bytes, *, last_crash: bool
    ) -> ScreenSeen:
        at = self._clock.now()
        try:
            async with self._readers:
                reading = await self._reading(host, data)
        except TransportError:
            reading = Reading(label="unknown", confidence=0.0, meaning="")
        return ScreenSeen(
            at=at,
            source=console.name,
            reading=_scrubbed(reading),
            picture=await self._keep(host, data, crash=last_crash or reading.label in CRASHED),
            last_crash=last_crash,
        )

    async def _reading(self, host: Host, data: bytes) -> Reading:
        """Screens stand, and many look alike: what was read well is remembered. Raises `TransportError`."""
        digest = hashlib.sha256(data).digest()
        known = self._known.get(digest)
        if known is not None:
            return known
        what = f"reading the picture of {host.name}"
        work = asyncio.to_thread(self._read, data)
        found = await self._supervisor.within(_READING_TIME, work, what)
        if not found.problems:
            self._known[digest] = found
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return found

    async def _keep(self, host: Host, data: bytes, *, crash: bool) -> str:
        if self._keeper is None:
            return ""
        try:
            return await asyncio.to_thread(self._keeper.keep, host.name, data, crash=crash)
        except JournalError:
            return ""  # the reading is what counts


def _scrubbed(reading: Reading) -> Reading:
    """What stands on a screen may hold a secret, too."""
    return msgspec.structs.replace(
        reading,
        meaning=scrub(reading.meaning)[:500],
        stop_code_name=reading.stop_code_name[:200],
        module=scrub(reading.module)[:200],
        key_id=reading.key_id[:64],
        panic=scrub(reading.panic)[:500],
        text=tuple(scrub(line)[:_LONGEST_LINE] for line in reading.text[:_MOST_LINES]),
        problems=tuple(scrub(problem)[:_LONGEST_LINE] for problem in reading.problems[:3]),
    )
