"""The lab: a few guests with keys, an inventory and everything else that a tool needs to work on them."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import asyncssh
import yaml

from tests.lab.disk import make_disk
from tests.lab.guest import Guest, GuestSpec
from tests.lab.image import Image
from tests.lab.tools import LabUnavailableError

CREDENTIAL = "lab"
"""What the inventory calls the credential: user root with the lab's private key."""
FLEET = (
    GuestSpec("lab-3s", 3),
    GuestSpec("lab-6s", 6),
    GuestSpec("lab-12s", 12),
    GuestSpec("lab-healthy", None),
)


class Lab:
    """Guests that run while the context is open. They end with this process, however it ends."""

    def __init__(self, image: Image, folder: Path, specs: Sequence[GuestSpec] = FLEET) -> None:
        self.folder = folder
        self.inventory = folder / "inventory.yaml"
        self.known_hosts = folder / "known_hosts"
        self.private_key = folder / "id_ed25519"
        self._image = image
        self._specs = tuple(specs)
        self._stack = ExitStack()
        self.guests: dict[str, Guest] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for guest in self._prepared():
                guest.start()
                stack.callback(guest.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def __getitem__(self, name: str) -> Guest:
        return self.guests[name]

    def _prepared(self) -> list[Guest]:
        """Keys, disks, and the files that describe the fleet."""
        public = _new_key(self.private_key)
        lines: list[str] = []
        for spec, (address, port) in zip(
            self._specs, _free_addresses(len(self._specs)), strict=True
        ):
            guest = Guest(spec, self._image, self.folder, address, port)
            key = self.folder / f"{spec.name}.hostkey"
            lines.append(f"[{address}]:{port} {self._image.new_host_key(key)}\n")
            own = {
                "etc/hostname": spec.name.encode() + b"\n",
                "etc/dropbear/ed25519": key.read_bytes(),
                "root/.ssh/authorized_keys": public,
            }
            make_disk(self._image, guest.disk, bad=spec.window is not None, own=own)
            self.guests[spec.name] = guest
        self.known_hosts.write_text("".join(lines))
        self.inventory.write_text(_inventory(self.guests.values()))
        return list(self.guests.values())


def _inventory(guests: Iterable[Guest]) -> str:
    hosts = {guest.name: {"address": guest.address, "port": guest.port} for guest in guests}
    defaults = {
        "os": "linux",
        "transport": "ssh",
        "user": "root",
        "credential": CREDENTIAL,
        "kind": "server",
    }
    return yaml.safe_dump({"defaults": defaults, "hosts": hosts}, sort_keys=False)


def _new_key(path: Path) -> bytes:
    """Write a new private key; return its public half as a line for authorized_keys."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    path.write_bytes(key.export_private_key())
    return key.export_public_key()


def _free_addresses(count: int) -> list[tuple[str, int]]:
    """An address and port for each guest that nothing listens on: 127.77.X.1:2201, 127.77.X.2:2202, ..."""
    for third in random.sample(range(1, 255), 50):
        found = [(f"127.77.{third}.{number}", 2200 + number) for number in range(1, count + 1)]
        if all(_free(address, port) for address, port in found):
            return found
    raise LabUnavailableError("no free addresses in 127.77.0.0/16")


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
