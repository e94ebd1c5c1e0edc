"""A rollback of 200 machines over WinRM and 200 over SSH, in one inventory, on the program's own command line."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recovery.playbook.library import read_incident
from tests.wire import fakes

ROOT = Path(__file__).resolve().parents[2]
OF_200 = {"dark": 60, "looping": 20, "stale": 10, "healthy": 20, "exposed": 90}
"""How each half of the fleet stands: 30 % dark, 10 % in a crash loop, 5 % with a password that is no longer right."""
_RULES: dict[str, dict[str, Any]] = {
    "dark": {"exposed": 0.0, "dark": 1.0},
    "looping": {"exposed": 0.0, "crash_loop": 1.0},
    "healthy": {"exposed": 0.0},
}
_SET = ("settle.for=2s", "strategy.soak=0s", "strategy.keep_trying=60s")
_GUARD = ("unreachable=45%", "failed=30%", "new_crashes=50")

pytestmark = pytest.mark.slow


def _describe(folder: Path) -> None:
    hosts = {
        f"{kind}-{state}-{number:03}": {
            "address": fakes.address(),
            "os": "windows" if kind == "w" else "linux",
            "transport": "winrm" if kind == "w" else "ssh",
            "port": (5985 if number % 2 else 5986) if kind == "w" else 2222,
            "kind": "server",
            "credential": f"stale-{kind}" if state == "stale" else "fix",
        }
        for kind in ("w", "l")
        for state, count in OF_200.items()
        for number in range(count)
    }
    # Machines crash here within seconds of each other, so the span in which that is a loop is one of seconds as well.
    text, _ = read_incident("crowdstrike-291")
    (folder / "incident.yaml").write_text(re.sub(r"within: \w+", "within: 8s", text))
    (folder / "fleet.json").write_text(json.dumps({"hosts": hosts}))
    short = {"exposed": 1.0, "boot": [2, 3], "window": [15, 20], "dump": [1, 2]}
    rules = [
        {"when": {"host": f"?-{state}-*"}, "faults": faults} for state, faults in _RULES.items()
    ]
    mix = {"mix": "wire", "latency": 0.05, "default": short, "rules": rules}
    (folder / "mix.json").write_text(json.dumps(mix))


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[dict[str, Any]]:
    """The machines, in a process of their own; in the end what they have counted."""
    counts: dict[str, Any] = {}
    argv = _program(
        *("sim", "serve", "-i", str(folder / "fleet.json"), "--mix", str(folder / "mix.json")),
        *("--write", str(folder / "served"), "-o", "json"),
        *("--incident", str(folder / "incident.yaml")),
    )
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as serving:
        try:
            until = time.monotonic() + 60
            while not (folder / "served" / "inventory.yaml").exists():
                assert serving.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)  # noqa: TID251 - there is no loop here
            yield counts
        finally:
            serving.send_signal(signal.SIGINT)
            assert serving.stdout is not None
            said = serving.stdout.read()
    counts.update(json.loads(said))


def _make_stale(folder: Path) -> None:
    """Passwords that the machines no longer take; and patience, since all of them share this machine."""
    file = folder / "served" / "settings.json"
    settings = json.loads(file.read_text())
    old = folder / "served" / "old"
    old.touch(0o600)
    old.write_text("last year's")
    settings["ssh"]["look_timeout"] = settings["winrm"]["look_timeout"] = 5
    for kind in ("w", "l"):
        settings["credentials"][f"stale-{kind}"]["path"] = str(old)
    file.write_text(json.dumps(settings))


def _program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "recovery", *arguments]


def test_every_host_ends_in_its_right_state(tmp_path: Path, home: Path) -> None:
    _describe(tmp_path)
    options = [f"--set={word}" for word in _SET]
    options += [f"--set=strategy.guard.{word}" for word in _GUARD]
    common = ("--config", str(tmp_path / "served" / "settings.json"), "--journal", str(home / "j"))
    with _served(tmp_path) as counts:
        _make_stale(tmp_path)
        inventory = str(tmp_path / "served" / "inventory.yaml")
        run = _program(*common, "run", "rollback", "-i", inventory, "--yes", "-o", "jsonl")
        run += ["--incident", str(tmp_path / "incident.yaml")]
        done = subprocess.run(
            [*run, *options], cwd=ROOT, capture_output=True, timeout=280, check=False
        )
        hosts = _program(*common, "hosts", "-o", "json")
        listed = subprocess.run(hosts, cwd=ROOT, capture_output=True, timeout=60, check=True)
    last = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, last["kind"], last["exit_code"]) == (7, "run.finished", 7)
    found = Counter(
        (*host["name"].split("-")[:2], host["verdict"], host["progress"])
        for host in json.loads(listed.stdout)
    )
    ends = {
        "dark": ("dark", "with_technician"),
        "looping": ("recovered", "done"),
        "stale": ("unknown", "with_technician"),
        "healthy": ("healthy", "untouched"),
        "exposed": ("recovered", "done"),
    }
    assert found == {
        (kind, state, *ends[state]): count for kind in "wl" for state, count in OF_200.items()
    }
    assert counts["shells"] == 0
    assert counts["shells_opened"] > 0
    assert counts["refusals"] == 3, (
        "a password that is refused is tried three times, not on ten hosts"
    )
