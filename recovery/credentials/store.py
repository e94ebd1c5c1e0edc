"""The credentials of a run: fetched once from where the settings say, and stopped when hosts keep refusing one.

The breaker counts refusals in a row. A domain counts bad passwords in the same way, and a sign-in that succeeds sets
its count back to nothing; so a few hosts that know the account no longer do not stop a fleet on which the password is
right. Until a password was accepted for the first time, no more tries are out at once than may be refused: otherwise a
wrong one would have reached a hundred hosts before the first of them said no. Keys and agents are not counted, since a
refused key locks no account.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from recovery.credentials.sources import Asker, Sources
from recovery.errors import CredentialStoppedError, UnknownNameError, UsageError
from recovery.model.credential import CredentialDefinition
from recovery.ports import Credential

MOST_REFUSALS = 3
"""In a row; the third one stops the credential."""

_TRY_SECONDS = 5.0
"""After this a try that nobody reported on no longer counts as being out: its host died, or was never reached."""

_DEFAULT = Credential(name="", agent=True)


def _ignore(name: str, refusals: int) -> None:
    del name, refusals


class CredentialStore:
    """The credentials that the settings define, and the breaker. Implements `recovery.ports.Credentials`."""

    def __init__(
        self,
        definitions: Mapping[str, CredentialDefinition],
        *,
        environ: Mapping[str, str] | None = None,
        ask: Asker | None = None,
        on_stopped: Callable[[str, int], None] = _ignore,
    ) -> None:
        """Serve `definitions`; `on_stopped` hears the name and the number of refusals, once for each credential."""
        self._entries = {name: _Entry(name, definition) for name, definition in definitions.items()}
        self._sources = Sources(environ=environ, ask=ask)
        self._on_stopped = on_stopped

    async def prepare(self, names: Iterable[str]) -> None:
        """Fetch what a run is going to need, before it begins.

        Raises `UnknownNameError`, or another `UsageError` when a secret is not to be had.
        """
        for name in dict.fromkeys(name for name in names if name):
            await self._fetched(self._entry(name))

    async def get(self, name: str) -> Credential:
        """The credential; an empty name means the keys of the SSH agent.

        Raises `UnknownNameError`, and `CredentialStoppedError` when it was refused too often or is not to be had.
        """
        if not name:
            return _DEFAULT
        entry = self._entry(name)
        entry.check()
        try:
            credential = await self._fetched(entry)
        except UsageError as error:
            message = f"credential {name!r} cannot be used: {error}"
            raise CredentialStoppedError(message) from None
        if credential.password is not None:
            await entry.turn()
        return credential

    def refused(self, name: str) -> None:
        """A host refused it. The third time in a row `get` stops giving it out."""
        entry = self._entries.get(name)
        if entry is not None and entry.refuse():
            self._on_stopped(name, entry.refusals)

    def accepted(self, name: str) -> None:
        """A host took it."""
        entry = self._entries.get(name)
        if entry is not None:
            entry.accept()

    def _entry(self, name: str) -> _Entry:
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError("credential", name, self._entries) from None

    async def _fetched(self, entry: _Entry) -> Credential:
        async with entry.fetching:
            if entry.failure:
                raise UsageError(entry.failure)
            if entry.credential is None:
                try:
                    entry.credential = await self._sources.credential(entry.name, entry.definition)
                except UsageError as error:
                    entry.failure = str(error)
                    raise
            return entry.credential


class _Entry:
    """One credential of the run."""

    def __init__(self, name: str, definition: CredentialDefinition) -> None:
        self.name = name
        self.definition = definition
        self.fetching = asyncio.Lock()
        self.credential: Credential | None = None
        self.failure = ""
        self.refusals = 0
        """In a row."""
        self._proven = False
        self._stopped = False
        self._out: list[float] = []
        """Loop times until which tries that nobody reported on yet count as being out, oldest first."""
        self._reported = asyncio.Event()

    def check(self) -> None:
        """Raise if it is stopped."""
        if self._stopped:
            times = f"{self.refusals} times in a row"
            message = (
                f"credential {self.name!r} was refused {times} and is not used again in this run"
            )
            raise CredentialStoppedError(message)

    async def turn(self) -> None:
        """Return when one more try is harmless. Raises `CredentialStoppedError` if it is stopped meanwhile."""
        clock = asyncio.get_running_loop().time
        while True:
            self.check()
            if self._proven:
                return
            self._out = [until for until in self._out if until > clock()]
            if self.refusals + len(self._out) < MOST_REFUSALS:
                self._out.append(clock() + _TRY_SECONDS)
                return
            self._reported.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._out[0]):
                    await self._reported.wait()

    def refuse(self) -> bool:
        """Count a refusal; whether it is the one that stops the credential."""
        self._report()
        if self.credential is None or self.credential.password is None:
            return False
        self.refusals += 1
        stops = self.refusals >= MOST_REFUSALS and not self._stopped
        self._stopped = self._stopped or stops
        return stops

    def accept(self) -> None:
        """Note that it is good."""
        self._report()
        self._proven = True
        if not self._stopped:
            self.refusals = 0

    def _report(self) -> None:
        del self._out[:1]
        self._reported.set()
