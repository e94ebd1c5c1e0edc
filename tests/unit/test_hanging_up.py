"""The end of a run: everything is let go of, whatever goes wrong with a part of it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from recovery.engine.context import Sight
from recovery.service.carrying import _hang_up


class Way:
    def __init__(self, closed: list[str], name: str, *, breaks: bool = False) -> None:
        self.closed, self.name, self.breaks = closed, name, breaks

    async def aclose(self) -> None:
        self.closed.append(self.name)
        if self.breaks:
            raise ValueError(self.name)


@pytest.mark.parametrize("broken", ["mirror", "qmp", "ssh", "nobody"])
async def test_a_way_that_breaks_keeps_none_of_the_others_from_being_let_go_of(broken: str) -> None:
    closed: list[str] = []
    ways: dict[str, Any] = {
        name: Way(closed, name, breaks=name == broken)
        for name in ("ssh", "winrm", "mirror", "qmp", "log")
    }
    ways["mock"] = ways["winrm"]
    transports = {name: ways[name] for name in ("ssh", "winrm", "mock")}
    sight = Sight({name: ways[name] for name in ("mirror", "qmp")})
    if broken == "nobody":
        await _hang_up(transports, sight, cast("Any", ways["log"]))
    else:
        with pytest.raises(ValueError, match=broken):
            await _hang_up(transports, sight, cast("Any", ways["log"]))
    assert sorted(closed) == ["log", "mirror", "qmp", "ssh", "winrm"]
    assert closed[-1] == "log"
