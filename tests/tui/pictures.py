"""Screens as pictures: what a screen looks like is compared with what somebody has looked at and found right.

`RECOVERY_NEW_PICTURES=1 python -m pytest tests/tui` writes them anew; look at each of them before it is kept.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from recovery.tui.app import Dashboard

_FOLDER = Path(__file__).parent / "pictures"
_ANEW = bool(os.environ.get("RECOVERY_NEW_PICTURES"))
"""Read before the environment is cleaned for the tests."""


def _drawn(app: Dashboard) -> str:
    """The screen as SVG, without the number that makes each export's style names its own."""
    return re.sub(r"\bterminal-\d+-", "terminal-", app.export_screenshot(title="recovery tui"))


def looks_as_kept(app: Dashboard, name: str) -> bool:
    """Whether the screen is the one that was kept. What it is instead stands beside it as `NAME.new.svg`."""
    kept, found = _FOLDER / f"{name}.svg", _drawn(app)
    _FOLDER.mkdir(exist_ok=True)
    if _ANEW:
        kept.write_text(found)
    if kept.exists() and kept.read_text() == found:
        return True
    kept.with_suffix(".new.svg").write_text(found)
    return False
