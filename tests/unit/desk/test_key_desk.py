"""Who is shown a key, and what the journal knows of it."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from recovery.desk.rules import Who
from recovery.desk.sources.table import TableSource
from recovery.errors import KeySourceError, RefusedError, UnknownNameError, UsageError
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.credential import FromEnvironment
from recovery.model.events import HostObserved, Notice
from recovery.model.evidence import BitLockerVolume, MachineFacts, Verdict
from recovery.model.key_source import FromExport, FromTable
from recovery.model.secret import Secret
from recovery.service.desk import Desk
from recovery.service.desk_keys import KeyDesk
from recovery.settings import KeysSection, Settings
from tests.unit.desk.desk_clock import HandClock
from tests.unit.desk.key_cases import KEY, key_ids, key_text, write_keys
from tests.unit.journal.happenings import BEGAN

IDS = key_ids(8)
KEYS = {key_id: key_text(number) for number, key_id in enumerate(IDS)}


class Scene:
    """Three hosts, two of them Ann's, and a table of keys."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(BEGAN)
        self.path = folder / "journal.db"
        self.table = write_keys(folder / "keys.csv", KEYS)
        self.settings = Settings(
            journal=str(self.path),
            keys=KeysSection(
                sources=(FromTable(name="table", path=str(self.table)),), show_for=60.0, per_hour=4
            ),
        )
        self.desk = Desk(self.settings, self.clock)
        self.desk.add(["h1", "h2", "h3"], "down")
        for host in ("h1", "h2"):
            self.desk.claim(host, Who(tech="ann"), timedelta(hours=9))

    @property
    def keys(self) -> KeyDesk:
        return self.desk.keys()

    def show(self, host: str, key_id: str, person: str = "ann") -> str:
        return self.keys.show(host, key_id, person).spellings().dashed

    def kinds(self) -> list[str]:
        with closing(Reader.open(self.path)) as log:
            kinds = (str(type(s.event).__struct_config__.tag) for s in log.read())
            return [kind for kind in kinds if kind.startswith(("key", "notice"))]

    def protects(self, host: str, key_id: str) -> None:
        """The host says itself that a key with this id opens it."""
        volume = BitLockerVolume(drive="C:", status="on", protectors=(f"{{{key_id.lower()}}}",))
        facts = MachineFacts(at=self.clock.now(), source="ssh", volumes=(volume,))
        with closing(Log.open(self.path)) as log:
            log.append(
                HostObserved(at=BEGAN, host=host, evidence=(facts,), verdict=Verdict.EXPOSED)
            )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_holder_is_shown_the_key_and_the_journal_never_holds_it(scene: Scene) -> None:
    shown = scene.keys.show("h1", IDS[0].lower(), "ann", "login")
    assert shown.spellings() == (KEYS[IDS[0]].replace("-", ""), KEYS[IDS[0]])
    assert shown.until == BEGAN + timedelta(seconds=60)
    assert scene.kinds() == ["key.asked", "key.shown"]
    assert "***" in repr(shown)
    for file in scene.path.parent.glob("journal.db*"):
        assert KEYS[IDS[0]].encode() not in file.read_bytes()
    (use,) = scene.keys.uses("h1")
    assert (use.key_id, use.person, use.source, use.shown, use.state) == (
        IDS[0],
        "ann",
        "table",
        1,
        "shown",
    )


@pytest.mark.parametrize(
    ("host", "person", "why"),
    [
        ("h1", "bob", "bob has to hold the ticket of h1, and ann holds it"),
        ("h3", "ann", "ann has to hold the ticket of h3, and nobody holds it"),
        ("h9", "ann", "ann has to hold the ticket of h9, and there is none"),
    ],
)
def test_nobody_else_is(host: str, person: str, why: str, scene: Scene) -> None:
    with pytest.raises(RefusedError, match=why):
        scene.show(host, IDS[0], person)
    assert scene.kinds() == ["key.asked"]


def test_one_host_at_a_time(scene: Scene) -> None:
    scene.show("h1", IDS[0])
    with pytest.raises(RefusedError, match="is being shown the key of h1"):
        scene.show("h2", IDS[1])
    scene.show("h1", IDS[1])
    scene.clock.move(61)
    scene.show("h2", IDS[2])


def test_a_key_that_was_tried_is_on_show_no_more(scene: Scene) -> None:
    scene.show("h1", IDS[0])
    scene.keys.tried("h1", IDS[0], "ann", unlocked=False)
    scene.show("h2", IDS[1])
    assert [use.state for use in scene.keys.uses()] == ["did_not_unlock", "shown"]
    scene.keys.tried("h2", IDS[1][:8], "ann", unlocked=True)
    assert [use.state for use in scene.keys.uses("h2")] == ["unlocked"]
    with pytest.raises(UnknownNameError, match="no key shown for h1"):
        scene.keys.tried("h1", IDS[1], "ann", unlocked=True)


def test_only_so_many_an_hour_and_operators_hear_of_who_goes_on_asking(scene: Scene) -> None:
    for number in range(4):
        scene.show("h1", IDS[number])
    for _ in range(5):
        with pytest.raises(RefusedError, match="ann has asked for 4 keys within an hour"):
            scene.show("h1", IDS[5])
    with closing(Reader.open(scene.path)) as log:
        notices = [s.event.message for s in log.read() if isinstance(s.event, Notice)]
    assert notices == ["ALARM: ann was refused 5 recovery keys, the last for h1"]
    scene.clock.move(3601)
    assert scene.show("h1", IDS[5]) == KEYS[IDS[5]]


def test_a_key_that_is_not_there_counts_too(scene: Scene) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for _ in range(4):
        with pytest.raises(KeySourceError, match=f"no source has a recovery key {unknown}"):
            scene.show("h1", unknown)
    assert scene.kinds() == ["key.asked", "key.missing"] * 4
    with pytest.raises(RefusedError, match="within an hour"):
        scene.show("h1", IDS[0])
    assert [use.state for use in scene.keys.uses("h1")] == ["missing"]


def test_a_key_of_another_machine_is_not_shown(scene: Scene) -> None:
    scene.protects("h3", IDS[0])
    for given in (IDS[0], IDS[0][:8]):
        with pytest.raises(RefusedError, match="that of h3: is this the right machine"):
            scene.show("h1", given)
    scene.protects("h1", IDS[1])
    assert scene.show("h1", IDS[1]) == KEYS[IDS[1]]


def test_sources_are_asked_in_turn_and_those_that_cannot_be_are_told(
    scene: Scene, tmp_path: Path
) -> None:
    gone = TableSource("gone", str(tmp_path / "none"))
    full = TableSource("full", str(scene.table))
    shown = scene.desk.keys([gone, full]).show("h1", IDS[0], "ann")
    assert shown.record.source == "full"
    assert [problem.endswith("No such file or directory") for problem in shown.problems] == [True]
    with pytest.raises(KeySourceError, match="No such file"):
        scene.desk.keys([gone]).show("h1", IDS[0], "ann")


def test_a_beginning_that_several_ids_have_is_asked_about(scene: Scene) -> None:
    twin = IDS[0][:-1] + ("0" if IDS[0][-1] != "0" else "1")
    write_keys(scene.table, {IDS[0]: KEY, twin: KEY})
    with pytest.raises(UsageError, match=f"2 keys begin with {IDS[0][:8]}: .*give the whole id"):
        scene.show("h1", IDS[0][:8])


def test_keys_that_were_seen_have_to_be_rotated(scene: Scene) -> None:
    scene.show("h1", IDS[0])
    scene.show("h1", IDS[1])
    assert [use.key_id for use in scene.keys.to_rotate()] == IDS[:2]
    scene.keys.rotated(IDS[0].lower(), "lea")
    assert [use.key_id for use in scene.keys.to_rotate()] == [IDS[1]]
    with pytest.raises(UnknownNameError, match="no key to rotate"):
        scene.keys.rotated(IDS[0], "lea")


def test_an_export_is_packed_and_asked_when_the_table_is_gone(scene: Scene, tmp_path: Path) -> None:
    target, phrase = tmp_path / "keys.sealed", "seven owls under a tin roof"
    assert scene.keys.pack(target, Secret(phrase), ["table"]) == len(KEYS)
    with pytest.raises(UnknownNameError, match="no source of keys is named 'tabel'; did you mean"):
        scene.keys.pack(target, Secret(phrase), ["tabel"])
    scene.table.unlink()
    sealed = KeysSection(sources=(FromExport(path=str(target)),))
    desk = Desk(msgspec.structs.replace(scene.settings, keys=sealed), scene.clock)
    questions: list[str] = []

    def asked(question: str) -> str:
        questions.append(question)
        return phrase

    assert desk.keys(asker=asked).show("h1", IDS[3], "ann").spellings().dashed == KEYS[IDS[3]]
    assert questions == [f"Passphrase of {target}: "]


def test_the_passphrase_may_be_a_credential(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, phrase = tmp_path / "keys.sealed", "seven owls under a tin roof"
    scene.keys.pack(target, Secret(phrase))
    monkeypatch.setenv("PHRASE", phrase)
    settings = msgspec.structs.replace(
        scene.settings,
        keys=KeysSection(sources=(FromExport(name="vault", path=str(target), credential="p"),)),
        credentials={"p": FromEnvironment(variable="PHRASE")},
    )
    shown = Desk(settings, scene.clock).keys().show("h1", IDS[3], "ann")
    assert shown.record.source == "vault"


def test_without_a_source_there_is_nothing_to_ask(scene: Scene) -> None:
    desk = Desk(msgspec.structs.replace(scene.settings, keys=KeysSection()), scene.clock)
    with pytest.raises(UsageError, match="no source of recovery keys is named"):
        desk.keys().show("h1", IDS[0], "ann")
