"""What can be set for WinRM."""

from __future__ import annotations

from typing import Literal

import msgspec

Auth = Literal["ntlm", "kerberos", "credssp", "certificate", "basic"]


class WinrmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How WinRM sessions are opened. A host's variables say otherwise for it: `winrm_scheme`, `winrm_auth`, ..."""

    scheme: Literal["", "https", "http"] = ""
    """Empty is https, but http where the port is 5985. Over http messages are always encrypted."""
    port: int = 0
    """Where a host names none; 0 is 5986 for https and 5985 for http."""
    auth: Auth = "ntlm"
    """`basic` and `certificate` go over https only."""
    ca_file: str = ""
    """Certificates (PEM) that are believed; empty means the system's."""
    verify: bool = True
    """Check the server's certificate. Without it anybody on the way can pose as the host."""
    proxy: str = ""
    """`http://host:port`; the environment's proxies are never used."""
    look_timeout: float = 2.0
    """Seconds in which a host has to say that it speaks WinRM before a session is tried."""
    operation_timeout: int = 20
    """Seconds after which a host answers a question for output even if there is none yet."""
    read_timeout: int = 60
    """Seconds of silence after which a connection is given up."""
    workers: int = 0
    """Processes that carry sessions; 0 is one for each processor."""
