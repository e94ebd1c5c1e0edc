"""Every exception of the program, in one tree.

RecoveryError
├── UsageError                     what the operator gave is wrong (exit code 2)
│   ├── InputError                 a file: says file, line, what was expected, what to do
│   ├── QueryError                 a query: says the column
│   └── UnknownNameError           a name nobody defined: says the nearest one
├── EmptySelectionError            nothing was selected (exit code 3)
├── RefusedError                   a rule of safety forbids it: the verifier, a missing --yes (exit code 2)
├── UnsupportedError               this version has no way to do it on that platform
├── OutputError                    standard output takes nothing more (exit code 141 for a closed pipe, else 1)
├── KeySourceError                 a source of recovery keys cannot be asked; the next one is
├── JournalError                   the journal cannot be read or written
│   └── JournalAlteredError        the hash chain does not hold
└── TransportError                 the way to one host; `retryable` says whether trying again can help
    ├── UnreachableError           no answer                                        retryable
    ├── SessionLostError           the answer stopped in the middle                 retryable
    ├── DeadlineError              the time for it ran out                          retryable
    ├── ReplyError                 an answer without its end, or not of our form    retryable
    ├── AuthRefusedError           the host refused the credential
    ├── CredentialStoppedError     refused too often in this run, not used again
    └── HostKeyError               the host's key is unknown or has changed
"""

from __future__ import annotations

import difflib
import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_NAMES_SHOWN = 12


class RecoveryError(Exception):
    """Recovery failed."""

    retryable = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or inspect.cleandoc(self.__doc__ or ""))


class UsageError(RecoveryError):
    """What was asked for cannot be done."""


class InputError(UsageError):
    """A file is not of the form that it should have."""

    def __init__(self, message: str, *, file: str = "", line: int = 0) -> None:
        """Say `message`, led by `file:line` as far as they are known."""
        self.file = file
        self.line = line
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(place + message)


class QueryError(UsageError):
    """A query is not understood."""

    def __init__(self, message: str, *, text: str = "", column: int = 0, at: int = 0) -> None:
        """Say `message`, and show `text` with a mark under its `column` (from 0).

        `at` is the column in the whole query, of which `text` may be a part.
        """
        self.message = message
        self.text = text
        self.column = column
        self.at = at
        picture = f"\n  {text}\n  {' ' * column}^" if text else ""
        super().__init__(message + picture)


class UnknownNameError(UsageError):
    """A name that nobody defined."""

    def __init__(self, what: str, name: str, known: Iterable[str] = ()) -> None:
        """Say which `what` has no such `name`, and the nearest of the `known` ones."""
        self.name = name
        super().__init__(f"no {what} is named {name!r}{suggestion(name, known)}")


class EmptySelectionError(RecoveryError):
    """The selection is empty: no host was left to work on."""


class RefusedError(RecoveryError):
    """A rule of safety forbids it."""


class UnsupportedError(RecoveryError):
    """This version cannot do it on that platform."""


class OutputError(RecoveryError):
    """Standard output takes nothing more."""

    def __init__(self, message: str, *, pipe: bool = False) -> None:
        """Say `message`; `pipe` when its reader has gone."""
        self.pipe = pipe
        super().__init__(message)


class KeySourceError(RecoveryError):
    """The source of recovery keys cannot be asked."""


class JournalError(RecoveryError):
    """The journal cannot be used."""


class JournalAlteredError(JournalError):
    """The journal was altered: its hash chain does not hold."""


class TransportError(RecoveryError):
    """The way to the host failed."""


class UnreachableError(TransportError):
    """The host did not answer."""

    retryable = True


class SessionLostError(TransportError):
    """The connection ended before the answer did."""

    retryable = True


class DeadlineError(TransportError):
    """The time for it ran out."""

    retryable = True


class ReplyError(TransportError):
    """The answer is not complete or not of the agreed form."""

    retryable = True


class AuthRefusedError(TransportError):
    """The host refused the credential."""


class CredentialStoppedError(TransportError):
    """The credential was refused too often in this run and is not used again."""


class HostKeyError(TransportError):
    """The host's key is not the one that is known."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """The tail of a message: the known name nearest to `name`, or the list of the few known ones."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    if 0 < len(names) <= _NAMES_SHOWN:
        return f"; known: {', '.join(names)}"
    return ""
