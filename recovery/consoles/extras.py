"""Libraries that only some consoles need: loaded when the first operation needs them."""

from __future__ import annotations

import importlib
from types import ModuleType

from recovery.errors import UnsupportedError


def load(module: str, kind: str, extra: str) -> ModuleType:
    """The library of a kind of console. Raises `UnsupportedError`, naming the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedError(
            f"consoles of the kind `{kind}` need {module.partition('.')[0]}, which is not installed: "
            f"pip install 'fleet-recovery[{extra}]' ({error})"
        ) from None
