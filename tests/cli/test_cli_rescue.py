"""`recovery rescue HOST`: a root volume that is mended at a helper, against moto's server."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from recovery.consoles.ec2 import Ec2Console
from recovery.engine.power import Switched, switch
from recovery.errors import TransportError
from recovery.journal.log import Log
from recovery.model.events import RescueIntended
from recovery.service.rescue import RescuePlan, filled
from tests.cli.conftest import Cli, Spawn
from tests.cli.test_cli_fix_disk import windows
from tests.wire.moto_cloud import moto_cloud
from tests.wire.test_ec2_console import REGION, at, new

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    with moto_cloud() as address:
        yield address


class Scene(msgspec.Struct):
    """A host that does not start, a helper, and the inventory of both."""

    ec2: Any
    sick: str
    helper: str
    volume: str
    inventory: Path

    @property
    def place(self) -> str:
        """The instance that has the volume."""
        return next((instance for instance, _ in at(self.ec2, self.volume)), "")

    @property
    def state(self) -> str:
        found = self.ec2.describe_instances(InstanceIds=[self.sick])
        return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


@pytest.fixture
def scene(cloud: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    client = boto3.client("ec2", endpoint_url=cloud, region_name=REGION)
    names = {"sick": new(client), "helper": new(client)}
    hosts = ", ".join(
        f"{name}: {{console: {{kind: ec2, address: '{cloud}', options: {{instance: {instance}, region: {REGION}}}}}}}"
        for name, instance in names.items()
    )
    path = home / "fleet.yaml"
    path.write_text(
        f"hosts: {{{hosts}, bare: {{}}, raw: {{console: {{kind: qmp, address: /x}}}}}}\n"
    )
    found = client.describe_instances(InstanceIds=[names["sick"]])["Reservations"][0]["Instances"][
        0
    ]
    volume = found["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    yield Scene(client, names["sick"], names["helper"], volume, path)
    client.close()


def rescue(scene: Scene, *words: object) -> tuple[object, ...]:
    return ("rescue", "sick", "-i", scene.inventory, "--yes", *words)


def told(cli: Cli) -> list[str]:
    """Phases and power in the journal: what was intended, and how it ended."""
    found = []
    for event in cli("events", "-o", "jsonl").lines:
        if event["kind"].startswith(("rescue.", "power.")):
            what = event.get("phase", event.get("act"))
            found.append(f"{what}: {event['outcome']}" if "outcome" in event else f"{what}?")
    return found


WHOLE = [
    *("off?", "off: ok", "lend?", "lend: ok", "fix?", "fix: ok"),
    *("back?", "back: ok", "on?", "on: ok"),
]


def test_a_host_is_mended_at_a_helper(cli: Cli, scene: Scene, home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    bad = windows(disk)
    journal = home / "j.db"
    fix = f"{sys.executable} -m recovery --journal {journal} fix-disk {disk} --host {{host}}"
    words = rescue(scene, "--helper", "helper", "--fix", fix, "--journal", journal)
    done = cli(*words)
    assert done.code == 0, done.err + done.out
    assert done.out == f"sick: {scene.volume} is back at {scene.sick}, which has power\n"
    assert (scene.place, scene.state, bad.exists()) == (scene.sick, "running", False)
    said = cli("explain", "sick", "--journal", journal).out
    lines = [
        f"rescue: about to lend its root volume to the helper: root volume {scene.volume}",
        f"helper {scene.helper} as /dev/sdf",
        f"rescue, lend its root volume to the helper: done: seen at {scene.helper}",
        f"disk: about to fix {disk}",
        "fixed, 1 moved to quarantine",
        "rescue, mend the volume at the helper: done",
        f"rescue, give the volume back: done: seen at {scene.sick}",
        "power on: done",
    ]
    places = [said.find(line) for line in lines]
    assert -1 not in places
    assert places == sorted(places)


def test_people_mend_it_in_between(cli: Cli, scene: Scene) -> None:
    first = cli(*rescue(scene, "--helper", scene.helper, "--device", "/dev/sdg", "-o", "json"))
    assert first.code == 7
    assert first.document["waits"] is True
    assert "recovery rescue sick --back" in first.err
    assert at(scene.ec2, scene.volume) == [(scene.helper, "/dev/sdg")]
    assert cli(*rescue(scene)).code == 7
    other = cli(*rescue(scene, "--helper", "i-0123456789abcdef0"))
    assert (other.code, f"is lent to {scene.helper} already" in other.err) == (2, True)
    assert cli(*rescue(scene, "--back")).code == 0
    assert (scene.place, scene.state) == (scene.sick, "running")
    assert cli(*rescue(scene, "--back")).out == "sick: nothing of it is lent\n"


@pytest.mark.parametrize(
    ("fix", "words"),
    [("false", "false ended with 1"), ("/nonexistent/fix {volume}", "/nonexistent/fix: ")],
)
def test_a_fix_that_fails_leaves_the_volume_where_it_is(
    cli: Cli, scene: Scene, fix: str, words: str
) -> None:
    failed = cli(*rescue(scene, "--helper", "helper", "--fix", fix))
    assert failed.code == 4
    assert f"not done: {words}" in failed.out
    assert (scene.place, scene.state) == (scene.helper, "stopped")
    assert cli(*rescue(scene, "--fix", "true")).code == 0
    assert (scene.place, scene.state) == (scene.sick, "running")


def test_a_fix_that_takes_too_long_is_ended(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = RescuePlan
    monkeypatch.setattr(
        "recovery.cli.rescuing.RescuePlan", lambda **words: kept(**words, fix_time=0.1)
    )
    failed = cli(*rescue(scene, "--helper", "helper", "--fix", "sleep 60"))
    assert (failed.code, "sleep: it did not end in time" in failed.out) == (4, True)


def test_what_is_killed_while_it_is_mended_goes_on(
    cli: Cli, spawn: Spawn, scene: Scene, home: Path
) -> None:
    (home / "hold").touch()
    words = ("sh", "-c", f"'while test -e {home}/hold; do sleep 0.1; done'")
    again = rescue(scene, "--helper", "helper", "--fix", " ".join(words))
    journal = ("--journal", home / "j.db")
    process = spawn((*again, *journal))
    while not any("fix" in line for line in told_in(cli, *journal)):
        assert process.poll() is None
        threading.Event().wait(0.1)
    beside = cli(*again, *journal)
    assert (beside.code, "is being rescued by process" in beside.err) == (2, True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (home / "hold").unlink()
    assert (scene.place, scene.state) == (scene.helper, "stopped")
    assert cli(*again, *journal).code == 0
    assert (scene.place, scene.state) == (scene.sick, "running")
    assert told_in(cli, *journal)[4:] == ["fix?", "fix: interrupted", "off?", "off: ok", *WHOLE[2:]]


def told_in(cli: Cli, *journal: object) -> list[str]:
    shown = cli("events", "-o", "jsonl", *journal)
    if shown.code:
        return []
    return told(lambda *_: shown)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("phase", ["lend", "back"])
def test_what_is_broken_off_in_a_move_goes_on_or_is_taken_back(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch, phase: str, back: bool
) -> None:
    real = Ec2Console.move

    async def broken(self: Ec2Console, *words: Any, back: bool, timeout: float) -> None:
        if back is (phase == "back"):
            scene.ec2.detach_volume(VolumeId=scene.volume, InstanceId=scene.place)
            raise KeyboardInterrupt
        await real(self, *words, back=back, timeout=timeout)

    words = rescue(scene, "--helper", "helper", "--fix", "true")
    with monkeypatch.context() as patch:
        patch.setattr(Ec2Console, "move", broken)
        assert cli(*words).code == 130
    assert (scene.place, scene.state) == ("", "stopped")
    assert told(cli)[-1] == f"{phase}: interrupted"
    assert cli(*(rescue(scene, "--back") if back else words)).code == 0
    assert (scene.place, scene.state) == (scene.sick, "running")
    assert told(cli).count("fix: ok") == (0 if back and phase == "lend" else 1)


def test_a_host_that_was_not_started_again_is_started(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = switch

    async def broken(console: Any, host: Any, act: Any, supervisor: Any) -> Any:
        if act == "on":
            raise KeyboardInterrupt
        return await real(console, host, act, supervisor)

    words = rescue(scene, "--helper", "helper", "--fix", "true")
    with monkeypatch.context() as patch:
        patch.setattr("recovery.service.rescue.switch", broken)
        assert cli(*words).code == 130
    assert (scene.place, scene.state) == (scene.sick, "stopped")
    assert cli(*words).code == 0
    assert scene.state == "running"
    assert told(cli).count("lend?") == 1


def test_a_host_that_was_switched_off_before_anything_was_lent_gets_its_power_back(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Log.append

    def cut(self: Log, *events: Any) -> Any:
        if any(isinstance(event, RescueIntended) for event in events):
            raise KeyboardInterrupt
        return real(self, *events)

    with monkeypatch.context() as patch:
        patch.setattr(Log, "append", cut)
        assert cli(*rescue(scene, "--helper", "helper")).code == 130
    assert (scene.place, scene.state) == (scene.sick, "stopped")
    back = cli(*rescue(scene, "--back"))
    assert (back.code, scene.state) == (0, "running")
    assert back.out == "sick: nothing of it is lent, and it has power again\n"
    assert cli(*rescue(scene, "--back")).out == "sick: nothing of it is lent\n"


def test_a_cloud_that_refuses_ends_it_with_its_reason(
    cli: Cli, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise TransportError("EC2: the volume is busy")

    with monkeypatch.context() as patch:
        patch.setattr(Ec2Console, "move", refuse)
        found = cli(*rescue(scene, "--helper", "helper"))
    assert (found.code, found.out) == (4, "sick: not done: EC2: the volume is busy\n")
    assert told(cli)[-1] == "lend: failed"
    with monkeypatch.context() as patch:
        patch.setattr("recovery.service.rescue.switch", _unmoved)
        stuck = cli(*rescue(scene, "--helper", "helper"))
    assert "its power could not be switched off: it is on" in stuck.out
    itself = cli("rescue", "helper", "-i", scene.inventory, "--yes", "--helper", "helper")
    assert (itself.code, "has to be another instance" in itself.out) == (4, True)


async def _unmoved(*_: object) -> Switched:
    return Switched(done=False, state="on", message="it is on")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sick", "--yes"), "which instance is to help?"),
        (("sick", "--helper", "bare", "--yes"), "its console names no instance"),
        (("sick", "--helper", "helpr", "--yes"), "did you mean 'helper'?"),
        (("sick", "--helper", "helper", "--device", "sdf;x", "--yes"), "is a device's name"),
        (("sick", "--helper", "helper", "--fix", "'", "--yes"), "--fix: No closing quotation"),
        (("sick", "--helper", "helper"), "it was not confirmed"),
        (("bare", "--helper", "helper", "--yes"), "bare has no console"),
        (("raw", "--helper", "helper", "--yes"), "has no root volume to lend"),
        (("nobody", "--helper", "helper", "--yes"), "no host is named 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, scene: Scene, words: tuple[str, ...], said: str
) -> None:
    refused = cli("rescue", *words, "-i", scene.inventory)
    assert refused.code == 2
    assert said in refused.err
    assert (scene.place, scene.state) == (scene.sick, "running")


def test_values_stay_in_their_words() -> None:
    values = {"volume": "vol-1", "host": "a b; {volume}"}
    assert filled(("fix", "{volume}:{host}", "{other}"), values) == (
        "fix",
        "vol-1:a b; {volume}",
        "{other}",
    )
