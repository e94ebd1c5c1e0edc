"""moto's server, which plays EC2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.wire.test_redfish_console import free_port


@contextmanager
def moto_cloud() -> Iterator[str]:
    """Its address, for as long as it runs."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    try:
        place, port = server.get_host_and_port()
        yield f"http://{place}:{port}"
    finally:
        server.stop()
