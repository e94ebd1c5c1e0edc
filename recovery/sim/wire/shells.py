"""The remote shells of one simulated Windows machine, with their quotas and what Windows says when they are used up."""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from collections.abc import Callable
from typing import Literal

import msgspec

from recovery.sim.wire import soap
from recovery.sim.wire.soap import Asked, FaultError

_CHUNK = 8_000
"""Bytes of output in one stream element."""
_CHUNKS = 4
"""Stream elements in one reply."""
_MOST_INPUT = 4_000_000
_LONGEST_LINE = 8191
"""Characters that cmd.exe takes (Microsoft: command prompt line string limitation)."""
_TERMINATE = ("signal/terminate", "signal/ctrl_c", "signal/ctrl_break", "signal/Terminate")

_TIMED_OUT = 2150858793
_NO_SHELL = 2150858843
_NO_COMMAND = 2150858778
_TOO_MANY_SHELLS = 2150859173
_TOO_MANY_COMMANDS = 2150859174
_ABORTED = 995


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a machine's service; the defaults are those of Windows (winrm get winrm/config/winrs)."""

    shells: int = 30
    """MaxShellsPerUser."""
    commands: int = 25
    """MaxProcessesPerShell: commands whose end was not signalled."""
    idle: float = 7200.0
    """Seconds after which a shell that nobody uses is closed (IdleTimeout)."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of a command line."""

    fate: Literal["whole", "cut", "reset", "gone"] = "whole"
    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A command line that can be carried out, `after` so many seconds."""

    carry_out: Callable[[], Outcome]
    after: float = 0.0


Plan = Callable[[str, bytes | None], Work | None]
"""From a command line and its complete standard input to what is to be done; None while input is still needed."""


class ConnectionCutError(Exception):
    """The machine falls silent or resets the connection in the middle of an operation."""


class _Process:
    """One command in a shell."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.stdin = bytearray()
        self.changed = asyncio.Event()
        self.outcome: Outcome | None = None
        self.aborted = False
        self.begun = False
        self.timer: asyncio.TimerHandle | None = None
        self._sent = {"stdout": 0, "stderr": 0}

    def end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.changed.set()

    def abort(self) -> None:
        self.aborted = True
        if self.timer is not None:
            self.timer.cancel()
        self.changed.set()

    def take(self) -> tuple[list[tuple[str, str, bool]], int | None]:
        """The next few pieces of output, and the exit code with the last of them."""
        assert self.outcome is not None  # noqa: S101 - asked only then
        pieces: list[tuple[str, str, bool]] = []
        for name, data in (("stdout", self.outcome.stdout), ("stderr", self.outcome.stderr)):
            while len(pieces) < _CHUNKS and self._sent[name] < len(data):
                start = self._sent[name]
                piece = data[start : start + _CHUNK]
                self._sent[name] += len(piece)
                pieces.append((name, base64.b64encode(piece).decode(), False))
        done = self._sent["stdout"] >= len(self.outcome.stdout)
        done = done and self._sent["stderr"] >= len(self.outcome.stderr)
        if done:
            pieces += [("stdout", "", True), ("stderr", "", True)]
        return pieces, self.outcome.exit_code if done else None


class _Shell:
    def __init__(self, idle: float) -> None:
        self.processes: dict[str, _Process] = {}
        self.idle = idle
        self.timer: asyncio.TimerHandle | None = None


class Shells:
    """What a machine's WS-Management service keeps for its user."""

    def __init__(self, plan: Plan, quotas: Quotas) -> None:
        """Carry command lines out as `plan` says."""
        self._plan = plan
        self._quotas = quotas
        self._open: dict[str, _Shell] = {}
        self.opened = 0
        """Shells so far."""

    @property
    def open(self) -> int:
        """Shells that are open now."""
        return len(self._open)

    def clear(self) -> None:
        """The machine goes down: all is gone."""
        for identity in list(self._open):
            self._close(identity)

    async def handle(self, asked: Asked) -> bytes:
        """The reply to a request. Raises `FaultError`, `ConnectionCutError`."""
        match asked.operation:
            case "Create":
                return self._create(asked)
            case "Command":
                return self._start(asked)
            case "Send":
                return self._send(asked)
            case "Receive":
                return await self._receive(asked)
            case "Signal":
                return self._signal(asked)
            case "Delete":
                self._shell(asked)
                self._close(asked.shell)
                return soap.acknowledged(asked)
            case _:
                raise FaultError(2150858817, "a:ActionNotSupported", "The action is not supported.")

    def _create(self, asked: Asked) -> bytes:
        if len(self._open) >= self._quotas.shells:
            raise FaultError(
                _TOO_MANY_SHELLS,
                "w:QuotaLimit",
                "The WS-Management service cannot process the request. This user is allowed a maximum number of "
                f"{self._quotas.shells} concurrent shells, which has been exceeded. Close existing shells or raise the "
                "quota for this user.",
            )
        identity = str(uuid.uuid4()).upper()
        wanted = soap.seconds(soap.text(asked.body, "r:Shell/r:IdleTimeOut"), self._quotas.idle)
        self._open[identity] = _Shell(min(wanted, self._quotas.idle))
        self.opened += 1
        self._touch(identity)
        return soap.created(asked, identity)

    def _start(self, asked: Asked) -> bytes:
        shell = self._shell(asked)
        if len(shell.processes) >= self._quotas.commands:
            raise FaultError(
                _TOO_MANY_COMMANDS,
                "w:QuotaLimit",
                "The maximum number of concurrent operations for this user has been exceeded.",
            )
        words = (
            soap.text(asked.body, f"r:CommandLine/r:{name}") for name in ("Command", "Arguments")
        )
        process = _Process(" ".join(word for word in words if word))
        identity = str(uuid.uuid4()).upper()
        shell.processes[identity] = process
        if len(process.line) > _LONGEST_LINE:
            process.end(Outcome(stderr=b"The command line is too long.\r\n", exit_code=1))
        else:
            self._begin(process, None)
        return soap.started(asked, identity)

    def _begin(self, process: _Process, stdin: bytes | None) -> None:
        work = self._plan(process.line, stdin)
        if work is None:
            return
        process.begun = True

        def carry_out() -> None:
            if not process.aborted:
                process.end(work.carry_out())

        process.timer = asyncio.get_running_loop().call_later(work.after, carry_out)

    def _send(self, asked: Asked) -> bytes:
        stream = soap.part(asked.body, "r:Send/r:Stream")
        if stream is None or stream.get("Name") != "stdin":
            raise FaultError(
                _NO_COMMAND, "w:InvalidSelectors", "The stream is not one of the shell's."
            )
        process = self._process(asked, stream.get("CommandId", ""))
        try:
            process.stdin += base64.b64decode(stream.text or "", validate=True)
        except binascii.Error:
            raise FaultError(
                2150858752, "w:SchemaValidationError", "The stream is not base64."
            ) from None
        if len(process.stdin) > _MOST_INPUT:
            process.abort()
        elif stream.get("End", "").lower() in ("true", "1") and not process.begun:
            self._begin(process, bytes(process.stdin))
        return soap.acknowledged(asked)

    async def _receive(self, asked: Asked) -> bytes:
        wanted = soap.part(asked.body, "r:Receive/r:DesiredStream")
        identity = wanted.get("CommandId", "") if wanted is not None else ""
        process = self._process(asked, identity)
        try:
            async with asyncio.timeout(asked.timeout):
                await process.changed.wait()
        except TimeoutError:
            raise FaultError(
                _TIMED_OUT,
                "w:TimedOut",
                "The WS-Management service cannot complete the operation within the time specified in "
                "OperationTimeout.",
                sender=False,
            ) from None
        if process.aborted or process.outcome is None:
            raise FaultError(
                _ABORTED,
                "w:InternalError",
                "The I/O operation has been aborted because of either a thread exit or an application request.",
                sender=False,
            )
        if process.outcome.fate in ("reset", "gone"):
            raise ConnectionCutError
        pieces, code = process.take()
        return soap.received(asked, identity, pieces, code)

    def _signal(self, asked: Asked) -> bytes:
        signal = soap.part(asked.body, "r:Signal")
        identity = signal.get("CommandId", "") if signal is not None else ""
        process = self._process(asked, identity)
        if soap.text(asked.body, "r:Signal/r:Code").endswith(_TERMINATE):
            process.abort()
            del self._shell(asked).processes[identity]
        return soap.acknowledged(asked)

    def _process(self, asked: Asked, identity: str) -> _Process:
        process = self._shell(asked).processes.get(identity)
        if process is None:
            raise FaultError(
                _NO_COMMAND,
                "w:InvalidSelectors",
                "The WS-Management service cannot process the request because the request contained invalid selectors "
                "for the resource.",
            )
        return process

    def _shell(self, asked: Asked) -> _Shell:
        shell = self._open.get(asked.shell)
        if shell is None:
            raise FaultError(
                _NO_SHELL,
                "w:InvalidSelectors",
                f"The request for the Windows Remote Shell with ShellId {asked.shell[:64]} failed because the shell "
                "was not found on the server.",
            )
        self._touch(asked.shell)
        return shell

    def _touch(self, identity: str) -> None:
        shell = self._open[identity]
        if shell.timer is not None:
            shell.timer.cancel()
        shell.timer = asyncio.get_running_loop().call_later(shell.idle, self._close, identity)

    def _close(self, identity: str) -> None:
        shell = self._open.pop(identity, None)
        if shell is not None:
            if shell.timer is not None:
                shell.timer.cancel()
            for process in shell.processes.values():
                process.abort()
