"""Trying again: only on failure paths, only where trying again can help."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import tenacity

from recovery.errors import RecoveryError
from recovery.model.playbook import Retry

T = TypeVar("T")

OPENING = Retry(attempts=3, first=0.2, longest=2.0)
"""For opening a session to a host that answers: servers drop connections at random when many come at once."""


def is_retryable(error: BaseException) -> bool:
    """Whether the error's class says that trying again can help. Cancellation never does."""
    return isinstance(error, RecoveryError) and error.retryable


async def again(first: RecoveryError, rule: Retry, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives on one of the attempts that are left after it has failed with `first`.

    Raises the last error when none succeeds. Waiting is `asyncio.sleep`, so a virtual clock moves it.
    """
    if not is_retryable(first) or rule.attempts <= 1:
        raise first
    await asyncio.sleep(rule.first)
    attempts = tenacity.AsyncRetrying(
        sleep=asyncio.sleep,
        stop=tenacity.stop_after_attempt(rule.attempts - 1),
        wait=tenacity.wait_exponential(multiplier=rule.first * 2, max=rule.longest),
        retry=tenacity.retry_if_exception(is_retryable),
        reraise=True,
    )
    return await attempts(work)


def pause_before(rule: Retry, failures: int) -> float:
    """Seconds to wait before the attempt that follows `failures` failed ones."""
    return 0.0 if failures <= 0 else min(rule.longest, rule.first * 2.0 ** min(failures - 1, 30))
