"""The page as a process of its own, over real sockets."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
_URL = re.compile(r"the field page is at (\S+);")


class Served:
    """`recovery serve`, until it is ended."""

    def __init__(self, home: Path, *words: str) -> None:
        self.home = home
        self.said: list[str] = []
        self._found = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "recovery", "serve", "-v", "--port", "0", *words],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._found.wait(60), self.log
        found = _URL.search(self.log)
        assert found, self.log
        self.url = found.group(1)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.home),
            "RECOVERY_CONFIG": str(self.home / "settings.yaml"),
        }

    @property
    def log(self) -> str:
        return "".join(self.said)

    def run(self, *words: str) -> str:
        """What another command says on its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "recovery", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def link(self, person: str, role: str = "technician") -> str:
        return self.run("desk", "link", person, "--role", role).splitlines()[0]

    def ask(
        self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str]:
        """One request by a plain client that trusts the page's own certificate file alone."""
        place = urlsplit(self.url)
        connection: http.client.HTTPConnection
        if place.scheme == "https":
            context = ssl.create_default_context(cafile=f"{self.home}/journal.db.field-tls.pem")
            connection = http.client.HTTPSConnection(place.netloc, timeout=30, context=context)
        else:
            connection = http.client.HTTPConnection(place.netloc, timeout=30)
        try:
            body = urlencode(fields) if fields is not None else None
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
            connection.request(method, path, body, {**kind, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def end(self) -> int:
        """As Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self._reader.join(5)
            assert self.process.stderr is not None
            self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "who may enter" in line:
                self._found.set()
        self._found.set()


def refused(home: Path, words: Sequence[str]) -> tuple[int, str]:
    """What a start that does not come about says."""
    done = subprocess.run(
        [sys.executable, "-m", "recovery", "serve", *words],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "RECOVERY_CONFIG": str(home / "settings.yaml")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr
