"""`recovery power HOST boot-once`: what one host starts from the next time, by a board of sushy-tools' emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.wire import test_redfish_console as redfish


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redfish.emulation(tmp_path_factory.mktemp("sushy")) as address:
        yield address


@pytest.fixture
def fleet(home: Path, url: str) -> str:
    path = home / "fleet.yaml"
    consoles = {
        "h1": f"{{kind: redfish, address: '{url}'}}",
        "h2": f"{{kind: qmp, address: '{home / 'nothing'}'}}",
    }
    hosts = ", ".join(f"{name}: {{console: {console}}}" for name, console in consoles.items())
    path.write_text(f"hosts: {{{hosts}}}\n")
    return str(path)


def test_the_next_start_is_from_the_network_and_the_choice_is_taken_back(
    cli: Cli, fleet: str
) -> None:
    asked = ("power", "h1", "boot-once", "-i", fleet)
    refused = cli(*asked, "--device", "pxe")
    assert (refused.code, cli("events", "-o", "jsonl").out) == (2, "")
    chosen = cli(*asked, "--device", "pxe", "--yes")
    assert chosen.code == 0, chosen.err
    assert chosen.out.endswith("; its next start is from network\n")
    back = cli(*asked, "--device", "disk", "--yes", "-o", "json").document
    assert (back["done"], back["message"]) == (True, "its next start is from disk")
    told = [
        (event["kind"], event["act"], event.get("why", event.get("outcome")))
        for event in cli("events", "-o", "jsonl").lines
    ]
    assert told == [
        ("power.intended", "boot_once", "from network"),
        ("power.finished", "boot_once", "ok"),
        ("power.intended", "boot_once", "from disk"),
        ("power.finished", "boot_once", "ok"),
    ]
    assert "power: about to choose its next start: from network" in cli("events").out


def test_the_next_start_is_from_a_medium(cli: Cli, fleet: str) -> None:
    with redfish.board({"/rescue.iso": "an image"}) as (source, _):
        image = f"{source}/rescue.iso"
        asked = ("power", "h1", "boot-once", "--device", "cd", "-i", fleet, "--yes")
        chosen = cli(*asked, "--media", image)
        assert chosen.code == 0, chosen.out
        assert f"its next start is from media, {image}" in chosen.out
    cli("power", "h1", "boot-once", "--device", "disk", "-i", fleet, "--yes")


def test_a_console_that_cannot_says_so(cli: Cli, fleet: str) -> None:
    told = cli("power", "h2", "boot-once", "--device", "pxe", "-i", fleet, "--yes")
    assert (told.code, "not done: " in told.out) == (5, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("boot-once",), "boot-once needs --device"),
        (("on", "--device", "pxe"), "are for boot-once alone"),
        (("on", "--media", "http://a/b.iso"), "are for boot-once alone"),
        (("boot-once", "--device", "cd"), "--device cd --media URL"),
        (("boot-once", "--device", "pxe", "--media", "http://a/b.iso"), "and for no other"),
        (("boot-once", "--device", "cd", "--media", "/tmp/b.iso"), "no URL that a board can fetch"),
        (("boot-once", "--device", "cd", "--media", "file:///b.iso"), "no URL that a board can"),
        (("boot-once", "--device", "cd", "--media", "http://[::1/b"), "no URL that a board can"),
        (
            ("boot-once", "--device", "cd", "--media", "http://u:hunter2@a/b"),
            "a user or a password",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, fleet: str, words: tuple[str, ...], said: str
) -> None:
    told = cli("power", "h1", *words, "-i", fleet, "--yes")
    assert told.code == 2
    assert said in told.err
    assert "hunter2" not in told.err + cli("events", "-o", "jsonl").out
