"""Laws of durations, shares, playbook figures and the verifier's worst case."""

from __future__ import annotations

import contextlib

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from recovery.documents import duration, read_json, read_yaml, show_duration
from recovery.errors import InputError
from recovery.model.playbook import (
    STEPS,
    NoArguments,
    RebootArguments,
    Retry,
    SettleArguments,
    Share,
    Step,
)
from recovery.playbook.parser import override, parse_playbook
from recovery.playbook.shares import parse_share, show_share
from recovery.playbook.verifier import longest

seconds = st.floats(min_value=0, max_value=1e6, allow_nan=False)
counts = st.integers(min_value=1, max_value=100)
retries = st.builds(Retry, attempts=counts, first=seconds, longest=seconds)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.integers(min_value=0, max_value=10**11))
def test_a_duration_that_was_shown_is_read_again(milliseconds: int) -> None:
    assert round(duration(show_duration(milliseconds / 1000)) * 1000) == milliseconds


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading_of_durations(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= duration(text) < 1e9


@given(
    st.integers(min_value=1, max_value=10**9).map(lambda value: Share(float(value)))
    | st.builds(
        Share,
        st.integers(min_value=1, max_value=10_000).map(lambda value: value / 100),
        percent=st.just(value=True),
        of=st.sampled_from(["wave", "site", "run"]),
    )
)
def test_a_share_that_was_shown_is_read_again(share: Share) -> None:
    assert parse_share(show_share(share)) == share


@given(st.text(max_size=12))
def test_no_text_breaks_the_reading_of_shares(text: str) -> None:
    with contextlib.suppress(ValueError):
        share = parse_share(text)
        assert share.value > 0
        assert not share.percent or share.value <= 100


def step(name: str, arguments: msgspec.Struct, timeout: float, retry: Retry) -> Step:
    return Step(name=name, arguments=arguments, timeout=timeout, retry=retry)


@given(retries, seconds, st.integers(min_value=0, max_value=50), seconds)
def test_the_worst_case_never_falls_when_a_step_gets_more(
    retry: Retry, timeout: float, more: int, longer: float
) -> None:
    before = longest(step("triage", NoArguments(), timeout, retry))
    tried = msgspec.structs.replace(retry, attempts=retry.attempts + more)
    assert longest(step("triage", NoArguments(), timeout, tried)) >= before
    assert longest(step("triage", NoArguments(), timeout + longer, retry)) >= before


@given(counts, st.integers(min_value=0, max_value=50), seconds, seconds)
def test_the_worst_case_never_falls_with_restarts_and_waits(
    attempts: int, more: int, wait: float, longer: float
) -> None:
    def bound(attempts: int, wait: float) -> float:
        return longest(step("reboot", RebootArguments(attempts=attempts, wait=wait), 60.0, Retry()))

    assert bound(attempts + more, wait) >= bound(attempts, wait)
    assert bound(attempts, wait + longer) >= bound(attempts, wait) >= attempts * wait


@given(retries, seconds)
def test_the_worst_case_holds_all_attempts_and_pauses(retry: Retry, span: float) -> None:
    bound = longest(step("settle", SettleArguments(duration=span), 1.0, retry))
    pauses = sum(
        min(retry.longest, retry.first * 2.0**place) for place in range(retry.attempts - 1)
    )
    assert abs(bound - (retry.attempts * (1.0 + span) + pauses)) <= 1e-6 * max(1.0, bound)


@given(json_values)
def test_yaml_reads_json_as_json_does_and_puts_its_parts_on_the_same_lines(value: object) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
    assume(all(sign.isprintable() or sign == "\n" for sign in text))
    try:
        one = read_yaml(text, "f")
    except InputError as error:
        assume("merge keys" not in str(error))
        raise
    two = read_json(text, "f")
    assert one.data == two.data

    def paths(part: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
        inner = (
            part.items()
            if isinstance(part, dict)
            else enumerate(part)
            if isinstance(part, list)
            else ()
        )
        return [path, *(below for key, value in inner for below in paths(value, (*path, key)))]

    for path in paths(two.data, ()):
        assert one.line(path) == two.line(path)


@given(
    st.lists(
        st.sampled_from(["triage", "quarantine", "settle", "prove", "reboot"]),
        min_size=1,
        max_size=5,
    ),
    seconds,
    counts,
)
def test_what_is_set_on_the_command_line_is_what_runs(
    names: list[str], soak: float, attempts: int
) -> None:
    text = "playbook: x\nsteps:\n" + "".join(f"  - {name}\n" for name in names)
    first = names[0]
    changes = {"strategy.soak": show_duration(soak), f"{first}.retry.attempts": str(attempts)}
    playbook = parse_playbook(override(text, changes, "f"), "f")
    assert abs(playbook.strategy.soak - soak) <= 0.001
    assert [step.name for step in playbook.steps] == names
    for made in playbook.steps:
        assert made.retry.attempts == (attempts if made.name == first else 1)
        assert made.timeout == STEPS[made.name].timeout
