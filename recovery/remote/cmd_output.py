"""Lines of an answer. cmd prints UTF-16 and cannot write hex, so its records are put into the form of all others.

Where a record of any other script has a name as hex (`path_hex`), one of cmd has it as text (`path_text`): no name on
a Windows disk has a quote in it, and backslashes come doubled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

_START = b'{"record":'
_WIDE_START = _START.decode("ascii").encode("utf-16-le")
_WIDE_END = "\n".encode("utf-16-le")
_TEXT, _HEX = "_text", "_hex"


def lines_of(stdout: bytes) -> Iterator[bytes]:
    """The lines of standard output, as UTF-8. A record that is not of the agreed form stays as it came."""
    if _WIDE_START not in stdout:
        yield from stdout.split(b"\n")
        return
    for line in stdout.split(_WIDE_END):
        # What other programs said before it, of any number of bytes, does not hide a record.
        place = line.find(_WIDE_START)
        yield _plain(line[place:]) if place >= 0 else line


def _plain(line: bytes) -> bytes:
    text = line.decode("utf-16-le", "surrogatepass").rstrip("\r") if len(line) % 2 == 0 else ""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return _START
    return json.dumps({_name(key): _value(key, value) for key, value in record.items()}).encode()


def _name(key: str) -> str:
    return key.removesuffix(_TEXT) + _HEX if key.endswith(_TEXT) else key


def _value(key: str, value: object) -> object:
    if key.endswith(_TEXT) and isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").hex()
    return value
