"""One session as a worker process has it: a shell on the host, and commands in it one after another."""

# ruff: noqa: TID253 - loaded in worker processes only
from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from recovery.errors import DeadlineError, SessionLostError
from recovery.transports.winrm.border import is_quota, translated
from recovery.transports.winrm.channel import protocol
from recovery.transports.winrm.clixml import text_of
from recovery.transports.winrm.line import Line
from recovery.transports.winrm.messages import Answer, Run, Way

_IDLE = "PT180.000S"
"""A shell that nobody uses for so long is closed by the host: nothing stays behind for hours if this machine dies."""
_UTF8 = 65001
_PIECE = 90_000
"""Bytes of input in one message; the host takes 153,600 bytes with everything around it."""
_STDERR_LIMIT = 64_000
_END_LENGTH = 512
"""Bytes in which the last record of an answer certainly is."""
_CLOSING = 4.0
_SOONEST = 0.1
"""Seconds from a question for output that brought nothing to the next one."""
_FAREWELL = 2.0
"""Seconds for telling a host that a command may end."""


class Talk:
    """A session. One thread at a time uses it; any may cut it."""

    def __init__(self, way: Way, tell_shell: Callable[[str], None], under_way: set[Line]) -> None:
        """Nothing is sent before `open`; `tell_shell` hears which shell there is on the host.

        `under_way` has the lines on which something is done, so that somebody can cut those that take too long.
        """
        self.way = way
        self._under_way = under_way
        self.line = Line(way.read_timeout, under_way)
        self.lock = threading.Lock()
        self._tell_shell = tell_shell
        self._shell = ""
        self._broken = False

    @property
    def is_open(self) -> bool:
        """Whether it has a shell."""
        return bool(self._shell)

    def open(self, timeout: float) -> None:
        """Sign in and open a shell. Raises `TransportError`."""
        until = self.line.until(time.monotonic() + timeout)
        with until, translated(self.way.name, self.line, opening=True):
            self._protocol = protocol(self.way, self.line)
            try:
                self._open_shell()
            except BaseException:
                self._end()
                raise

    def run(self, wanted: Run, answered: Callable[[Answer], None]) -> None:
        """Carry a command line out, and give the answer to `answered`. Raises `TransportError`."""
        if self._broken or self.line.ended or not self._shell:
            raise SessionLostError(f"the session with {self.way.name} has ended")
        until = self.line.until(time.monotonic() + wanted.timeout)
        with until, translated(self.way.name, self.line, opening=False):
            command = self._started(wanted.line)
            try:
                self._send(command, wanted.stdin)
                answer = self._collected(command, wanted)
            except BaseException as error:
                self._broken = not isinstance(error, DeadlineError)
                self._terminate(command)
                raise
        answered(answer)
        self._terminate(command)

    def close(self) -> None:
        """Close the shell, over another connection if this one is gone. Never raises."""
        if self._shell:
            shell, self._shell = self._shell, ""
            if self.line.ended or not self._delete(shell):
                close_shell(self.way, shell, self._under_way)
            self._tell_shell("")
        self._end()

    def _open_shell(self) -> None:
        self._shell = self._protocol.open_shell(codepage=_UTF8, noprofile=True, idle_timeout=_IDLE)
        self._tell_shell(self._shell)

    def _started(self, line: str) -> str:
        """The command's identity. A shell whose quota is used up is replaced, and nothing is counted beforehand."""
        try:
            return self._start(line)
        except WSManFaultError as error:
            if not is_quota(error):
                raise
        self._protocol.close_shell(self._shell, close_session=False)
        self._open_shell()
        return self._start(line)

    def _start(self, line: str) -> str:
        # Windows since 2012 R2 starts nothing without cmd.exe in between, so there is no use in asking it to.
        found: str | None = self._protocol.run_command(self._shell, line, console_mode_stdin=False)
        if not found:
            message = "no command was started"
            raise ValueError(message)
        return found

    def _send(self, command: str, stdin: bytes) -> None:
        for start in range(0, len(stdin), _PIECE):
            last = start + _PIECE >= len(stdin)
            self._protocol.send_command_input(
                self._shell, command, stdin[start : start + _PIECE], end=last
            )

    def _collected(self, command: str, wanted: Run) -> Answer:
        """Everything up to the last record, the command's end, or the limit."""
        stdout, stderr = bytearray(), bytearray()
        status, done = None, False
        while not done and len(stdout) <= wanted.limit:
            if self.line.left <= 0:
                message = f"{self.way.name} did not finish its answer in time"
                raise DeadlineError(message)
            most = min(self.way.operation_timeout, int(self.line.left))
            self._protocol.operation_timeout_sec = max(1, most)
            asked, out, err = time.monotonic(), b"", b""
            with contextlib.suppress(WinRMOperationTimeoutError):
                out, err, code, done = self._protocol.get_command_output_raw(self._shell, command)
                stdout += out
                stderr += err[: max(0, _STDERR_LIMIT - len(stderr))]
                status = code if done else None
                if _is_whole(stdout, wanted.end):
                    break
            if not (out or err or done):
                # Windows answers when there is something to say; who always has nothing is not asked without end.
                self.line.rest(_SOONEST - (time.monotonic() - asked))
        return Answer(
            id=wanted.id,
            stdout=bytes(stdout[: wanted.limit]),
            stderr=text_of(bytes(stderr)),
            status=status,
            truncated=len(stdout) > wanted.limit,
        )

    def _terminate(self, command: str) -> None:
        """Let the host forget the command; without that the session is no good any more."""
        if self.line.ended:
            return
        try:
            with self.line.until(time.monotonic() + _FAREWELL):
                self._protocol.cleanup_command(self._shell, command)
        except Exception:  # noqa: BLE001 - whatever it is, the session ends for it
            self._broken = True

    def _delete(self, shell: str) -> bool:
        try:
            with self.line.until(time.monotonic() + _CLOSING):
                self._protocol.close_shell(shell)
        except Exception:  # noqa: BLE001 - then another connection has to do
            return False
        return True

    def _end(self) -> None:
        with contextlib.suppress(Exception):
            self._protocol.transport.close_session()
        self.line.close()


def close_shell(way: Way, shell: str, under_way: set[Line]) -> None:
    """Close a shell that another connection opened. Never raises: the host closes it by itself in a while."""
    line = Line(_CLOSING, under_way)
    with contextlib.suppress(Exception), line.until(time.monotonic() + _CLOSING):
        protocol(way, line).close_shell(shell)
    line.close()


def _is_whole(stdout: bytearray, end: bytes) -> bool:
    # What cmd.exe prints is UTF-16 (cmd /u); the last record has plain characters only.
    tail = bytes(stdout[-_END_LENGTH:]).replace(b"\0", b"")
    return bool(end) and tail.endswith((b"}\n", b"}\r\n")) and end in tail
