"""Network addresses, as far as more than one part asks for them."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether what is sent to this address or name stays on this machine (RFC 6761, section 6.3, for `localhost`)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
