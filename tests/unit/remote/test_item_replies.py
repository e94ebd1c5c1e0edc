"""Readers of items: what an endpoint says of packages, kernels and their like, and what it cannot make of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recovery.errors import ReplyError
from recovery.model.evidence import ArtifactItem, ArtifactListing
from recovery.ports import Completed
from recovery.remote import replies
from recovery.remote.replies import Reply

AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
ITEM = '{"record":"item","name_hex":"6b62","state":"bad","version_hex":"312e30","detail_hex":""}'
LOOKED = '{"record":"artifact","kind":"update","name_hex":"6b62","exists":true,"bad":true,"kept":1}'
MANIFEST = '{"record":"manifest","intent":"i1","files":1,"undone":false}'
END = '{"record":"end","token":"t","exit":0}'


def read(*lines: str) -> Reply:
    text = "\n".join((*lines, END)).encode() + b"\n"
    return replies.read(Completed(stdout=text, exit_status=0), "t")


def test_a_listing_is_made_of_the_items_before_it() -> None:
    found = replies.evidence(read(ITEM, MANIFEST, LOOKED), at=AT, source="ssh")
    assert found == (
        ArtifactListing(
            at=AT,
            source="ssh",
            exists=True,
            bad=True,
            kind="update",
            name="kb",
            items=(ArtifactItem(name="kb", state="bad", version="1.0"),),
            intents=("i1",),
            quarantined=1,
        ),
    )


def test_items_without_their_end_are_no_listing() -> None:
    assert replies.evidence(read(ITEM, ITEM), at=AT, source="ssh") == ()


def test_items_are_bounded() -> None:
    (found,) = replies.evidence(read(*[ITEM] * 2000, LOOKED), at=AT, source="ssh")
    assert isinstance(found, ArtifactListing)
    assert len(found.items) == 500


@pytest.mark.parametrize(
    "line",
    [
        ITEM.replace("bad", "evil"),
        LOOKED.replace("update", "firmware"),
        ITEM.replace('"6b62"', "7"),
    ],
)
def test_what_is_not_agreed_is_refused(line: str) -> None:
    with pytest.raises(ReplyError, match="not of the agreed form"):
        read(line)


def test_a_name_that_is_no_hex_is_refused() -> None:
    with pytest.raises(ReplyError, match="not hex"):
        replies.evidence(read(ITEM.replace("6b62", "zz"), LOOKED), at=AT, source="ssh")


def test_a_name_is_shown_inert() -> None:
    (found,) = replies.evidence(read(ITEM.replace("6b62", "1b5b316d"), LOOKED), at=AT, source="ssh")
    assert isinstance(found, ArtifactListing)
    assert found.items[0].name == "\\x1b[1m"


def test_what_has_to_be_said_aloud_is_said() -> None:
    reply = read(
        '{"record":"note","what":"offline","detail_hex":"453a"}',
        '{"record":"note","what":"restart","detail_hex":""}',
    )
    assert replies.notes(reply) == (
        "the package sources did not answer (E:); it takes effect with the next start"
    )
    assert replies.notes(read()) == ""
