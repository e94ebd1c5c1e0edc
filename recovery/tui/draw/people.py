"""What waits for a person."""

from __future__ import annotations

from collections import Counter

from textual.content import Content

from recovery.model.evidence import Verdict
from recovery.tui.draw.figures import count, lines, span
from recovery.tui.inert import plain
from recovery.tui.snapshot import Snapshot

_SITES = 6


def people(snapshot: Snapshot, width: int, height: int) -> Content:
    """Questions that nobody has answered, hosts that need hands, what technicians have, and keys that are missing."""
    rows = [*_questions(snapshot), *_hands(snapshot), *_desk(snapshot), *_keys(snapshot)]
    if not rows:
        return Content.styled(" nothing", "$muted")
    return lines([row.truncate(width, ellipsis=True) for row in rows[: max(1, height)]])


def _questions(snapshot: Snapshot) -> list[Content]:
    return [
        Content.assemble(
            (" ► ", "bold $warning"),
            (f"approve {plain(asked.gate, 20)}", "bold"),
            f": {plain(asked.question, 200)}",
            (f"  {span((snapshot.now - asked.at).total_seconds())}", "$muted"),
        )
        for line in snapshot.runs
        if line.is_open and line.mock == snapshot.mock
        for asked in line.view.asked
    ]


def _hands(snapshot: Snapshot) -> list[Content]:
    hands = snapshot.hands
    if not hands:
        return []
    longest = span((snapshot.now - hands[0].opened).total_seconds())
    return [
        Content.assemble(
            (" @ ", "$warning"), (count(len(hands)), "bold"), f" need hands, longest {longest}"
        ),
        *_by_site(snapshot),
    ]


def _by_site(snapshot: Snapshot) -> list[Content]:
    sites = Counter(snapshot.site_of(hand.host) or "no site" for hand in snapshot.hands)
    shown = [f"{plain(site, 12)} {count(number)}" for site, number in sites.most_common(_SITES)]
    return [Content.styled(f"   {', '.join(shown)}", "$muted")]


def _desk(snapshot: Snapshot) -> list[Content]:
    """What technicians have in hand, and what nobody has proven of it."""
    desk = snapshot.desk
    held = desk.claimed + desk.on_site
    words = (
        [
            f"{count(held)} with {count(desk.techs)} {'technician' if desk.techs == 1 else 'technicians'}"
        ]
        if held
        else []
    )
    words += [f"{count(desk.says_done)} said to be done"] if desk.says_done else []
    words += [f"{count(desk.came_back)} came back"] if desk.came_back else []
    words += [f"{count(desk.escalated)} escalated"] if desk.escalated else []
    return [Content.assemble((" ▸ ", "$accent"), ", ".join(words))] if words else []


def _keys(snapshot: Snapshot) -> list[Content]:
    keys = snapshot.standing.verdicts.get(Verdict.NEEDS_KEY, 0)
    if not keys:
        return []
    return [Content.assemble((" ♦ ", "$error"), (count(keys), "bold"), " wait for a recovery key")]
