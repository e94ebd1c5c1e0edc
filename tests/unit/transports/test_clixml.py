"""What PowerShell writes to a standard error that is no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.transports.winrm.clixml import text_of

_HEAD = b"#< CLIXML\r\n"
_OBJS = b'<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">%s</Objs>'
_PROGRESS = (
    b'<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T></TN>'
    b'<MS><I64 N="SourceId">1</I64><PR N="Record"><AV>Preparing modules for first use.</AV></PR></MS></Obj>'
)


@pytest.mark.parametrize(
    ("stderr", "text"),
    [
        (b"", b""),
        (b"plain words\r\n", b"plain words\r\n"),
        (_HEAD + _OBJS % b'<S S="Error">no such file_x000D__x000A_</S>', b"no such file\n"),
        (
            _HEAD
            + _OBJS % b'<S S="Error">one_x000D__x000A_</S><S S="warning">two_x000D__x000A_</S>',
            b"one\n",
        ),
        (_HEAD + _OBJS % _PROGRESS, b""),
        (_HEAD + _OBJS % (_PROGRESS + b'<S S="Error">oops</S>'), b"oops"),
        (_HEAD + _OBJS % b'<S S="Error">a_x0020_&amp;_x005F_x0041_</S>', b"a &_x0041_"),
        (_HEAD + _OBJS % b'<S S="Error">_xD83D__xDE00_</S>', "\U0001f600".encode()),
        (_HEAD + _OBJS % b'<S S="Error">_xD83D_ alone</S>', b"\\ud83d alone"),
        (
            _HEAD
            + _OBJS % b'<S S="Error">first</S>'
            + b"\r\n"
            + _HEAD
            + _OBJS % b'<S S="Error">second</S>',
            b"firstsecond",
        ),
        (_HEAD + b"<Objs " * 30_000, b"<Objs " * 30_000),
        (b"before\r\n" + _HEAD + _OBJS % b'<S S="Error">said</S>', b"saidbefore\r\n"),
    ],
)
def test_texts_are_read(stderr: bytes, text: bytes) -> None:
    assert text_of(stderr) == text


@pytest.mark.parametrize(
    "stderr",
    [
        _HEAD + b'<!DOCTYPE x [<!ENTITY e "boom">]><Objs><S S="Error">&e;</S></Objs>',
        _HEAD + b'<Objs><!DOCTYPE x><S S="Error">x</S></Objs>',
        _HEAD + b'<Objs><S S="Error">not closed</Objs>',
        _HEAD + b"<Objs>\xff\xfe</Objs>",
        _HEAD + b"<Objs>" + b"x" * 300_000 + b"</Objs>",
    ],
)
def test_what_is_broken_or_dangerous_is_not_interpreted(stderr: bytes) -> None:
    assert b"boom" not in text_of(stderr).replace(b'"boom"', b"")
    assert len(text_of(stderr)) <= len(stderr)


def test_what_has_no_document_keeps_its_words() -> None:
    assert text_of(_HEAD + b"cut off <Objs") == b"cut off <Objs"


@given(st.binary(max_size=400))
def test_nothing_breaks_it(noise: bytes) -> None:
    for stderr in (noise, _HEAD + noise, _HEAD + _OBJS % noise):
        assert isinstance(text_of(stderr), bytes)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60))
def test_every_text_comes_back(text: str) -> None:
    units = text.encode("utf-16-be")
    escaped = "".join(f"_x{units[at : at + 2].hex()}_" for at in range(0, len(units), 2))
    document = _OBJS % f'<S S="Error">{escaped}</S>'.encode()
    assert text_of(_HEAD + document) == text.encode()
