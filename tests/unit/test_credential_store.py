"""The store fetches once, and its breaker stops a password before it locks an account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.credentials import MOST_REFUSALS, CredentialStore
from recovery.errors import CredentialStoppedError, UnknownNameError, UsageError
from recovery.model.credential import CredentialDefinition, FromAgent, FromEnvironment, FromPrompt
from recovery.ports import Credential, Credentials

PASSWORD: CredentialDefinition = FromEnvironment(user="admin", variable="AD")
ENVIRON = {"AD": "correct horse"}


def store(
    definition: CredentialDefinition = PASSWORD, stopped: list[tuple[str, int]] | None = None
) -> CredentialStore:
    heard = [] if stopped is None else stopped
    return CredentialStore(
        {"ad": definition},
        environ=ENVIRON,
        on_stopped=lambda name, refusals: heard.append((name, refusals)),
    )


async def tried(credentials: Credentials, *answers: str) -> None:
    """Sign in once for each answer, one after another."""
    for answer in answers:
        await credentials.get("ad")
        credentials.accepted("ad") if answer == "yes" else credentials.refused("ad")


async def test_no_name_means_the_agent() -> None:
    assert await store().get("") == Credential(name="", agent=True)


async def test_an_unknown_name_is_told() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ad'"):
        await store().get("a")
    with pytest.raises(UnknownNameError):
        await store().prepare(["", "a"])


async def test_reports_on_unknown_names_are_harmless() -> None:
    credentials = store()
    credentials.refused("")
    credentials.accepted("other")
    assert (await credentials.get("ad")).user == "admin"


async def test_many_who_ask_at_once_cause_one_question() -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "correct horse"

    credentials = CredentialStore({"ad": FromPrompt()}, ask=answer)
    await asyncio.gather(*(credentials.prepare(["ad"]) for _ in range(20)))
    await tried(credentials, "yes", "yes")
    assert len(asked) == 1


async def test_a_secret_that_is_not_to_be_had_stops_the_start_and_later_only_the_host() -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return ""

    credentials = CredentialStore({"ad": FromPrompt()}, ask=answer)
    with pytest.raises(UsageError, match="nothing was typed"):
        await credentials.prepare(["ad"])
    with pytest.raises(CredentialStoppedError, match=r"'ad' cannot be used: .*nothing was typed"):
        await credentials.get("ad")
    assert len(asked) == 1


async def test_the_third_refusal_stops_it() -> None:
    stopped: list[tuple[str, int]] = []
    credentials = store(stopped=stopped)
    await tried(credentials, "no", "no", "no")
    with pytest.raises(CredentialStoppedError, match="'ad' was refused 3 times in a row"):
        await credentials.get("ad")
    credentials.refused("ad")
    assert stopped == [("ad", MOST_REFUSALS)]


async def test_an_acceptance_in_between_begins_the_count_anew() -> None:
    credentials = store()
    await tried(credentials, "no", "no", "yes", "no", "no", "yes")
    assert (await credentials.get("ad")).user == "admin"


async def test_what_is_stopped_stays_stopped() -> None:
    credentials = store()
    await tried(credentials, "no", "no", "no")
    credentials.accepted("ad")
    with pytest.raises(CredentialStoppedError):
        await credentials.get("ad")


async def test_nobody_has_to_listen() -> None:
    credentials = CredentialStore({"ad": PASSWORD}, environ=ENVIRON)
    await tried(credentials, "no", "no", "no")
    with pytest.raises(CredentialStoppedError):
        await credentials.get("ad")


async def test_refused_keys_lock_no_account() -> None:
    stopped: list[tuple[str, int]] = []
    credentials = store(FromAgent(), stopped)
    await tried(credentials, *["no"] * 10)
    assert (await credentials.get("ad")).agent
    assert stopped == []


@given(st.lists(st.sampled_from(["yes", "no"]), max_size=30))
def test_it_stops_exactly_at_the_first_three_refusals_in_a_row(answers: Sequence[str]) -> None:
    stopped: list[tuple[str, int]] = []

    async def play() -> int:
        credentials = store(stopped=stopped)
        done = 0
        try:
            for answer in answers:
                await tried(credentials, answer)
                done += 1
        except CredentialStoppedError:
            pass
        return done

    text = "".join("n" if answer == "no" else "y" for answer in answers)
    place = text.find("nnn")
    assert asyncio.run(play()) == (len(answers) if place < 0 else place + 3)
    assert bool(stopped) == (place >= 0)


async def test_a_wrong_password_reaches_three_hosts_of_a_hundred() -> None:
    credentials = store()
    out: list[int] = []
    answered = asyncio.Event()

    async def host(number: int) -> str:
        try:
            await credentials.get("ad")
        except CredentialStoppedError:
            return "not tried"
        out.append(number)
        if len(out) == MOST_REFUSALS:
            answered.set()
        await answered.wait()
        credentials.refused("ad")
        return "refused"

    ends = await asyncio.gather(*(host(number) for number in range(100)))
    assert ends.count("refused") == MOST_REFUSALS
    assert ends.count("not tried") == 100 - MOST_REFUSALS


async def test_the_first_acceptance_lets_everybody_through() -> None:
    credentials = store()
    first = [asyncio.ensure_future(credentials.get("ad")) for _ in range(100)]  # noqa: TID251 - a hundred that wait
    done, waiting = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) <= MOST_REFUSALS
    assert waiting
    credentials.accepted("ad")
    assert len(await asyncio.gather(*first)) == 100


async def test_tries_that_nobody_reported_on_do_not_block_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recovery.credentials.store._TRY_SECONDS", 0.01)
    credentials = store()
    for _ in range(3 * MOST_REFUSALS):
        assert (await credentials.get("ad")).user == "admin"
