"""Starts the lab in the foreground: four machines, three of them in a boot loop, until Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.lab.fleet import Lab
from tests.lab.image import build, cache_folder
from tests.lab.tools import LabUnavailableError, check_machine

_WAYS_OUT = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def main() -> None:
    """Return after a signal; exit 1 where the lab cannot run here."""
    # Blocked before any thread starts, so that all of them leave the signals to `sigwait`.
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAYS_OUT)
    try:
        check_machine()
        image = build(cache_folder())
        with (
            tempfile.TemporaryDirectory(prefix="recovery-lab-") as folder,
            Lab(image, Path(folder)) as lab,
        ):
            settings = _write_settings(lab, Path(folder))
            sys.stdout.write(_describe(lab, settings))
            sys.stdout.flush()
            signal.sigwait(_WAYS_OUT)
    except LabUnavailableError as error:
        sys.exit(f"lab: {error}")


def _write_settings(lab: Lab, folder: Path) -> Path:
    """Settings with the credential that the lab's inventory names."""
    path = folder / "settings.json"
    credential = {"provider": "key_file", "user": "root", "path": str(lab.private_key)}
    ssh = {"known_hosts": [str(lab.known_hosts)], "config": ""}
    path.write_text(json.dumps({"ssh": ssh, "credentials": {"lab": credential}}))
    return path


def _describe(lab: Lab, settings: Path) -> str:
    journal = settings.with_name("journal.db")
    lines = [
        f"inventory    {lab.inventory}",
        f"known hosts  {lab.known_hosts}",
        f"private key  {lab.private_key}",
    ]
    for guest in lab.guests.values():
        window = guest.spec.window
        kind = "healthy" if window is None else f"crashes {window:g} s after SSH is up"
        lines.append(f"{guest.name:12} root@{guest.address} port {guest.port}  {kind}; {guest.log}")
    lines.append(
        f"in another terminal: {sys.executable} -m recovery --config {settings} --journal {journal} "
        f"run rollback -i {lab.inventory} --yes"
    )
    return "\n".join([*lines, "Ctrl-C ends it.", ""])


if __name__ == "__main__":
    main()
