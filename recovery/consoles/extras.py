"""What consoles that go by a library have in common: the library, and what they sign in with."""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import NamedTuple, TypeVar, cast

from recovery.errors import AuthRefusedError, DeadlineError, UnsupportedError
from recovery.ports import Credential, Credentials

T = TypeVar("T")


def load(module: str, kind: str, extra: str) -> ModuleType:
    """The library of a kind of console. Raises `UnsupportedError`, naming the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedError(
            f"consoles of the kind `{kind}` need {module.partition('.')[0]}, which is not installed: "
            f"pip install 'fleet-recovery[{extra}]' ({error})"
        ) from None


class Deadline:
    """The time that an operation has."""

    def __init__(self, seconds: float) -> None:
        """It begins now."""
        self.over = False
        """Nobody waits for it any more."""
        self._until = time.monotonic() + seconds

    def left(self, most: float) -> float:
        """Seconds that a request may take, `most` at most. Raises `TimeoutError` when there are none."""
        left = self._until - time.monotonic()
        if self.over or left <= 0:
            raise TimeoutError
        return min(most, left)


class Account(NamedTuple):
    """What a console is signed in to with; an empty name signs in as nobody."""

    credentials: Credentials
    name: str

    async def credential(self) -> Credential | None:
        """The credential; None where none is named."""
        return await self.credentials.get(self.name) if self.name else None

    async def used(self, who: str, timeout: float, work: Callable[[Deadline], T]) -> T:
        """The result of `work`, done in a thread within `timeout` seconds; the store hears how the credential fared.

        `work` has to ask its `Deadline` before each request: nobody ends a thread, and what it sends when it was given
        up would undo what was asked for since. Raises `DeadlineError` of `who`, and what `work` raises.
        """
        deadline = Deadline(timeout)
        try:
            async with asyncio.timeout(timeout):
                found = await _in_thread(lambda: work(deadline))
        except TimeoutError:
            raise DeadlineError(f"{who} did not answer within {timeout:g} s") from None
        except asyncio.CancelledError:
            deadline.over = True
            raise
        except AuthRefusedError:
            self.credentials.refused(self.name)
            raise
        if self.name:
            self.credentials.accepted(self.name)
        return found


async def _in_thread(work: Callable[[], T]) -> T:
    """The result of `work` in a thread of its own.

    Not of the event loop's few: some boards that hang would keep names from being looked up and pictures from being
    read. Nobody waits for it when the program ends.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def tell(found: T | None, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(cast("T", found))

    def carry_out() -> None:
        found: T | None = None
        failed: BaseException | None = None
        try:
            found = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            failed = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(tell, found, failed)

    threading.Thread(target=carry_out, name="console", daemon=True).start()
    return await ended
