"""Whatever form a registered secret takes in a text, it does not get out."""

from __future__ import annotations

import base64
import io
import json
import logging
import pickle
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery import redact
from recovery.model.events import AnyEvent, StepFinished
from recovery.model.evidence import ArtifactFile, ArtifactListing, CrashRecord, Verdict
from recovery.model.secret import Secret
from recovery.redact import MASK, Redactor, ScrubFilter

PASSWORD = "Tr0ub4dor&3 'ölé'+?"

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4, max_size=40)
surroundings = st.binary(max_size=9)


def redactor(*secrets: str) -> Redactor:
    made = Redactor()
    for secret in secrets:
        made.register(Secret(secret))
    return made


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        repr(PASSWORD),
        json.dumps(PASSWORD),
        json.dumps({"password": PASSWORD}, ensure_ascii=False),
        urllib.parse.quote(PASSWORD),
        urllib.parse.urlencode({"password": PASSWORD}),
        PASSWORD.encode().hex(),
        PASSWORD.encode("utf-16-le").hex().upper(),
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.urlsafe_b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(f"admin:{PASSWORD}".encode()).decode(),
        base64.b64encode(f'$p = "{PASSWORD}"\n'.encode("utf-16-le")).decode(),
        "Tr0ub4dor&amp;3 &apos;ölé&apos;+?",
        "'Tr0ub4dor&3 ''ölé''+?'",
        "Tr0ub4dor&3 '\\''ölé'\\''+?",
    ],
)
def test_no_form_gets_out(form: str) -> None:
    scrubbed = redactor(PASSWORD).scrub(f"before {form} after")
    assert MASK in scrubbed
    assert scrubbed.startswith("before ")
    assert scrubbed.endswith(" after")
    assert "ub4dor" not in scrubbed
    assert form not in scrubbed


@given(texts, surroundings, surroundings, st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]))
def test_base64_at_any_place_is_masked(
    text: str, before: bytes, after: bytes, encoding: str
) -> None:
    raw = text.encode(encoding)
    shown = base64.b64encode(before + raw + after).decode()
    scrubbed = redactor(text).scrub(shown)
    # What is left over around the mask is text of the surroundings and at most one group of the secret's ends.
    kept = scrubbed.replace(MASK, "")
    assert MASK in scrubbed
    assert len(kept) * 6 <= (len(before) + len(after)) * 8 + 24


@given(texts, st.text(max_size=20), st.text(max_size=20))
def test_plain_text_is_masked(text: str, before: str, after: str) -> None:
    scrubbed = redactor(text).scrub(before + text + after)
    assert MASK in scrubbed
    assert text not in scrubbed.replace(MASK, "\0")


@given(st.text())
def test_without_secrets_nothing_changes(text: str) -> None:
    assert Redactor().scrub(text) == text


def test_the_longer_secret_goes_first() -> None:
    assert (
        redactor("hunter2", "hunter2-and-more").scrub("hunter2-and-more hunter2")
        == f"{MASK} {MASK}"
    )


def test_words_as_short_as_ordinary_ones_are_left() -> None:
    assert redactor("on").scrub("the host is on") == "the host is on"


def test_a_secret_of_odd_bytes_is_masked() -> None:
    odd = b"caf\xe9-caf\xe9".decode("utf-8", "surrogateescape")
    assert redactor(odd).scrub(f"{odd} 636166e92d636166e9") == f"{MASK} {MASK}"


def test_what_came_through_a_filter_without_an_error_is_a_plain_record() -> None:
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "all %s", ("well",), None)
    assert ScrubFilter().filter(record)
    assert (record.getMessage(), record.exc_text, record.stack_info) == ("all well", None, None)


def test_a_secret_is_not_stored_by_accident() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("hunter2"))
    assert bool(Secret("hunter2"))
    assert not Secret("")


def test_lines_of_a_key_are_masked_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQE\nFAASCBKcwggSjAgEAAoIBAQDx\n-----END KEY-----\n"
    assert redactor(key).scrub("line: FAASCBKcwggSjAgEAAoIBAQDx") == f"line: {MASK}"


def test_logging_masks_messages_arguments_and_tracebacks() -> None:
    secret = redact.register(Secret("s3cr3t-in-a-log"))
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(ScrubFilter())
    logger = logging.getLogger("planted")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        int(secret.reveal())
    except ValueError:
        logger.exception("signing in with %s", secret.reveal(), stack_info=True)
    finally:
        logger.removeHandler(handler)
    written = stream.getvalue()
    assert "signing in with ***" in written
    assert "ValueError: invalid literal for int() with base 10: '***'" in written
    assert "Stack (most recent call last)" in written
    assert secret.reveal() not in written


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2hunter2")
    assert {repr(secret), str(secret), f"{secret}", f"{secret:>9}"} == {MASK}


WORDS = st.sampled_from(["good", "failed", "artifact", "healthy", "step.finished", "true", "h001"])


@given(texts | WORDS)
def test_an_event_carries_no_secret_and_stays_one(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "_live", redactor(text))
        at = datetime(2024, 7, 19, tzinfo=UTC)
        crash = CrashRecord(at=at, source="ssh", text=f"panic: {text}", module=text, record=text)
        files = (ArtifactFile(path=f"/a/{text}.sys", state="good", sha256="a" * 64),)
        listing = ArtifactListing(
            at=at, source="ssh", directory=f"/{text}", exists=True, bad=False, files=files
        )
        event = StepFinished(
            at=at,
            run="r1",
            host="h001",
            index=0,
            step="triage",
            attempt=1,
            outcome="failed",
            message=f"said {text}",
            evidence=(crash, listing),
            verdict=Verdict.HEALTHY,
            because=(f"because {text}",),
        )
        clean = redact.scrub_all(event, {"run", "host", "step"})
    assert (clean.run, clean.host, clean.step, clean.verdict) == ("r1", "h001", "triage", "healthy")
    assert clean.outcome == "failed"
    assert msgspec.json.decode(msgspec.json.encode(clean), type=AnyEvent) == clean
    shown = (clean.message, *clean.because, *_texts(clean.evidence))
    assert not [part for part in shown if text in part.replace(MASK, "\0")]


def _texts(evidence: tuple[object, ...]) -> Iterator[str]:
    crash, listing = evidence
    assert isinstance(crash, CrashRecord)
    assert isinstance(listing, ArtifactListing)
    yield from (crash.text, crash.module, crash.record, listing.directory, listing.files[0].path)
