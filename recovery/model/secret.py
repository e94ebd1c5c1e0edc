"""Secrets have a type of their own, which shows itself to nobody by accident."""

from __future__ import annotations

from typing import NoReturn

_MASK = "***"


class Secret:
    """A password, passphrase or key text: masked wherever it is printed, refused wherever it would be stored."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Keep `text`."""
        self.__text = text

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self.__text

    def __repr__(self) -> str:
        return _MASK

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __reduce__(self) -> NoReturn:
        message = "a secret is not pickled"
        raise TypeError(message)
