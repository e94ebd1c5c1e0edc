"""The way to hosts over WinRM, by pywinrm in worker processes; nothing of it is loaded in this one."""

from __future__ import annotations

from recovery.transports.winrm.means import means
from recovery.transports.winrm.settings import WinrmSettings
from recovery.transports.winrm.transport import WinrmTransport

__all__ = ["WinrmSettings", "WinrmTransport", "means"]
