"""A host that does not start is mended by its root volume: lent to a helper instance, fixed there, and given back.

Each phase is written down before it begins and after it. Where its process is killed, the same command goes on: the
console is asked where the volume is, and nothing that was done is done again; `back` takes all of it back instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing

import msgspec

from recovery import programs
from recovery.credentials.store import CredentialStore
from recovery.engine.deadline import Supervisor
from recovery.engine.power import Switched, switch
from recovery.errors import TransportError, UnsupportedError, UsageError
from recovery.journal.lease import take_alone
from recovery.journal.log import Log
from recovery.model.console import PowerAct
from recovery.model.events import (
    AnyEvent,
    PowerFinished,
    PowerIntended,
    PowerOutcome,
    RescueFinished,
    RescueIntended,
    RescuePhase,
)
from recovery.model.host import Fleet, Host
from recovery.ports import Console, Lender, Lent
from recovery.redact import scrub
from recovery.settings import Settings
from recovery.worlds import SystemClock, open_consoles

_ASKING = 60.0
_MOVING = 300.0
"""Seconds for one move of a volume; EC2 takes seconds to a few minutes."""
_MOST_OUTPUT = 20_000
_LOST = "nobody saw how it ended; where the volume is, is looked up anew"


class RescuePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done."""

    helper: str = ""
    """An instance's id."""
    device: str = "/dev/sdf"
    """The volume's name at the helper."""
    fix: tuple[str, ...] = ()
    """A program that mends the volume there, with `{volume}`, `{device}`, `{helper}` and `{host}` in its words."""
    fix_time: float = 1800.0
    """Seconds that it gets."""
    back: bool = False
    """Only give back what is lent, and start the host."""
    by: str = ""


class Rescued(msgspec.Struct, frozen=True, kw_only=True):
    """How far it came."""

    done: bool
    waits: bool = False
    """The volume is at the helper, and people have to mend it there."""
    message: str
    volume: str = ""


class _Stop(Exception):  # noqa: N818 - it is no error: a phase that did not come to its end says why
    """The phases end here."""


def rescue(settings: Settings, host: Host, plan: RescuePlan) -> Rescued:
    """Carry the phases out that are left. Raises `UsageError`, and `RefusedError` beside another rescue of the host."""
    alone = take_alone(settings.journal, "rescue", host.name, "rescued")
    with alone, closing(Log.open(settings.journal)) as log:
        return asyncio.run(_at_console(settings, host, plan, log))


async def _at_console(settings: Settings, host: Host, plan: RescuePlan, log: Log) -> Rescued:
    if host.console is None:
        raise UsageError(f"{host.name} has no console in the inventory")
    credentials = CredentialStore(settings.credentials)
    console = open_consoles(Fleet(hosts=(host,)), credentials)[host.console.kind]
    try:
        if not isinstance(console, Lender):
            raise UsageError(
                f"{host.name}: a console of kind {host.console.kind} has no root volume to lend; "
                "`recovery fix-disk` works on its image"
            )
        await credentials.prepare([host.console.credential])
        return await _Rescue(console, console, host, plan, log).carry_out()
    finally:
        await console.aclose()


class _Rescue:
    """One rescue: what is known of it, and its phases."""

    def __init__(
        self, console: Console, lender: Lender, host: Host, plan: RescuePlan, log: Log
    ) -> None:
        self._console, self._lender = console, lender
        self._host, self._plan, self._log = host, plan, log
        self._supervisor = Supervisor()

    async def carry_out(self) -> Rescued:
        """The phases, as far as they come."""
        known = self._under_way()
        lent = known.lent
        if lent is None and self._plan.back:
            return await self._back_of_nothing(known)
        if lent is not None and self._plan.helper not in ("", lent.helper):
            raise UsageError(
                f"{self._host.name}: its volume {lent.volume} is lent to {lent.helper} already: go on with it, "
                "or give the volume back with --back"
            )
        try:
            lent = lent or await self._planned()
            return await self._phases(lent, known)
        except _Stop as stop:
            return Rescued(done=False, message=str(stop), volume=lent.volume if lent else "")

    async def _back_of_nothing(self, known: _UnderWay) -> Rescued:
        """A rescue that ended before it lent anything may have taken the host's power."""
        if not known.off:
            return Rescued(done=True, message="nothing of it is lent")
        try:
            await self._switch("on")
        except _Stop as stop:
            return Rescued(done=False, message=str(stop))
        return Rescued(done=True, message="nothing of it is lent, and it has power again")

    async def _phases(self, lent: Lent, known: _UnderWay) -> Rescued:
        if not known.starts:
            await self._switch("off")
            if not known.fixed and not self._plan.back:
                await self._move("lend", lent)
                if not self._plan.fix:
                    at = f"{lent.volume} is at {lent.helper} as {lent.helper_device}"
                    return Rescued(done=False, waits=True, message=at, volume=lent.volume)
                await self._fix(lent)
            await self._move("back", lent)
        await self._switch("on")
        message = f"{lent.volume} is back at {lent.owner}, which has power"
        return Rescued(done=True, message=message, volume=lent.volume)

    async def _planned(self) -> Lent:
        if not self._plan.helper:
            raise UsageError(f"{self._host.name}: which instance is to help? give --helper")
        work = self._lender.root_volume(self._host, self._plan.helper, self._plan.device, _ASKING)
        try:
            return await self._supervisor.within(_ASKING + 1.0, work, "looking up its root volume")
        except (TransportError, UnsupportedError) as error:
            raise _Stop(str(error)) from None

    async def _move(self, phase: RescuePhase, lent: Lent) -> None:
        async def move() -> str:
            back = phase == "back"
            work = self._lender.move(self._host, lent, back=back, timeout=_MOVING)
            await self._supervisor.within(_MOVING + 1.0, work, f"moving {lent.volume}")
            return f"seen at {lent.owner if back else lent.helper}"

        await self._written(phase, lent, move)

    async def _fix(self, lent: Lent) -> None:
        words = {"volume": lent.volume, "device": lent.helper_device, "helper": lent.helper}
        argv = filled(self._plan.fix, {**words, "host": self._host.name})

        async def fix() -> str:
            try:
                ran = await asyncio.to_thread(
                    programs.run,
                    argv,
                    timeout=self._plan.fix_time,
                    most_bytes=_MOST_OUTPUT,
                    with_errors=True,
                )
            except (OSError, ValueError, TimeoutError) as error:
                message = f"{argv[0]}: {str(error) or 'it did not end in time'}"
                raise TransportError(message) from None
            said = scrub(ran.output.decode("utf-8", "replace").strip())[-500:]
            if ran.status != 0:
                raise TransportError(f"{argv[0]} ended with {ran.status}: {said}")
            return said

        await self._written("fix", lent, fix)

    async def _written(
        self, phase: RescuePhase, lent: Lent, work: Callable[[], Awaitable[str]]
    ) -> None:
        """Raises `_Stop` where the phase did not come to its end."""
        fields = {**msgspec.structs.asdict(lent), "host": self._host.name, "by": self._plan.by}
        self._log.append(RescueIntended(at=SystemClock().now(), phase=phase, **fields))
        outcome: PowerOutcome = "interrupted"
        message = _LOST
        try:
            message = await work()
            outcome = "ok"
        except (TransportError, UnsupportedError) as error:
            outcome, message = "failed", str(error)
            raise _Stop(message) from None
        finally:
            self._log.append(self._closed(phase, lent.volume, outcome, message))

    def _closed(
        self, phase: RescuePhase, volume: str, outcome: PowerOutcome, message: str
    ) -> RescueFinished:
        return RescueFinished(
            at=SystemClock().now(),
            host=self._host.name,
            phase=phase,
            volume=volume,
            outcome=outcome,
            message=scrub(message),
        )

    async def _switch(self, act: PowerAct) -> None:
        host = self._host.name
        self._log.append(PowerIntended(at=SystemClock().now(), host=host, act=act, why=_WHY))
        found = await switch(self._console, self._host, act, self._supervisor)
        self._log.append(_switched(host, act, found))
        if not found.done:
            raise _Stop(f"its power could not be switched {act}: {found.message}")

    def _under_way(self) -> _UnderWay:
        """How far the journal says that it came; what nobody saw the end of is closed."""
        found = _UnderWay()
        intended: RescueIntended | None = None
        for stored in self._log.read(host=self._host.name, kinds=_KINDS):
            event = stored.event
            found = _with(found, event)
            if isinstance(event, RescueIntended):
                intended = event
            elif isinstance(event, RescueFinished):
                intended = None
        if intended is not None:
            self._log.append(self._closed(intended.phase, intended.volume, "interrupted", _LOST))
        return found


class _UnderWay(msgspec.Struct, frozen=True):
    """How far a rescue came."""

    lent: Lent | None = None
    fixed: bool = False
    starts: bool = False
    """The volume is back, and the host has not been seen to have power since."""
    off: bool = False
    """Its power was about to be taken for it, and it has not been seen to have power since."""


_WHY = "rescue"
_KINDS = ("rescue.intended", "rescue.finished", "power.intended", "power.finished")


def _with(found: _UnderWay, event: AnyEvent) -> _UnderWay:
    replace = msgspec.structs.replace
    match event:
        case RescueIntended():
            names = (field.name for field in msgspec.structs.fields(Lent))
            return replace(found, lent=Lent(*(getattr(event, name) for name in names)))
        case RescueFinished(phase="fix", outcome="ok"):
            return replace(found, fixed=True)
        case RescueFinished(phase="back", outcome="ok"):
            return replace(found, fixed=False, starts=True)
        case PowerIntended(act="off", why=why) if why == _WHY:
            return replace(found, off=True)
        case PowerFinished(act="on" | "cycle", outcome="ok"):
            return _UnderWay() if found.starts else replace(found, off=False)
        case _:
            return found


def filled(words: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    """The words with values in the places that name them; each stays one word."""
    found = []
    for word in words:
        for name, value in values.items():
            word = word.replace(f"{{{name}}}", value)  # noqa: PLW2901 - one place after the other
        found.append(word)
    return tuple(found)


def _switched(host: str, act: PowerAct, found: Switched) -> PowerFinished:
    return PowerFinished(
        at=SystemClock().now(),
        host=host,
        act=act,
        outcome="ok" if found.done else "failed",
        state=found.state,
        message=scrub(found.message),
    )
