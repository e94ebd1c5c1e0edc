"""The forecast of the bundled case: 77,000 machines, three orders, with the program and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.perf.measure import Row, recovery, spend


def forecasting(folder: Path) -> Iterator[Row]:
    """The whole command, figures included."""
    spent = spend(recovery("simulate", "--example", "delta", "-o", "json"), folder)
    scenarios = json.loads(spent.stdout)["scenarios"]
    losses = sorted(each["lost"]["p50"] / 1e6 for each in scenarios if not each["alone"])
    yield Row(
        "simulate: 77,000 hosts, 3 orders, 8 courses each",
        f"{spent.seconds:.1f} s, {spent.megabytes:.0f} MB, {losses[0]:.0f} to {losses[-1]:.0f} million lost",
        "<= 60 s",
    )
