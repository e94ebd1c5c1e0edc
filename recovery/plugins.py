"""Plug-ins of other distributions, by entry point: their names without importing them, one of them, or all."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import metadata
from typing import Any, Literal

import msgspec

from recovery.errors import UnknownNameError, UsageError

Group = Literal["recovery.transports", "recovery.steps", "recovery.consoles"]


class Loaded(msgspec.Struct, frozen=True):
    """What is installed, as far as it works."""

    plugins: dict[str, Any]
    """By name; what an entry point names."""
    warnings: tuple[str, ...]
    """One for each plug-in that could not be loaded."""


def names(group: Group) -> tuple[str, ...]:
    """The names of the installed plug-ins, sorted. Imports none of them."""
    return tuple(_points(group))


def load(group: Group, name: str) -> Any:
    """One plug-in. Raises `UnknownNameError`, and `UsageError` when it cannot be loaded."""
    points = _points(group)
    if name not in points:
        raise UnknownNameError(f"plug-in of {group}", name, points)
    try:
        return points[name].load()
    except Exception as error:
        raise UsageError(_broken(points[name], error)) from error


def load_all(group: Group) -> Loaded:
    """Every plug-in that works, and a warning for each that does not."""
    plugins: dict[str, Any] = {}
    warnings: list[str] = []
    for name, point in _points(group).items():
        try:
            plugins[name] = point.load()
        except Exception as error:  # noqa: BLE001 - a broken plug-in must not take the program down
            warnings.append(_broken(point, error))
    return Loaded(plugins, tuple(warnings))


def _points(group: Group) -> dict[str, metadata.EntryPoint]:
    """By name, sorted. Where distributions share a name, the first of them in the alphabet counts, always the same."""
    points: dict[str, metadata.EntryPoint] = {}
    for point in sorted(
        _installed(tuple(sys.path)).select(group=group),
        key=lambda point: (point.name, _origin(point)),
    ):
        points.setdefault(point.name, point)
    return points


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> Any:
    """Those of all distributions on `path`, whose files are read once; what has them by group is new in Python 3.12."""
    del path
    return metadata.entry_points()


def _origin(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else ""


def _broken(point: metadata.EntryPoint, error: Exception) -> str:
    cause = f"{type(error).__name__}: {error}"
    return (
        f"the plug-in {point.name!r} of {_origin(point)} ({point.value}) cannot be loaded: {cause}"
    )
