"""The way to hosts over SSH, by asyncssh, which is loaded when the first session is opened."""

from __future__ import annotations

from recovery.transports.ssh.limits import max_sessions
from recovery.transports.ssh.settings import SshSettings
from recovery.transports.ssh.transport import SshTransport

__all__ = ["SshSettings", "SshTransport", "max_sessions"]
