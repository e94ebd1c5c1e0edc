"""Controllers that are killed in the middle of what they do to one host."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recovery.model.events import AnyEvent
from tests.engine.stage import Stage


class KilledError(Exception):
    """The controller's end."""


def killed_and_resumed(begin: Callable[[], Stage], at: int) -> Stage:
    """What comes of a run that dies behind event `at` of h000, and that another controller takes up."""
    seen = 0

    def die(event: AnyEvent, _run: object) -> None:
        nonlocal seen
        seen += event.host == "h000"
        if seen == at + 1:
            raise KilledError

    with pytest.raises((KilledError, BaseExceptionGroup)):
        begin().play(die)
    second = begin()
    second.play()
    return second
