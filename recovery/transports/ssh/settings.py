"""What can be set for SSH."""

from __future__ import annotations

import msgspec


class SshSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How SSH sessions are opened."""

    known_hosts: tuple[str, ...] = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
    """Files with the keys of hosts, read once; missing ones are empty."""
    pins: str = ""
    """File that keeps the keys that were accepted at first sight; empty means that they are kept for the run only."""
    accept_new: bool = False
    """Accept and pin the key of a host that nobody knows. A changed key is refused all the same."""
    config: str = "~/.ssh/config"
    """OpenSSH client configuration: host aliases, users, ports, keys, jump hosts. Empty means none."""
    look_timeout: float = 1.5
    """Seconds in which a host has to say that it speaks SSH before a session is tried."""
    keepalive: float = 2.0
    """Seconds between keepalives; three without an answer end the session."""
    gateway_rate: float = 10.0
    """New connections a second through one gateway: sshd drops some at random when too many come at once."""
    gateway_credential: str = ""
    """Credential that jump hosts are entered with; empty means that of the host behind them."""
