"""Measuring a program from outside: time, processor time and memory of one child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
LIMIT = 240.0
"""Seconds after which a program is ended."""


@dataclass(frozen=True)
class Spent:
    """What a child and all that it waited for have used."""

    seconds: float
    cpu: float
    """Seconds of processor time, its own and its children's."""
    megabytes: float
    """The largest process at its largest."""
    status: int
    stdout: bytes


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    work: str
    measured: str
    reach: str = ""


def spend(
    argv: Sequence[str], folder: Path, *, expect: tuple[int, ...] = (0,), **variables: str
) -> Spent:
    """Run a program to its end. Raises `RuntimeError` when it fails, `TimeoutError` after `LIMIT`."""
    outputs = folder / "stdout", folder / "stderr"
    with outputs[0].open("wb") as out, outputs[1].open("wb") as err:
        began = time.perf_counter()
        child = subprocess.Popen(
            argv,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=_environment(folder, variables),
        )
        # The limit lies far above every figure to be reached.
        end = threading.Timer(LIMIT, os.kill, (child.pid, signal.SIGKILL))
        end.start()
        _, status, usage = os.wait4(child.pid, 0)
        end.cancel()
        seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode == -signal.SIGKILL and seconds >= LIMIT:
        raise TimeoutError
    if child.returncode not in expect:
        said = outputs[1].read_text(errors="replace")[-2000:]
        message = f"{' '.join(argv[:6])} ended with {child.returncode}: {said}"
        raise RuntimeError(message)
    scale = 1024**2 if sys.platform == "darwin" else 1024
    cpu = usage.ru_utime + usage.ru_stime
    return Spent(seconds, cpu, usage.ru_maxrss / scale, child.returncode, outputs[0].read_bytes())


def _environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the user's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(folder), "PYTHONPATH": str(ROOT), **variables}


def recovery(*arguments: str) -> list[str]:
    """The program's command line."""
    return [PYTHON, "-m", "recovery", *arguments]
