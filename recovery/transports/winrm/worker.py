"""A worker process: carries sessions, because pywinrm blocks, and threads alone make it slower.

Everything that it is told comes over standard input, secrets as well: nothing stands in its arguments or its
environment. When its owner is gone it closes every shell that it has on hosts, and ends.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from recovery.errors import DeadlineError, SessionLostError, TransportError
from recovery.transports.winrm.messages import (
    Cancel,
    Close,
    Done,
    Failed,
    Frames,
    Open,
    Ready,
    Reap,
    Reply,
    Request,
    Run,
    ShellOpened,
    packed,
    read_request,
)

if TYPE_CHECKING:
    from recovery.transports.winrm.line import Line
    from recovery.transports.winrm.talk import Talk

_TICK = 0.2
"""Seconds between looks for operations whose time is over."""
_SLACK = 0.5
"""Seconds for which an operation may take longer than it has, before its connection is cut."""
_GRACE = 2.0
"""Seconds for a session that nobody waits for any more to be opened, so that it can be closed."""
_LAST = 6.0
"""Seconds for closing everything when the owner is gone."""
_THREADS = 256
_READ = 1 << 16


class Worker:
    """What runs in the process."""

    def __init__(self, source: int, sink: int) -> None:
        """Obey what comes out of `source`; answer into `sink`."""
        self._source = source
        self._sink = sink
        self._writing = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS)
        self._under_way: set[Line] = set()
        self._closings: set[Future[None]] = set()
        self._talks: dict[int, Talk] = {}
        self._busy: dict[int, Talk] = {}
        self._cancelled: set[int] = set()

    def work(self) -> None:
        """Until the owner is gone."""
        # What takes longest is loaded before anybody's time runs.
        importlib.import_module("recovery.transports.winrm.talk")
        self._tell(Ready())
        frames = Frames()
        while True:
            ready, _, _ = select.select([self._source], [], [], _TICK)
            if ready:
                data = os.read(self._source, _READ)
                if not data:
                    return
                for frame in frames.feed(data):
                    self._obey(read_request(frame))
            self._cut_late()

    def leave(self) -> None:
        """Close every shell, as far as the hosts let us."""
        for talk in list(self._busy.values()):
            talk.line.cut()
        for talk in list(self._talks.values()):
            self._ending(self._closed, talk)
        wait(list(self._closings), timeout=_LAST)

    def _obey(self, request: Request) -> None:
        match request:
            case Open():
                talk = self._new(request)
                ends = time.monotonic() + request.timeout
                self._begin(request.id, talk, lambda: self._open(request, talk, ends))
            case Run():
                self._run(request, self._talks.get(request.session))
            case Close():
                closing = self._talks.pop(request.session, None)
                self._ending(self._close, request, closing)
            case Cancel():
                self._cancel(request.id)
            case Reap():
                self._ending(self._reap, request)

    def _ending(self, work: Callable[..., None], *arguments: object) -> None:
        """Take away what is on a host; that is waited for when this process ends."""
        future = self._threads.submit(work, *arguments)
        self._closings.add(future)
        future.add_done_callback(self._closings.discard)

    def _new(self, request: Open) -> Talk:
        from recovery.transports.winrm.talk import Talk

        session = request.session
        talk = Talk(
            request.way,
            lambda shell: self._tell(ShellOpened(session=session, shell=shell)),
            self._under_way,
        )
        self._talks[session] = talk
        return talk

    def _begin(self, number: int, talk: Talk, work: Callable[[], None]) -> None:
        self._busy[number] = talk
        self._threads.submit(self._guarded, number, talk, work)

    def _guarded(self, number: int, talk: Talk, work: Callable[[], None]) -> None:
        """Do the work with the session to itself; what goes wrong is told."""
        try:
            with talk.lock:
                work()
        except TransportError as error:
            self._tell(Failed(id=number, error=type(error).__name__, message=str(error)))
        except Exception as error:  # noqa: BLE001 - one session's trouble is not another's
            message = f"internal error in a worker: {type(error).__name__}"
            self._tell(Failed(id=number, error=TransportError.__name__, message=message))
        finally:
            self._busy.pop(number, None)
            self._cancelled.discard(number)

    def _run(self, request: Run, talk: Talk | None) -> None:
        if talk is None:
            message = "the session has ended"
            self._tell(Failed(id=request.id, error=SessionLostError.__name__, message=message))
        else:
            self._begin(request.id, talk, lambda: talk.run(request, self._tell))

    def _open(self, request: Open, talk: Talk, ends: float) -> None:
        """Open a session by `ends`. What waited for a thread until nobody wanted it any more is not begun."""
        left = ends - time.monotonic()
        if left <= 0 or request.id in self._cancelled:
            self._talks.pop(request.session, None)
            message = f"{request.way.name} was not asked in time: too much is under way"
            raise DeadlineError(message)
        try:
            talk.open(left)
        except BaseException:
            self._talks.pop(request.session, None)
            raise
        if request.id in self._cancelled:
            self._talks.pop(request.session, None)
            talk.close()
            return
        self._tell(Done(id=request.id))

    def _close(self, request: Close, talk: Talk | None) -> None:
        if talk is not None:
            self._closed(talk)
        self._tell(Done(id=request.id))

    def _closed(self, talk: Talk) -> None:
        with talk.lock:
            talk.close()

    def _reap(self, request: Reap) -> None:
        from recovery.transports.winrm.talk import close_shell

        close_shell(request.way, request.shell, self._under_way)
        self._tell(Done(id=request.id))

    def _cancel(self, number: int) -> None:
        talk = self._busy.get(number)
        if talk is None:
            return
        self._cancelled.add(number)
        if talk.is_open:
            talk.line.cut()
        else:
            talk.line.hurry(time.monotonic() + _GRACE)

    def _cut_late(self) -> None:
        for line in list(self._under_way):
            if line.left < -_SLACK:
                line.cut()

    def _tell(self, reply: Reply) -> None:
        data = memoryview(packed(reply))
        with self._writing:
            while data:
                data = data[os.write(self._sink, data) :]


def main() -> None:
    """For `python -m recovery.transports.winrm.worker`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sink = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    worker = Worker(sys.stdin.fileno(), sink)
    try:
        worker.work()
    finally:
        worker.leave()
        # Threads that wait for a dead host's name or connection are not waited for.
        os._exit(0)


if __name__ == "__main__":
    main()
