"""Runs in processes of their own: they outlive the dashboard, and are seen through the journal alone."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from recovery.planning import Request
from recovery.settings import variables
from recovery.tui.inert import plain

_SAID = 4000
"""Bytes of what a process said last that are looked at when it fails."""


def words_for(request: Request, journal: str, config: str = "") -> list[str]:
    """The command line that carries the request out without asking."""
    return [*program(journal, config), *_options(request), "--yes", "--", request.playbook]


def words_to_resume(run: str, journal: str, config: str, speed: str) -> list[str]:
    """The command line that goes on with a run."""
    pace = [f"--speed={speed}"] if speed else []
    return [*program(journal, config), "runs", "resume", *pace, "--", run]


def program(journal: str, config: str) -> list[str]:
    """The words in front of a command of this program on this journal."""
    settings = [f"--config={config}"] if config else []
    return [sys.executable, "-m", "recovery", *settings, f"--journal={journal}"]


def _options(request: Request) -> Iterator[str]:
    yield "run"
    yield f"--incident={request.incident}"
    yield from (f"--inventory={source}" for source in request.inventory)
    yield from (f"--limit={limit}" for limit in request.limits)
    yield from (f"--set={name}={value}" for name, value in request.overrides.items())
    yield from (f"--param={name}={value}" for name, value in request.parameters.items())
    if request.mock:
        yield from ("--mock", f"--speed={request.speed}", f"--seed={request.seed}")
        if request.mix:
            yield f"--mix={request.mix}"
    if request.check:
        yield "--check"
    if request.concurrency:
        yield f"--concurrency={request.concurrency}"
    if request.blocker:
        yield f"--blocker={shlex.join(request.blocker)}"
    if request.run:
        yield f"--id={request.run}"
    if request.plan:
        yield f"--plan={request.plan}"


class Child:
    """A process that carries a run out. What it says goes to a file that only its owner may read."""

    def __init__(self, words: list[str], log: Path) -> None:
        """Start it, in a session of its own: no hang-up and no Ctrl-C of this terminal reaches it."""
        self.log = log
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=handle,
                start_new_session=True,
                env=environment(),
            )
        finally:
            os.close(handle)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit status; None while it goes on."""
        return self._process.poll()

    def wait(self) -> None:
        """Until it ends. Blocks; when another thread stops it, this ends too."""
        self._process.wait()

    def said(self) -> str:
        """What it said last, on one line: why it failed."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _SAID))
            lines = file.read().decode("utf-8", "replace").splitlines()
        errors = [line for line in lines if line.startswith(("error: ", "internal error"))]
        chosen = lines[lines.index(errors[-1]) :] if errors else lines[-3:]
        return plain(" ".join(line.strip() for line in chosen).removeprefix("error: "))

    def stop(self) -> None:
        """End it, as Ctrl-C does."""
        if self.code is None:
            self._process.terminate()


def environment() -> dict[str, str]:
    """This process's own, but for options of commands: the command line says all of them."""
    kept = variables()
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(("RECOVERY_", "TEXTUAL"))
    }
