"""How a command is started on Windows, for actions whose script is still to come as well."""

from __future__ import annotations

from recovery.errors import UnsupportedError
from recovery.ports import Command
from recovery.remote import catalog
from recovery.remote import launch as launching
from recovery.remote.launch import Launch, Outer


def launch(wanted: Command, *, outer: Outer) -> Launch:
    """How `wanted` is started through `outer`."""
    try:
        return catalog.launch(wanted, outer=outer)
    except UnsupportedError:
        return launching.start(wanted, f"# {wanted.action}", outer=outer)
