"""Reading replies: only whole ones of the agreed form count, and nothing in them reaches a terminal raw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.errors import ReplyError
from recovery.model.evidence import (
    ArtifactFile,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    RebootMark,
    ServiceState,
)
from recovery.ports import Completed
from recovery.remote import records, replies
from tests.unit.remote.shells import BEGAN

END = b'{"record":"end","token":"t1","exit":0}\n'
RUDE = "\x1b[31m\u202egnp.exe\x00\x9b\n"


def _hex(text: str) -> str:
    return text.encode().hex()


def _line(record: records.Record) -> bytes:
    return msgspec.json.encode(record) + b"\n"


def _read(*lines: bytes, **more: object) -> replies.Reply:
    return replies.read(Completed(stdout=b"".join(lines), **more), "t1")  # type: ignore[arg-type]


def test_noise_around_records_is_passed_over() -> None:
    boot = _line(records.Boot(boot_id="b"))
    reply = _read(b"Last login: today\n\n", boot, b"noise {\n", END, b"afterwards\n")
    assert reply.records == (records.Boot(boot_id="b"),)


@pytest.mark.parametrize(
    ("stdout", "more", "says"),
    [
        (b"", {}, "without an exit status"),
        (
            b"",
            {"exit_status": 127, "stderr": b"sh: not found\n"},
            "with exit status 127 .*: sh: not found",
        ),
        (b'{"record":"boot"}\n', {"exit_status": 0}, "with exit status 0"),
        (b"x" * 10, {"truncated": True}, "longer than is read"),
        (END.replace(b"t1", b"t2"), {}, "another question"),
        (b'{"record":"boot","clock":"x"}\n' + END, {}, "record 1"),
        (b'{"record":"nonsense"}\n' + END, {}, "record 1"),
        (b'{"record":"boot"\n' + END, {}, "record 1"),
        (b'{"record":"boot","boot_id":"\xff"}\n' + END, {}, "record 1"),
        (b'{"record":"reboot_mark","intent":"i"}\n' * 5001 + END, {}, "more than 5000"),
        (END[:-2], {}, "record 1"),
        (b'{"record":"boot","x":' + b"[" * 99_999 + b"]" * 99_999 + b"}\n" + END, {}, "record 1"),
        (b'{"record":"boot","x":' + b'{"a":' * 9_999 + b"1" + b"}" * 10_000 + END, {}, "record 1"),
        (b'{"record":"manifest","intent":"i","files":-1}\n' + END, {}, "record 1"),
        (
            b'{"record":"crash","source":"s","stop_code":1' + b"0" * 40 + b"}\n" + END,
            {},
            "record 1",
        ),
    ],
)
def test_what_is_not_whole_is_no_answer(stdout: bytes, more: dict[str, object], says: str) -> None:
    with pytest.raises(ReplyError, match=says) as caught:
        _read(stdout, **more)
    assert caught.value.retryable


def _whole() -> replies.Reply:
    return _read(
        _line(records.Boot(boot_id="b", boot_time=1.0, uptime=2.0, clock=3.0)),
        _line(records.System(os="linux")),
        _line(
            records.File(
                path_hex=_hex("/d/f"), state="bad", size=3, mtime=4.0, sha256="aa", header="bb"
            )
        ),
        _line(records.Manifest(intent="i1", files=1)),
        _line(records.Manifest(intent="i0", files=0, undone=True)),
        _line(records.Folder(path_hex=_hex("/d"), exists=True, bad=True, quarantined=1)),
        _line(records.ServiceRecord(name_hex=_hex("s"), running=True, detail_hex=_hex("active"))),
        _line(
            records.CrashSeen(
                source="pstore", at=5.0, stop_code=80, module_hex=_hex("m"), text_hex=_hex("t")
            )
        ),
        _line(records.Mark(intent="i2")),
        END,
    )


def test_all_that_is_told_becomes_evidence() -> None:
    assert replies.evidence(_whole(), at=BEGAN, source="ssh") == (
        BootIdentity(at=BEGAN, source="ssh", boot_id="b", boot_time=1.0, uptime=2.0, clock=3.0),
        ArtifactListing(
            at=BEGAN,
            source="ssh",
            directory="/d",
            exists=True,
            bad=True,
            quarantined=1,
            intents=("i1",),
            files=(
                ArtifactFile(path="/d/f", state="bad", size=3, mtime=4.0, sha256="aa", header="bb"),
            ),
        ),
        ServiceState(at=BEGAN, source="ssh", name="s", running=True, detail="active"),
        CrashRecord(
            at=BEGAN,
            source="ssh",
            crashed_at=5.0,
            stop_code=80,
            module="m",
            text="t",
            record="pstore",
        ),
        RebootMark(at=BEGAN, source="ssh", intent="i2"),
    )


def test_without_a_folder_record_there_is_no_listing() -> None:
    reply = _read(
        _line(records.File(path_hex="", state="bad")),
        _line(records.Trouble(reason="permission")),
        END,
    )
    assert replies.evidence(reply, at=BEGAN, source="ssh") == ()


@given(uptime=st.floats(allow_nan=False, allow_infinity=False))
def test_every_uptime_that_is_believed_can_be_reckoned_with(uptime: float) -> None:
    reply = _read(_line(records.Boot(uptime=uptime)), END)
    (boot,) = replies.evidence(reply, at=BEGAN, source="ssh")
    assert isinstance(boot, BootIdentity)
    assert boot.uptime is None or BEGAN - timedelta(seconds=boot.uptime + 60) <= BEGAN


@given(time=st.floats(min_value=-1e12, max_value=1e12))
def test_every_time_that_is_believed_can_be_a_date(time: float) -> None:
    reply = _read(_line(records.Boot(boot_time=time, clock=time)), END)
    (boot,) = replies.evidence(reply, at=BEGAN, source="ssh")
    assert isinstance(boot, BootIdentity)
    assert boot.clock is None or datetime.fromtimestamp(boot.clock, UTC).year > 0


def test_what_cannot_be_a_time_is_none() -> None:
    reply = _read(_line(records.Boot(boot_time=1e300, uptime=-1e12, clock=2.0)), END)
    (boot,) = replies.evidence(reply, at=BEGAN, source="ssh")
    assert isinstance(boot, BootIdentity)
    assert (boot.boot_time, boot.uptime, boot.clock) == (None, None, 2.0)


def test_summaries_are_found_by_their_act() -> None:
    reply = _read(
        _line(records.Acted(action="undo", files=1)),
        _line(records.Acted(action="quarantine", files=2)),
        _line(records.Refused(reason="link", path_hex=_hex("/d/" + RUDE))),
        _line(records.Refused(reason="link")),
        _line(records.Refused(reason="link", path_hex=_hex("/e"))),
        _line(records.Trouble(reason=RUDE + "x" * 100, detail_hex=_hex("why"))),
        END,
    )
    acted = reply.acted("quarantine")
    assert acted is not None
    assert acted.files == 2
    assert reply.acted("reboot") is None
    assert len(reply.refused) == 3
    said = replies.why_not(reply)
    assert said.startswith("a symbolic link stands where a file or folder was expected (/d/")
    assert "and 1 more)" in said
    assert said.isprintable()
    assert replies.why_not(_read(END)) == ""


def test_every_reason_has_its_sentence() -> None:
    for reason in msgspec.inspect.type_info(records.Refused).fields[0].type.values:  # type: ignore[attr-defined]
        reply = _read(_line(records.Refused(reason=reason)), END)
        assert len(replies.why_not(reply)) > 10


HOSTILE: list[Callable[[str], records.Record]] = [
    lambda text: records.Boot(boot_id=text),
    lambda text: records.Mark(intent=text),
    lambda text: records.ServiceRecord(name_hex=_hex(text), running=True, detail_hex=_hex(text)),
    lambda text: records.CrashSeen(source=text, module_hex=_hex(text), text_hex=_hex(text)),
    lambda text: records.Folder(path_hex=_hex(text), exists=True, bad=False),
]


@given(st.text(st.characters(codec="utf-8"), max_size=3000), st.sampled_from(HOSTILE))
def test_no_text_of_an_endpoint_is_raw_or_endless(
    text: str, make: Callable[[str], records.Record]
) -> None:
    for item in replies.evidence(_read(_line(make(text)), END), at=BEGAN, source="ssh"):
        for value in msgspec.structs.asdict(item).values():
            if isinstance(value, str):
                assert value.isprintable()
                assert len(value) <= 1000


@given(st.binary(max_size=6000))
def test_any_bytes_can_be_shown(raw: bytes) -> None:
    shown = replies.visible(raw)
    assert shown.isprintable()
    assert len(shown) <= 1000


@given(st.lists(st.binary(max_size=200).map(lambda raw: b'{"record":' + raw), max_size=5))
def test_no_bytes_make_the_reader_fail_otherwise(lines: list[bytes]) -> None:
    try:
        reply = _read(*lines)
        replies.evidence(reply, at=BEGAN, source="ssh")
    except ReplyError:
        pass


def test_plain_names_stay_as_they_are() -> None:
    assert replies.text_of(_hex("/d/grün 日本.sys")) == "/d/grün 日本.sys"
    with pytest.raises(ReplyError, match="not hex"):
        replies.text_of("zz")


def test_evidence_is_bounded() -> None:
    many = _line(records.Mark(intent="i")) * 3000
    assert len(replies.evidence(_read(many, END), at=BEGAN, source="ssh")) == 1000
    files = _line(records.File(path_hex="", state="bad")) * 800
    folder = _line(records.Folder(path_hex="", exists=True, bad=True))
    (listing,) = replies.evidence(_read(files, folder, END), at=BEGAN, source="ssh")
    assert isinstance(listing, ArtifactListing)
    assert len(listing.files) == 500
