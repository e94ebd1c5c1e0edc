"""Commands about recovery keys: show one to a person, check one, note what became of it, pack an export."""

from __future__ import annotations

import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from recovery.cli.desk import desk_app, desk_of
from recovery.cli.output import data, documents, inert, say, show_for, table
from recovery.cli.shared import JournalOption, Output, form, user
from recovery.credentials.sources import ask_on_terminal
from recovery.errors import UsageError
from recovery.model.secret import Secret
from recovery.redact import mask_recovery_keys

if TYPE_CHECKING:
    from recovery.service.desk_keys import Shown

keys_app = typer.Typer(
    help="BitLocker recovery keys, by the id that the machine shows.", no_args_is_help=True
)
desk_app.add_typer(keys_app, name="keys")

KeyId = Annotated[
    str, typer.Option("--key-id", help="As the machine shows it, or its first eight characters.")
]
Person = Annotated[str, typer.Option("--tech", help="Who sees it: a person's name.")]


@keys_app.command("show")
def show_key(
    context: typer.Context, host: str, key_id: KeyId, tech: Person, journal: JournalOption = ""
) -> None:
    """Show the key on this terminal, in both spellings, for a limited time. The showing is in the journal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "a recovery key is shown on a terminal only: a pipe or a file would keep it"
        )
    desk = desk_of(context, journal)
    shown = desk.keys().show(host, _not_a_key(key_id), tech, user())
    for problem in shown.problems:
        say(inert(problem))
    seconds = (shown.until - desk.clock.now()).total_seconds()
    show_for(_card(shown), seconds, _wait)
    say(
        f"did it unlock {inert(host)}? recovery desk keys unlocked|failed {inert(host)} "
        f"--key-id {shown.record.key_id} --tech {inert(tech)}"
    )


@keys_app.command("check")
def check_key() -> None:
    """Check a key that is typed in, unseen: which group was read wrong. It goes nowhere."""
    from recovery.desk.recovery_key import GROUPS, check

    entry = check(ask_on_terminal("The 48 digits, with or without dashes: "))
    if not entry.complete:
        wrong = ", ".join(map(str, entry.wrong))
        raise UsageError(
            f"wrong groups: {wrong}"
            if wrong
            else entry.problem or f"{entry.groups} of {GROUPS} groups"
        )
    data("every group is right")


@keys_app.command("unlocked")
def unlocked(
    context: typer.Context, host: str, key_id: KeyId, tech: Person, journal: JournalOption = ""
) -> None:
    """Note that the key unlocked the machine."""
    desk_of(context, journal).keys().tried(host, _not_a_key(key_id), tech, user(), unlocked=True)


@keys_app.command("failed")
def failed(
    context: typer.Context, host: str, key_id: KeyId, tech: Person, journal: JournalOption = ""
) -> None:
    """Note that the key did not unlock the machine."""
    desk_of(context, journal).keys().tried(host, _not_a_key(key_id), tech, user(), unlocked=False)


@keys_app.command("list")
def list_keys(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="Only of this host.")] = "",
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Only those that have to be replaced.")
    ] = False,
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """Which keys were asked for and shown, and to whom; never a key."""
    shape = form(output, "text", "json", "jsonl", "csv")
    keys = desk_of(context, journal).keys()
    uses = [use for use in keys.uses(host) if use.to_rotate or not rotate]
    if shape != "text":
        documents([{"schema": 1, **msgspec.to_builtins(use)} for use in uses], shape)
        return
    table(
        ("key id", "host", "state", "shown", "last to", "at", "source", "rotated"),
        [
            (
                use.key_id,
                use.host,
                use.state.replace("_", " "),
                use.shown,
                use.person,
                f"{use.last:%m-%d %H:%M}" if use.last else "",
                use.source,
                f"{use.rotated:%m-%d %H:%M}" if use.rotated else "",
            )
            for use in uses
        ],
    )


@keys_app.command("rotated")
def rotated(
    context: typer.Context,
    key_ids: Annotated[list[str], typer.Argument(help="Ids of the keys that were replaced.")],
    tech: Person,
    journal: JournalOption = "",
) -> None:
    """Note that keys were replaced: they open nothing any more."""
    keys = desk_of(context, journal).keys()
    for key_id in key_ids:
        keys.rotated(_not_a_key(key_id), tech, user())


@keys_app.command("pack")
def pack(
    context: typer.Context,
    target: Path,
    sources: Annotated[
        list[str], typer.Option("--from", help="Only this source of the settings. Repeatable.")
    ] = [],
    journal: JournalOption = "",
) -> None:
    """Seal the keys of the sources into an encrypted file, for the day on which directories are down as well."""
    first = ask_on_terminal("Passphrase for the export: ")
    if ask_on_terminal("Again: ") != first:
        raise UsageError("the two are not the same; nothing was written")
    count = desk_of(context, journal).keys().pack(target, Secret(first), sources)
    say(f"{count} keys are sealed in {target}; keep the passphrase elsewhere")


def _card(shown: Shown) -> str:
    both = shown.spellings()
    note = f"stored for: {inert(shown.record.note)}\n" if shown.record.note else ""
    return (
        f"Recovery key of {inert(shown.host)}, for {inert(shown.person)}, until {shown.until:%H:%M:%S} UTC\n"
        f"key id {shown.record.key_id}, from {inert(shown.record.source)}\n{note}\n"
        f"  on the screen before Windows (F1 to F10 are digits, F10 is 0):\n\n    {both.digits}\n\n"
        f"  for manage-bde and recovery media:\n\n    {both.dashed}\n\nEnter takes it away."
    )


def _wait(seconds: float) -> None:
    """Until Enter, at most so long."""
    if select.select([sys.stdin], [], [], max(0.0, seconds))[0]:
        sys.stdin.readline()


def _not_a_key(key_id: str) -> str:
    """Whoever gave a key instead of its id is told so; shells keep what was typed."""
    from recovery.desk.recovery_key import check

    if mask_recovery_keys(key_id) != key_id or check(key_id).complete:
        raise UsageError(
            "that is a recovery key, not its id: it stands in your shell's history now; take it out, and rotate it"
        )
    return key_id
