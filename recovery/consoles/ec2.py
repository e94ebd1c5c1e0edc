"""EC2 instances (boto3): console screenshot, state, stop and start, and lending a root volume to a helper instance.

Options of a console: `instance` (its id), `region`. The address is empty, or the endpoint of something that speaks
EC2's API. The credential's user is the access key's id, its password the secret; without one boto3 finds its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from recovery.consoles.extras import Account, Deadline, load
from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.console import BootDevice, Power
from recovery.model.host import Host
from recovery.ports import PICTURE_LIMIT, Credentials, Lent, News

T = TypeVar("T")
_STATES: Mapping[str, Power] = {
    "pending": "on",
    "running": "on",
    "shutting-down": "on",
    "stopping": "on",
    "stopped": "off",
    "terminated": "off",
}
"""EC2's instance states; one that is stopping still has its volumes."""
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_REFUSED = ("AuthFailure", "UnauthorizedOperation", "InvalidClientTokenId", "SignatureDoesNotMatch")
_CONNECT, _READ = 5.0, 15.0


class Ec2Console:
    """`recovery.ports.Console` to EC2."""

    name = "ec2"

    def __init__(self, credentials: Credentials) -> None:
        """Sign in with what `credentials` has under the consoles' names."""
        self._credentials = credentials

    async def picture(self, host: Host, timeout: float) -> bytes:
        """A JPEG of the instance's screen."""

        def take(client: Any, instance: str) -> bytes:
            answer = client.get_console_screenshot(InstanceId=instance, WakeUp=True)
            return _decoded(str(answer.get("ImageData", "")), host)

        return await self._do(host, timeout, take)

    async def crash_picture(self, host: Host, timeout: float) -> None:
        """EC2 keeps none."""

    async def power(self, host: Host, timeout: float) -> Power:
        """By the instance's state."""
        state = await self._do(host, timeout, _state)
        return _STATES.get(state, "unknown")

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        """Start it, or stop it by force: a system that crashes does not shut down."""

        def ask(client: Any, instance: str) -> None:
            if on:
                client.start_instances(InstanceIds=[instance])
            else:
                client.stop_instances(InstanceIds=[instance], Force=True)

        await self._do(host, timeout, ask)

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        """EC2 has no such thing; a root volume is lent to a helper instead (`move`)."""
        del device, medium, timeout
        raise UnsupportedError(f"{host.name}: EC2 starts instances from their root volume alone")

    def news(self, host: Host) -> AsyncIterator[News]:
        """EC2 does not tell by itself."""
        raise UnsupportedError(f"{host.name}: EC2 is asked, and does not tell")

    async def checks(self, host: Host, timeout: float) -> str:
        """EC2's status checks: of what is below the instance, and of the instance (its network answers)."""

        def ask(client: Any, instance: str) -> str:
            found = client.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
            return "; ".join(map(_checked, found[:1]))

        return await self._do(host, timeout, ask)

    async def root_volume(self, host: Host, helper: str, device: str, timeout: float) -> Lent:
        """The root volume of the host's instance, with its name there."""

        def look(client: Any, instance: str) -> Lent:
            if helper == instance:
                raise UnsupportedError(f"{host.name}: its helper has to be another instance")
            volume, own = _root_volume(_described(client, instance), host)
            return Lent(volume, instance, own, helper, device)

        return await self._do(host, timeout, look)

    async def move(self, host: Host, lent: Lent, *, back: bool, timeout: float) -> None:
        """Detach it from where it is and attach it to where it is to go; read again afterwards."""
        ends = ((lent.helper, lent.helper_device), (lent.owner, lent.device))
        source, (target, name) = (ends[0][0], ends[1]) if back else (ends[1][0], ends[0])

        def go(client: Any, instance: str) -> None:
            if instance != lent.owner:
                raise UnsupportedError(f"{host.name}: {lent.volume} is not of {instance}")
            state = _state(client, instance)
            if state != "stopped":
                raise UnsupportedError(f"{host.name}: it is {state}; its power has to be off")
            at = _holder(client, lent.volume)
            if at == target:
                return
            if at not in (source, ""):
                raise UnsupportedError(f"{host.name}: {lent.volume} is at {at}, and stays there")
            if at:
                client.detach_volume(VolumeId=lent.volume, InstanceId=at)
            client.get_waiter("volume_available").wait(VolumeIds=[lent.volume], WaiterConfig=_WAIT)
            client.attach_volume(VolumeId=lent.volume, InstanceId=target, Device=name)
            client.get_waiter("volume_in_use").wait(VolumeIds=[lent.volume], WaiterConfig=_WAIT)
            if _holder(client, lent.volume) != target:
                message = (
                    f"{host.name}: {lent.volume} was attached to {target}, and is not seen there"
                )
                raise TransportError(message)

        await self._do(host, timeout, go)

    async def aclose(self) -> None:
        """Nothing is held between two operations."""

    async def _do(self, host: Host, timeout: float, work: Callable[[Any, str], T]) -> T:
        """Carry `work` out in a thread. Raises `TransportError`, `UnsupportedError`."""
        console = host.console
        instance = console.options.get("instance", "") if console else ""
        if console is None or not _INSTANCE.fullmatch(instance):
            raise UnsupportedError(
                f"{host.name}: an ec2 console needs its option `instance`, such as i-0123456789abcdef0"
            )
        boto3 = load("boto3", "ec2", "aws")
        account = Account(self._credentials, console.credential)
        credential = await account.credential()
        secret = credential.password if credential else None

        def all_of_it(deadline: Deadline) -> T:
            client = boto3.client(
                "ec2",
                region_name=console.options.get("region") or None,
                endpoint_url=console.address or None,
                aws_access_key_id=credential.user if credential else None,
                aws_secret_access_key=secret.reveal() if secret else None,
                config=load("botocore.config", "ec2", "aws").Config(
                    connect_timeout=_CONNECT, read_timeout=_READ, retries={"max_attempts": 1}
                ),
            )
            client.meta.events.register("before-send.ec2", lambda **_: _in_time(deadline))
            try:
                return _told(host, lambda: work(client, instance))
            finally:
                client.close()

        return await account.used(f"{host.name}: EC2", timeout, all_of_it)


def _in_time(deadline: Deadline) -> None:
    """Nothing is sent that nobody waits for any more."""
    deadline.left(_READ)


_WAIT = {"Delay": 2, "MaxAttempts": 60}
"""Seconds between two looks at a volume, and how many there are."""


def _told(host: Host, work: Callable[[], T]) -> T:
    errors = load("botocore.exceptions", "ec2", "aws")
    try:
        return work()
    except errors.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        said = f"{host.name}: EC2: {str(error)[:300]}"
        if code in _REFUSED:
            raise AuthRefusedError(said) from None
        if code in ("InvalidAction", "UnsupportedOperation", "404"):
            raise UnsupportedError(said) from None
        raise TransportError(said) from None
    except (errors.EndpointConnectionError, errors.HTTPClientError) as error:
        raise UnreachableError(f"{host.name}: EC2 does not answer: {str(error)[:300]}") from None
    except TimeoutError:
        raise DeadlineError(f"{host.name}: EC2 did not answer in time") from None
    except (errors.BotoCoreError, ValueError, KeyError) as error:
        raise TransportError(f"{host.name}: EC2: {str(error)[:300]}") from None


def _described(client: Any, instance: str) -> dict[str, Any]:
    reservations = client.describe_instances(InstanceIds=[instance])["Reservations"]
    found: dict[str, Any] = reservations[0]["Instances"][0]
    return found


def _state(client: Any, instance: str) -> str:
    return str(_described(client, instance).get("State", {}).get("Name"))


def _root_volume(found: dict[str, Any], host: Host) -> tuple[str, str]:
    root = str(found.get("RootDeviceName", ""))
    for mapping in found.get("BlockDeviceMappings", ()):
        if mapping.get("DeviceName") == root and "Ebs" in mapping:
            return str(mapping["Ebs"]["VolumeId"]), root
    raise UnsupportedError(f"{host.name}: it has no root volume that can be lent (instance store?)")


def _holder(client: Any, volume: str) -> str:
    """The instance that has the volume; empty where none has."""
    found = client.describe_volumes(VolumeIds=[volume])["Volumes"][0].get("Attachments", ())
    return next((str(item["InstanceId"]) for item in found), "")


def _checked(status: dict[str, Any]) -> str:
    """One instance's checks in words: `ok`, `impaired`, `initializing`, `insufficient-data`."""
    names = {"system": "SystemStatus", "instance": "InstanceStatus"}
    said = {name: str(status.get(key, {}).get("Status", ""))[:40] for name, key in names.items()}
    return ", ".join(f"{name} {word}" for name, word in said.items() if word)


def _decoded(text: str, host: Host) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise TransportError(f"{host.name}: EC2's picture is not base64") from None
    if not data or len(data) > PICTURE_LIMIT:
        raise TransportError(f"{host.name}: EC2's picture has {len(data)} bytes")
    return data
