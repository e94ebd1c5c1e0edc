"""The program's entry: what every command shares, and what becomes of errors."""

from __future__ import annotations

import gc
import logging
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from recovery import __version__
from recovery.errors import EmptySelectionError, OutputError, RecoveryError, TransportError

_CLOSED_PIPE = 141
"""As of a Unix tool that is ended by SIGPIPE."""

_GARBAGE = (20_000, 20, 20)
"""Objects more than before that set the garbage collector off, and its rounds between two of the next older ones."""

app = typer.Typer(
    name="recovery",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "RECOVERY"},
    help="Find, fix and prove machines that a bad update took down.\n\n"
    "Exit codes: 0 all recovered or nothing to do, 1 internal error, 2 wrong use or refused, 3 empty selection, "
    "4 some failed, 5 some unreachable or unknown, 6 halted by the guard, 7 waiting for people, 130 interrupted.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"recovery {__version__} (Python {sys.version.split()[0]})")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    journal: Annotated[
        str,
        typer.Option(
            help="The journal's file (RECOVERY_JOURNAL).",
            show_default="in the user's state directory",
            allow_from_autoenv=False,
        ),
    ] = "",
    config: Annotated[
        str,
        typer.Option(
            help="The settings' file.", show_default="in the user's configuration directory"
        ),
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version
    context.obj = {"journal": journal, "config": config}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are told in a sentence, never by a traceback."""
    _load_commands()
    from recovery.cli.output import flush, say, set_up

    set_up()
    _set_up_log()
    try:
        result: Any = _command()(
            args=list(arguments) if arguments is not None else None,
            standalone_mode=False,
            prog_name="recovery",
        )
        flush()
    except (typer.Abort, KeyboardInterrupt):
        say("interrupted; nothing is under way")
        return 130
    except TyperException as error:
        say(f"error: {getattr(error, 'format_message', error.__str__)()}")
        return 2
    except RecoveryError as error:
        if not (isinstance(error, OutputError) and error.pipe):
            say(f"error: {error}")
        return _code_of(error)
    except SystemExit as error:  # shell completion
        return error.code if isinstance(error.code, int) else 1
    except Exception:  # noqa: BLE001 - the last door: an internal error has its own exit code
        say("internal error, please report it:\n" + traceback.format_exc())
        return 1
    return int(result or 0)


def _load_commands() -> None:
    """Import what adds the commands."""
    from recovery.cli import (  # noqa: F401 - they add their commands
        dashboard,
        desk,
        desk_keys,
        desk_people,
        desk_sheets,
        examining,
        exposure,
        forecast,
        inspecting,
        library,
        powering,
        reporting,
        rescuing,
        running,
        runs,
        serve,
        simulation,
    )


def _command() -> Any:
    from recovery.cli.environment import add_variables

    command = typer.main.get_command(app)
    add_variables(command)
    return command


def _set_up_log() -> None:
    from recovery.redact import ScrubFilter

    logging.lastResort = None
    handler = logging.StreamHandler()
    handler.addFilter(ScrubFilter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _code_of(error: RecoveryError) -> int:
    if isinstance(error, EmptySelectionError):
        return 3
    if isinstance(error, OutputError):
        return _CLOSED_PIPE if error.pipe else 1
    return 5 if isinstance(error, TransportError) else 2


def entry() -> None:
    """For `python -m recovery` and the installed command."""
    # Nearly all that a command makes stays as long as it does, so to look for garbage often is only work.
    gc.set_threshold(*_GARBAGE)
    sys.exit(main())
