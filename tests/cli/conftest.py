"""The command line as operators use it, with a home of its own for every test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.cli.main import main

ROOT = Path(__file__).resolve().parent.parent.parent


class Told(msgspec.Struct, frozen=True):
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Told]
Spawn = Callable[[Sequence[object]], "subprocess.Popen[str]"]


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the command line in this process."""
    monkeypatch.chdir(home)

    def call(*words: object) -> Told:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return call


@pytest.fixture
def fleet(home: Path) -> Path:
    """Four exposed servers, and the mix that makes them so."""
    return write_fleet(home, "h[1-4]: {kind: server, site: A}", "exposed: 1.0")


@pytest.fixture
def spawn(home: Path) -> Iterator[Spawn]:
    """Starts the program as a process; none outlives its test."""
    begun: list[subprocess.Popen[str]] = []

    def start(words: Sequence[object]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "recovery", *map(str, words)],
            cwd=ROOT,
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def write_fleet(folder: Path, hosts: str, faults: str, rules: str = "[]") -> Path:
    """An inventory with its fault mix beside it."""
    path = folder / "fleet.yaml"
    path.write_text(f"sites: {{A: {{name: Alpha}}}}\nhosts:\n  {hosts}\n")
    mix = f"mix: test\nlatency: 0\ndefault:\n  {faults}\nrules: {rules}\n"
    path.with_suffix(".mix.yaml").write_text(mix)
    return path
