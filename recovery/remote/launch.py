"""How a command is started on Windows: one short line, and what follows on its standard input.

PowerShell scripts never stand on a command line, which cmd cuts or refuses above 8,191 characters. A short bootstrap
that never changes reads standard input: one line of settings as JSON, the script, and a last line that proves that
nothing was cut off. All of it is ASCII, so no code page can change it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Literal

import msgspec

from recovery.errors import RefusedError
from recovery.ports import Command

Outer = Literal["none", "cmd", "powershell"]
"""What reads the line: nothing but the system (CreateProcess, WinRM), or the default shell of an OpenSSH server."""

PROBE = "echo fleet-recovery=%COMSPEC%=$PSHOME"
"""A line that tells what reads it: cmd fills in the first name and PowerShell the second; a POSIX shell leaves the
first and drops the second."""

LONGEST_LINE = 8191
"""Characters that cmd takes (Microsoft: command line string limitation)."""

END_LINE = "# end of the script"

BOOTSTRAP = (
    f"$fr=@($input);if($fr.Count -lt 3 -or $fr[-1] -ne '{END_LINE}'){{exit 87}};"
    "&([ScriptBlock]::Create([string]::Join([string][char]10,$fr[1..($fr.Count-2)]))) $fr[0]"
)
"""PowerShell without double quotes, which shells on the way would change. It takes its input from `$input`, because
PowerShell itself reads redirected standard input for that variable: another reader would get only a part of it. Cut
short, it ends with 87 (ERROR_INVALID_PARAMETER) and carries nothing out."""

_POWERSHELL = (
    "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand "
)
_CMD = "cmd.exe /d /u /e:on /v:off /s /c "
"""No AutoRun, output in UTF-16, extensions, and no delayed expansion: names with ! and ^ stay what they are."""


class Launch(msgspec.Struct, frozen=True):
    """What to start on the endpoint, and what to give it."""

    line: str
    stdin: bytes = b""


def start(wanted: Command, script: str, *, outer: Outer) -> Launch:
    """`script`, the text that `wanted` stands for, as a line for `outer` to read.

    Raises `RefusedError` when the line would be too long to arrive whole.
    """
    if wanted.shell == "cmd":
        launch = _of_cmd(script, outer)
        # PowerShell takes longer lines, and starts a cmd, which does not.
        length = len(_CMD) + len(script) + 2 if outer == "powershell" else len(launch.line)
    else:
        launch = _of_powershell(wanted, script, outer)
        length = len(launch.line)
    if length > LONGEST_LINE:
        needed = f"{wanted.action} needs a command line of {length} characters"
        message = f"{needed}, and Windows takes {LONGEST_LINE}"
        raise RefusedError(message)
    return launch


def shell_of(said: bytes) -> Literal["cmd", "powershell"] | None:
    """Which shell the answer to the probe is from; None for any other."""
    text = said.replace(b"\0", b"").decode("utf-8", "replace")
    _, mark, rest = text.partition("fleet-recovery=")
    comspec, _, home = rest.strip().partition("=")
    if not mark:
        return None
    if comspec.lower().endswith("cmd.exe"):
        return "cmd"
    return "powershell" if comspec == "%COMSPEC%" and home else None


def _of_powershell(wanted: Command, script: str, outer: Outer) -> Launch:
    settings = json.dumps({"TOKEN": wanted.token, **wanted.settings})
    text = "\n".join((settings, script.rstrip("\n"), END_LINE, ""))
    if not text.isascii():
        message = f"the script of {wanted.action} is not plain ASCII"
        raise RefusedError(message)
    # A shell that is PowerShell itself runs the bootstrap as it is: a second one would take seconds to start, and
    # the two would read the same standard input.
    line = BOOTSTRAP if outer == "powershell" else _POWERSHELL + _base64(BOOTSTRAP, "utf-16-le")
    return Launch(line, text.encode("ascii"))


def _of_cmd(script: str, outer: Outer) -> Launch:
    if outer == "none":
        return Launch(f'{_CMD}"{script}"')
    if outer == "cmd":
        return Launch(_CMD + _escaped(f'"{script}"'))
    # PowerShell would change the quotes and the percent signs, so it gets them from base64. It wraps an argument that
    # has blanks in quotes and leaves quotes within it alone (for cmd.exe in version 7 as well), as cmd /s wants it.
    decoded = f"[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{_base64(script)}'))"
    return Launch(f"&$env:ComSpec {_CMD.partition(' ')[2]}({decoded})")


def _escaped(text: str) -> str:
    """Text that cmd hands on as it is: every character that it gives a meaning to has a caret, quotes as well."""
    return "".join(f"^{char}" if char in '^&|<>()"' else char for char in text)


def _base64(text: str, encoding: str = "utf-8") -> str:
    return b64encode(text.encode(encoding)).decode("ascii")
