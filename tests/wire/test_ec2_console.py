"""The EC2 console against moto's server, as far as that goes: it has no console screenshots."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from recovery.consoles.ec2 import Ec2Console
from recovery.engine.deadline import Supervisor
from recovery.engine.power import switch
from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.host import ConsoleRef, Host
from tests.wire.moto_cloud import moto_cloud
from tests.wire.test_redfish_console import Purse, free_port

REGION = "eu-central-1"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    with moto_cloud() as address:
        yield address


@pytest.fixture
def ec2(cloud: str) -> Iterator[Any]:
    client = boto3.client(
        "ec2", endpoint_url=cloud, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )  # fmt: skip
    yield client
    client.close()


def new(ec2: Any) -> str:
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    return str(made["Instances"][0]["InstanceId"])


def host(cloud: str, instance: str) -> Host:
    options = {"instance": instance, "region": REGION}
    ref = ConsoleRef(kind="ec2", address=cloud, credential="aws", options=options)
    return Host(name="h", console=ref)


async def test_an_instance_is_stopped_and_started(cloud: str, ec2: Any) -> None:
    purse = Purse()
    console, there = Ec2Console(purse), host(cloud, new(ec2))
    assert await console.power(there, 20) == "on"
    assert await switch(console, there, "cycle", Supervisor()) == (True, "on", "seen off, then on")
    assert set(purse.told) == {"accepted aws"}
    await console.aclose()


def at(ec2: Any, volume: str) -> list[tuple[str, str]]:
    found = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]
    return [(item["InstanceId"], item["Device"]) for item in found]


async def test_a_root_volume_goes_to_a_helper_and_comes_back(cloud: str, ec2: Any) -> None:
    sick, helper = new(ec2), new(ec2)
    console, there = Ec2Console(Purse()), host(cloud, sick)
    lent = await console.root_volume(there, helper, "/dev/sdf", 30)
    with pytest.raises(UnsupportedError, match="its power has to be off"):
        await console.move(there, lent, back=False, timeout=30)
    await switch(console, there, "off", Supervisor())
    for _ in range(2):  # what was done is not done again
        await console.move(there, lent, back=False, timeout=30)
        assert at(ec2, lent.volume) == [(helper, "/dev/sdf")]
    for _ in range(2):
        await console.move(there, lent, back=True, timeout=30)
        assert at(ec2, lent.volume) == [(sick, lent.device)]


async def test_a_volume_that_was_only_detached_goes_on_either_way(cloud: str, ec2: Any) -> None:
    sick, helper = new(ec2), new(ec2)
    console, there = Ec2Console(Purse()), host(cloud, sick)
    await switch(console, there, "off", Supervisor())
    lent = await console.root_volume(there, helper, "/dev/sdf", 30)
    ec2.detach_volume(VolumeId=lent.volume, InstanceId=sick)
    await console.move(there, lent, back=False, timeout=30)
    assert at(ec2, lent.volume) == [(helper, "/dev/sdf")]
    ec2.detach_volume(VolumeId=lent.volume, InstanceId=helper)
    await console.move(there, lent, back=True, timeout=30)
    assert at(ec2, lent.volume) == [(sick, lent.device)]


async def test_a_volume_that_somebody_else_has_stays_there(cloud: str, ec2: Any) -> None:
    sick, helper, other = new(ec2), new(ec2), new(ec2)
    console, there = Ec2Console(Purse()), host(cloud, sick)
    await switch(console, there, "off", Supervisor())
    lent = await console.root_volume(there, helper, "/dev/sdf", 30)
    ec2.detach_volume(VolumeId=lent.volume, InstanceId=sick)
    ec2.attach_volume(VolumeId=lent.volume, InstanceId=other, Device="/dev/sdg")
    for back in (False, True):
        with pytest.raises(UnsupportedError, match=f"is at {other}, and stays there"):
            await console.move(there, lent, back=back, timeout=30)
    with pytest.raises(UnsupportedError, match="is not of"):
        await console.move(host(cloud, other), lent, back=True, timeout=30)
    with pytest.raises(UnsupportedError, match="has to be another instance"):
        await console.root_volume(there, sick, "/dev/sdf", 30)


async def test_the_clouds_own_checks_are_told(cloud: str, ec2: Any) -> None:
    console, there = Ec2Console(Purse()), host(cloud, new(ec2))
    assert await console.checks(there, 20) == "system ok, instance ok"


class Poser:
    """What stands for a client."""

    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))


class Statuses(Poser):
    """Stands for checks that fail, which moto's never do."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        self._found = found

    def describe_instance_status(self, **_: Any) -> dict[str, Any]:
        return {"InstanceStatuses": self._found}

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            [{"SystemStatus": {"Status": "ok"}, "InstanceStatus": {"Status": "impaired"}}],
            "system ok, instance impaired",
        ),
        ([{"SystemStatus": {"Status": "impaired"}}], "system impaired"),
        ([], ""),
    ],
)
async def test_checks_that_fail(
    monkeypatch: pytest.MonkeyPatch, found: list[dict[str, Any]], said: str
) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Statuses(found))
    assert await Ec2Console(Purse()).checks(host("", "i-0123456789abcdef0"), 20) == said


class Screens(Poser):
    """Stands for the one call that moto lacks."""

    def __init__(self, data: str) -> None:
        self._data = data

    def get_console_screenshot(self, **_: Any) -> dict[str, str]:
        return {"ImageData": self._data}

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("data", "words"),
    [(base64.b64encode(b"\xff\xd8\xff jpeg").decode(), ""), ("***", "not base64"), ("", "0 bytes")],
)
async def test_screenshots(monkeypatch: pytest.MonkeyPatch, data: str, words: str) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Screens(data))
    console, there = Ec2Console(Purse()), host("", "i-0123456789abcdef0")
    if words:
        with pytest.raises(TransportError, match=words):
            await console.picture(there, 20)
    else:
        assert await console.picture(there, 20) == b"\xff\xd8\xff jpeg"


async def test_what_cannot_be_done_is_said(cloud: str, ec2: Any) -> None:
    console = Ec2Console(Purse())
    with pytest.raises(UnsupportedError, match="needs its option `instance`"):
        await console.power(host(cloud, "x; rm"), 20)
    with pytest.raises(TransportError, match=r"EC2: .*InvalidInstanceID"):
        await console.power(host(cloud, "i-0123456789abcdef0"), 20)
    with pytest.raises(UnsupportedError, match="root volume alone"):
        await console.boot_once(host(cloud, "i-1"), "network", "", 20)
    with pytest.raises(UnsupportedError, match="does not tell"):
        console.news(host(cloud, "i-1"))
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UnreachableError, match="does not answer"):
        await console.power(host(nobody, "i-0123456789abcdef0"), 20)
    assert threading.active_count() < 50


class Volumes(Poser):
    """Stands for a cloud whose volumes do not behave."""

    def __init__(self, mappings: list[dict[str, Any]], seen: list[dict[str, str]]) -> None:
        self._mappings = mappings
        self._seen = seen
        self.calls: list[str] = []

    def describe_instances(self, **_: Any) -> dict[str, Any]:
        found = {
            "State": {"Name": "stopped"},
            "RootDeviceName": "/dev/xvda",
            "BlockDeviceMappings": self._mappings,
        }
        return {"Reservations": [{"Instances": [found]}]}

    def describe_volumes(self, **_: Any) -> dict[str, Any]:
        mine = [{"InstanceId": "i-0123456789abcdef0"}]
        return {"Volumes": [{"Attachments": self._seen if self.calls else mine}]}

    def detach_volume(self, **_: Any) -> None:
        self.calls.append("detach")

    def attach_volume(self, **_: Any) -> None:
        self.calls.append("attach")

    def get_waiter(self, _name: str) -> Volumes:
        return self

    def wait(self, **_: Any) -> None:
        """At once."""

    def close(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("mappings", "kind", "words", "calls"),
    [
        ([], UnsupportedError, "no root volume that can be lent", []),
        (
            [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeId": "vol-2"}}],
            UnsupportedError,
            "no root volume that can be lent",
            [],
        ),
        (
            [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
            TransportError,
            "vol-1 was attached to i-2, and is not seen there",
            ["detach", "attach"],
        ),
    ],
)
async def test_volumes_that_do_not_behave(
    monkeypatch: pytest.MonkeyPatch,
    mappings: list[dict[str, Any]],
    kind: type[Exception],
    words: str,
    calls: list[str],
) -> None:
    volumes = Volumes(mappings, [{"InstanceId": "i-3"}])
    monkeypatch.setattr(boto3, "client", lambda *_, **__: volumes)
    there = host("", "i-0123456789abcdef0")
    console = Ec2Console(Purse())

    async def lend() -> None:
        lent = await console.root_volume(there, "i-2", "/dev/sdf", 20)
        await console.move(there, lent, back=False, timeout=20)

    with pytest.raises(kind, match=words):
        await lend()
    assert volumes.calls == calls


class Refusing(Poser):
    """Stands for a cloud that refuses, or says nothing that can be understood."""

    def __init__(self, error: Exception | None, late: threading.Event | None = None) -> None:
        self._error = error
        self._late = late

    def describe_instances(self, **_: Any) -> dict[str, Any]:
        if self._late is not None:
            self._late.wait(30)
        if self._error is not None:
            raise self._error
        return {}

    def close(self) -> None:
        """Nothing."""


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeInstances")


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (refusal("AuthFailure"), AuthRefusedError, ["refused aws"]),
        (refusal("UnsupportedOperation"), UnsupportedError, []),
        (refusal("RequestLimitExceeded"), TransportError, []),
        (NoCredentialsError(), TransportError, []),
        (None, TransportError, []),
    ],
)
async def test_what_goes_wrong_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
    kind: type[TransportError],
    told: list[str],
) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Refusing(error))
    purse = Purse()
    with pytest.raises((TransportError, UnsupportedError)) as caught:
        await Ec2Console(purse).power(host("", "i-0123456789abcdef0"), 20)
    assert type(caught.value) is kind
    assert purse.told == told


async def test_a_cloud_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    late = threading.Event()
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Refusing(None, late))
    try:
        with pytest.raises(DeadlineError, match=r"within 0\.2 s"):
            await Ec2Console(Purse()).power(host("", "i-0123456789abcdef0"), 0.2)
    finally:
        late.set()


async def test_a_request_that_was_given_up_is_not_sent_again() -> None:
    """Its thread lives on; a stop that it repeats would come after the start that was asked for since."""
    gate, asked = threading.Event(), []

    class Late(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            gate.wait(20)
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            there = host(f"http://127.0.0.1:{server.server_address[1]}", "i-0123456789abcdef0")
            with pytest.raises(DeadlineError):
                await Ec2Console(Purse()).switch(there, on=False, timeout=2.0)
            gate.set()
            for thread in [each for each in threading.enumerate() if each.name == "console"]:
                thread.join(20)
                assert not thread.is_alive()
        finally:
            server.shutdown()
            serving.join()
    assert len(asked) == 1
