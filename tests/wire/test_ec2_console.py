"""The EC2 console against moto's server, as far as that goes: it has no console screenshots."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from recovery.consoles.ec2 import Ec2Console
from recovery.engine.deadline import Supervisor
from recovery.engine.power import switch
from recovery.errors import TransportError, UnreachableError, UnsupportedError
from recovery.model.host import ConsoleRef, Host
from tests.wire.test_redfish_console import Purse, free_port

REGION = "eu-central-1"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


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


async def test_a_root_volume_is_lent_to_a_helper_and_comes_back(cloud: str, ec2: Any) -> None:
    sick, helper = new(ec2), new(ec2)
    console, there = Ec2Console(Purse()), host(cloud, sick)
    with pytest.raises(UnsupportedError, match="its power has to be off"):
        await console.lend_root(there, helper, "/dev/sdf", 30)
    await switch(console, there, "off", Supervisor())
    lent = await console.lend_root(there, helper, "/dev/sdf", 30)
    at = ec2.describe_volumes(VolumeIds=[lent.volume])["Volumes"][0]["Attachments"]
    assert [(item["InstanceId"], item["Device"]) for item in at] == [(helper, "/dev/sdf")]
    await console.give_back(there, lent, 30)
    at = ec2.describe_volumes(VolumeIds=[lent.volume])["Volumes"][0]["Attachments"]
    assert [(item["InstanceId"], item["Device"]) for item in at] == [(sick, lent.device)]


class Screens:
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
