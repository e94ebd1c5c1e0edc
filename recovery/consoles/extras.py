"""What consoles that go by a library have in common: the library, and what they sign in with."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple, TypeVar

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


class Account(NamedTuple):
    """What a console is signed in to with; an empty name signs in as nobody."""

    credentials: Credentials
    name: str

    async def credential(self) -> Credential | None:
        """The credential; None where none is named."""
        return await self.credentials.get(self.name) if self.name else None

    async def used(self, who: str, timeout: float, work: Callable[[], T]) -> T:
        """The result of `work`, done in a thread within `timeout` seconds; the store hears how the credential fared.

        Raises `DeadlineError` of `who`, and what `work` raises.
        """
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.to_thread(work)
        except TimeoutError:
            raise DeadlineError(f"{who} did not answer within {timeout:g} s") from None
        except AuthRefusedError:
            self.credentials.refused(self.name)
            raise
        if self.name:
            self.credentials.accepted(self.name)
        return found
