"""How each state looks: a colour, a symbol and a word, any of which is enough by itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from recovery.model.events import Outcome
from recovery.model.evidence import Progress, Verdict
from recovery.model.ticket import Stage


class Sign(msgspec.Struct, frozen=True):
    """The look of one state."""

    symbol: str
    """One cell wide in every terminal."""
    word: str
    style: str
    """In tokens of the theme."""


VERDICTS: Mapping[str, Sign] = {
    Verdict.HEALTHY: Sign("✓", "healthy", "$success"),
    Verdict.RECOVERED: Sign("★", "recovered", "bold $success"),
    Verdict.EXPOSED: Sign("△", "exposed", "$warning"),
    Verdict.DEGRADED: Sign("◐", "degraded", "$warning"),
    Verdict.CRASH_LOOP: Sign("↻", "crash loop", "$error"),
    Verdict.BLUE_SCREEN: Sign("■", "blue screen", "$error"),
    Verdict.RECOVERY_SCREEN: Sign("▣", "recovery screen", "$error"),
    Verdict.NEEDS_KEY: Sign("♦", "needs key", "$error"),
    Verdict.DARK: Sign("○", "dark", "bold $error"),
    Verdict.UNKNOWN: Sign("?", "unknown", "$muted"),
}
"""In the order in which they are shown: what is fine, what may break, what is broken, what nobody knows."""

PROGRESS: Mapping[str, Sign] = {
    Progress.UNTOUCHED: Sign("·", "untouched", "$muted"),
    Progress.FIXING: Sign("▸", "fixing", "$accent"),
    Progress.FIXED: Sign("▪", "fixed", "$accent"),
    Progress.REBOOTING: Sign("↺", "rebooting", "$accent"),
    Progress.SETTLING: Sign("≈", "settling", "$accent"),
    Progress.WITH_TECHNICIAN: Sign("@", "with technician", "$warning"),
    Progress.DONE: Sign("✓", "done", "$success"),
    Progress.GAVE_UP: Sign("✗", "gave up", "$error"),
}

OUTCOMES: Mapping[str, Sign] = {
    Outcome.RECOVERED: Sign("★", "recovered", "bold $success"),
    Outcome.HEALTHY: Sign("✓", "healthy", "$success"),
    Outcome.DONE: Sign("●", "done", "$success"),
    Outcome.HANDED_OVER: Sign("@", "handed over", "$warning"),
    Outcome.UNREACHABLE: Sign("○", "unreachable", "$error"),
    Outcome.FAILED: Sign("✗", "failed", "$error"),
    Outcome.CANCELLED: Sign("-", "cancelled", "$muted"),
}

STAGES: Mapping[str, Sign] = {
    Stage.WAITING: Sign("▫", "waiting", "$warning"),
    Stage.CLAIMED: Sign("▸", "claimed", "$accent"),
    Stage.ON_SITE: Sign("@", "on site", "$accent"),
    Stage.SAYS_DONE: Sign("◑", "says done", "$warning"),
    Stage.PROVEN: Sign("★", "proven", "bold $success"),
    Stage.CAME_BACK: Sign("↻", "came back", "$error"),
    Stage.ESCALATED: Sign("▲", "escalated", "$error"),
}
"""The desk's tickets, in the order of their way."""
