"""Every option also by a variable of the environment: RECOVERY_RUN_LIMIT for `run`, RECOVERY_LIMIT for all commands."""

from __future__ import annotations

from copy import copy
from typing import Any

PREFIX = "RECOVERY"

_OF_SETTINGS = ("journal", "config", "inventory", "incident", "blocker")
"""Options whose short variable the settings read, with their place in what goes before what."""


def add_variables(command: Any, prefix: str = PREFIX) -> None:
    """Let the options of a command, and of all below it, take their values from the environment as well.

    A list has a value on each line: queries have blanks in them.
    """
    for name, child in getattr(command, "commands", {}).items():
        add_variables(child, f"{prefix}_{_upper(name)}")
    for option in command.params:
        if getattr(option, "param_type_name", "") != "option" or option.is_eager:
            continue
        if option.name in _OF_SETTINGS and prefix == PREFIX:
            continue
        short = () if option.name in _OF_SETTINGS else (f"{PREFIX}_{_upper(option.name)}",)
        option.envvar = list(dict.fromkeys((f"{prefix}_{_upper(option.name)}", *short)))
        option.show_envvar = False
        if option.multiple:
            option.type = copy(option.type)  # one object stands for the type in all options
            option.type.envvar_list_splitter = "\n"


def _upper(name: str) -> str:
    return name.strip("_").upper().replace("-", "_")
