"""Hosts that are mended by their root volume, at a helper instance."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from recovery.cli.main import app
from recovery.cli.narrate import confirm
from recovery.cli.output import Form, data, documents, inert, say
from recovery.cli.shared import Inventory, JournalOption, Output, form, service, sources, user
from recovery.errors import RefusedError, UsageError
from recovery.programs import words_of
from recovery.service import Service
from recovery.service.rescue import Rescued, RescuePlan, rescue

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_DEVICE = re.compile(r"/dev/[a-z0-9/]{1,30}")


@app.command("rescue")
def rescue_host(
    context: typer.Context,
    host: str,
    helper: Annotated[
        str, typer.Option(help="Instance that mends it: a host of the inventory, or i-...")
    ] = "",
    device: Annotated[str, typer.Option(help="The volume's name at the helper.")] = "/dev/sdf",
    fix: Annotated[
        str,
        typer.Option(
            help="Program that mends it there: 'ssh helper recovery fix-disk {device}'; without it people do."
        ),
    ] = "",
    back: Annotated[bool, typer.Option("--back", help="Give the volume back, and start.")] = False,
    inventory: Inventory = [],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    output: Output = "text",
    journal: JournalOption = "",
) -> int:
    """Stop a host, lend its root volume to a helper, have it mended, give it back and start the host (ec2)."""
    shape = form(output, "text", "json")
    acting = service(context, journal)
    known = sources(acting, inventory)
    plan = RescuePlan(
        helper=_instance(acting, known, helper) if helper else "",
        device=_checked(device),
        fix=_words(fix),
        back=back,
        by=user(),
    )
    words = f"{inert(host)}: " + (
        "give its root volume back, and start it"
        if back
        else "stop it by force, and lend its root volume"
    )
    if not confirm(words, 1, yes=yes):
        raise RefusedError("nothing was done: it was not confirmed; --yes does not ask")
    return _tell(host, rescue(acting.settings, acting.host(known, host), plan), shape)


def _tell(host: str, found: Rescued, shape: Form) -> int:
    if shape == "json":
        row = {"schema": 1, "name": host, "done": found.done, "waits": found.waits}
        documents({**row, "volume": found.volume, "message": found.message}, "json")
    else:
        data(f"{inert(host)}: {'' if found.done else 'not done: '}{inert(found.message)}")
    if found.waits:
        say(f"mend it there (`recovery fix-disk`), then: recovery rescue {inert(host)} --back")
        return 7
    return 0 if found.done else 4


def _instance(acting: Service, known: tuple[str, ...], name: str) -> str:
    if _INSTANCE.fullmatch(name):
        return name
    console = acting.host(known, name).console
    instance = console.options.get("instance", "") if console else ""
    if not _INSTANCE.fullmatch(instance):
        raise UsageError(f"--helper {name}: its console names no instance (options: instance)")
    return instance


def _checked(device: str) -> str:
    if not _DEVICE.fullmatch(device):
        raise UsageError("--device is a device's name such as /dev/sdf")
    return device


def _words(fix: str) -> tuple[str, ...]:
    try:
        return words_of(fix) if fix else ()
    except ValueError as error:
        raise UsageError(f"--fix: {error}") from None
