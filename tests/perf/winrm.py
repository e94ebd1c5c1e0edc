"""WinRM: what a command costs the client, beside `winrm.Session.run_cmd` against the same simulated machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.perf.measure import PYTHON, ROOT, Row, recovery, spend

FEW, MANY = 20, 220
"""Commands; what both runs have in common, such as loading libraries, is left out of the figures."""
_WAYS = {"http, NTLM, encrypted": ("http", "ntlm"), "https, Basic": ("https", "basic")}


def winrm(folder: Path) -> Iterator[Row]:
    """Processor time of the client for each command; the machines are another process."""
    served = _serve(folder)
    try:
        for way, (scheme, auth) in _WAYS.items():
            spent = {name: _each(folder, name, scheme, auth) for name in ("session", "transport")}
            yield Row(f"WinRM over {way}: winrm.Session.run_cmd", _shown(spent["session"]))
            yield Row(
                f"WinRM over {way}: this program's WinrmTransport", _shown(spent["transport"])
            )
            yield Row(
                "  commands per core, beside winrm.Session",
                f"{spent['session'] / spent['transport']:.1f} x",
                ">= 2.5 x",
            )
    finally:
        served.send_signal(signal.SIGINT)
        served.wait()


def _serve(folder: Path) -> subprocess.Popen[bytes]:
    hosts = {
        scheme: {
            "address": f"127.78.{os.getpid() % 250}.{number}",
            "port": port,
            "transport": "winrm",
        }
        for number, (scheme, port) in enumerate((("http", 5985), ("https", 5986)), 1)
    }
    (folder / "winrm.json").write_text(json.dumps({"hosts": hosts}))
    (folder / "winrm.mix.json").write_text(json.dumps({"mix": "still", "latency": 0.0}))
    argv = recovery(
        *(
            "sim",
            "serve",
            "-i",
            str(folder / "winrm.json"),
            "--mix",
            str(folder / "winrm.mix.json"),
        ),
        *("--write", str(folder / "served")),
    )
    served = subprocess.Popen(
        argv,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not (folder / "served" / "inventory.yaml").exists():
        if served.poll() is not None or time.monotonic() > until:
            message = "the simulated machines did not come up"
            raise RuntimeError(message)
        time.sleep(0.1)  # noqa: TID251 - a program of its own
    return served


def _each(folder: Path, name: str, scheme: str, auth: str) -> float:
    argv = [PYTHON, "-m", "tests.perf.winrm_peer", name, str(folder), scheme, auth]
    few, many = (spend([*argv, str(count)], folder).cpu for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def _shown(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms CPU a command"
