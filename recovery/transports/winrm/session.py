"""One open way to one host over WinRM, as its worker process has it."""

from __future__ import annotations

import asyncio
import contextlib

from recovery.errors import DeadlineError, SessionLostError, TransportError
from recovery.ports import Command, Completed
from recovery.remote.catalog import launch
from recovery.transports.winrm.crew import Crew, Worker
from recovery.transports.winrm.messages import Answer, Run

_CLOSE_SECONDS = 1.0


class WinrmSession:
    """One open way to one host. Implements `recovery.ports.Session`."""

    def __init__(self, crew: Crew, worker: Worker, number: int, name: str) -> None:
        """Session `number` of `worker`, to the host `name`."""
        self._crew = crew
        self._worker = worker
        self._number = number
        self._name = name
        self._open = True

    async def run(self, command: Command) -> Completed:
        """Carry the script out and read its bounded answer. Raises `TransportError`.

        The answer is complete when its last record has come, even if the command then never ends. Raises
        `UnsupportedError` or `RefusedError` when the command has no script to send.
        """
        wanted = self._wanted(command)
        if not self._open:
            message = f"the session with {self._name} has ended"
            raise SessionLostError(message)
        try:
            async with asyncio.timeout(command.timeout):
                answer = await self._worker.ask(wanted, self._name)
        except TimeoutError:
            self._worker_stops(wanted)
            message = f"{self._name} did not finish its answer in time"
            raise DeadlineError(message) from None
        except asyncio.CancelledError:
            self._worker_stops(wanted)
            raise
        if not isinstance(answer, Answer):
            message = f"the session with {self._name} has ended"
            raise SessionLostError(message)
        return Completed(
            stdout=answer.stdout,
            stderr=answer.stderr,
            exit_status=answer.status,
            truncated=answer.truncated,
        )

    async def aclose(self) -> None:
        """Close the shell on the host. Never raises, never hangs: what takes longer is done meanwhile."""
        if self._open:
            self._open = False
            closing = self._crew.close(self._worker, self._number, self._name)
            with contextlib.suppress(TimeoutError, TransportError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await asyncio.shield(closing)

    def _wanted(self, command: Command) -> Run:
        launched = launch(command, outer="cmd")  # cmd.exe is what the host's service starts
        return Run(
            id=self._crew.number(),
            session=self._number,
            action=command.action,
            line=launched.line,
            stdin=launched.stdin,
            end=b'{"record":"end","token":"%s"' % command.token.encode(),
            timeout=command.timeout,
            limit=command.output_limit,
        )

    def _worker_stops(self, wanted: Run) -> None:
        self._crew.cancel(self._worker, wanted.id)
