"""The benchmarks: `python -m tests.perf [NAME]...`, each a key of `BENCHMARKS`; or all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.perf.dark import dark
from tests.perf.forecasting import forecasting
from tests.perf.measure import LIMIT, Row
from tests.perf.picture_speed import pictures
from tests.perf.ssh import ssh
from tests.perf.tui import tui
from tests.perf.twin import engine, incident, inventory, start
from tests.perf.winrm import winrm

BENCHMARKS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    "start": start,
    "inventory": inventory,
    "ssh": ssh,
    "winrm": winrm,
    "dark": dark,
    "engine": engine,
    "incident": incident,
    "forecast": forecasting,
    "pictures": pictures,
    "tui": tui,
}


def main(names: list[str]) -> None:
    """Print a row as soon as it is measured."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    _line("work", "measured", "reach")
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="recovery-perf-") as folder:
            try:
                for row in BENCHMARKS[name](Path(folder)):
                    _line(row.work, row.measured, row.reach)
            except TimeoutError:
                _line(f"{name}: the next figure", f"not finished after {LIMIT:.0f} s", "")


def _line(work: str, measured: str, reach: str) -> None:
    sys.stdout.write(f"{work:<66}  {measured:<60}  {reach}".rstrip() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
