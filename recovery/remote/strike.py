"""The strike for Windows: one line of cmd, made of `windows/strike.cmd` and the profile.

Everything that is filled in stands between quotes and has none of the characters that cmd gives a meaning to.
Whatever has one is refused: the checks of `quarantine` are then the way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from recovery.errors import RefusedError

_ROOTS: Mapping[str, str] = {
    "%WINDIR%": "\\Windows",
    "%SYSTEMROOT%": "\\Windows",
    "%SYSTEMDRIVE%": "",
    "%PROGRAMDATA%": "\\ProgramData",
    "%ALLUSERSPROFILE%": "\\ProgramData",
    "%PROGRAMFILES%": "\\Program Files",
    "%PROGRAMFILES(X86)%": "\\Program Files (x86)",
}
"""Where they lie on a volume with Windows; what the variables say is of the system that runs, WinPE perhaps."""

_FOLDER = re.compile(r"[A-Za-z0-9 ._()+,;=@#$~{}\[\]'-]+")
_FILE = re.compile(r"[A-Za-z0-9._+@#$~{}\[\]-]+")
_GLOB = re.compile(r"[A-Za-z0-9._+@#$~{}\[\]*?-]+")
_MOST_LISTED = 20

_UNHIDE = (
    '(if exist {0} (dir /b /a:h-d {0} >nul 2>nul&&(md "%g@VAULT@\\@TOKEN@" >nul 2>nul'
    '&attrib {0} >>"%g@VAULT@\\@TOKEN@\\attributes"&attrib -h -s {0} >nul 2>nul)))'
)


def line(settings: Mapping[str, str], token: str) -> str:
    """What cmd has to carry out. Raises `RefusedError` for a profile or names that no line of cmd can carry."""
    directory, vault = _on_volume(settings["DIRECTORY"]), _on_volume(settings["QUARANTINE"])
    names = _names(settings)
    unhide = "&".join(_UNHIDE.format(f'"%g{directory}\\{name}"') for name in names)
    filled = _template().replace("@UNHIDE@", unhide)
    is_pattern = settings["STRIKE"] == "matching"
    for name, value in {
        "DRIVES": " ".join(f"{letter}:" for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ"),
        "SET": " ".join(names),
        "ANY": names[0] if is_pattern else "*",
        # A name that no file has: what was not listed may stay.
        "ALL": names[0] if is_pattern else f"{token}.none",
        "DIRECTORY_TEXT": directory.replace("\\", "\\\\"),
        "DIRECTORY": directory,
        "VAULT_TEXT": vault.replace("\\", "\\\\"),
        "VAULT": vault,
        "HASH": manifest_name(settings["ARTIFACT"]),
        "ARTIFACT": settings["ARTIFACT"],
        "TOKEN": token,
    }.items():
        filled = filled.replace(f"@{name}@", value)
    return filled


def manifest_name(artifact: str) -> str:
    """What tells the manifests of one artifact (its ARTIFACT setting) from those of others, by their file's name."""
    return hashlib.sha256(artifact.encode()).hexdigest()[:16]


def _on_volume(folder: str) -> str:
    r"""The folder without its drive: `\Windows\System32`."""
    head, *rest = folder.split("\\")
    drive = "" if re.fullmatch("[A-Za-z]:", head) else _ROOTS.get(head.upper())
    if drive is None or not rest or not all(map(_FOLDER.fullmatch, rest)):
        message = f"{folder!r} cannot be named on a command line for every Windows volume"
        raise RefusedError(message)
    return "\\".join((drive, *rest))


def _names(settings: Mapping[str, str]) -> list[str]:
    """The pattern, where the profile says that all it matches may go; else the bad files that triage listed."""
    if settings.get("STRIKE") == "matching":
        pattern = settings["PATTERN"]
        if not _GLOB.fullmatch(pattern):
            message = f"the artifact's pattern {pattern!r} cannot stand on a command line"
            raise RefusedError(message)
        return [pattern]
    names = sorted(set(_listed(settings.get("EXPECT", ""))))
    if not names:
        message = "the profile does not let a strike take all that matches, and no triage has listed a bad file"
        raise RefusedError(message)
    if len(names) > _MOST_LISTED or not all(map(_FILE.fullmatch, names)):
        message = "the files that triage listed cannot stand on a command line: too many, or with odd names"
        raise RefusedError(message)
    return names


def _listed(expected: str) -> Iterator[str]:
    for word in expected.split():
        path = bytes.fromhex(word.partition(":")[0]).decode("utf-8", "surrogateescape")
        yield path.rpartition("\\")[2]


@cache
def _template() -> str:
    """The script without comments, as one line."""
    text = (resources.files("recovery.remote") / "windows" / "strike.cmd").read_text("ascii")
    return joined(line.strip() for line in text.splitlines())


def joined(lines: Iterator[str]) -> str:
    """Lines of cmd as one that means the same: each `for` and `if` in parentheses with its block."""
    parts: list[str] = []
    for text in lines:
        if not text or text.startswith("rem"):
            continue
        opens = "(" if text.startswith(("for ", "if ")) else ""
        closes = ")" if text == ")" or (opens and not text.endswith("(")) else ""
        glue = "" if not parts or parts[-1].endswith("(") or text.startswith(")") else "&"
        parts.append(f"{glue}{opens}{text}{closes}")
    return "".join(parts)
