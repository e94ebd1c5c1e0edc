"""The status report on one page: as a document for programs, and as text and Markdown for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from recovery.report import briefing
from recovery.report.briefing import Briefing, Counts, Place
from recovery.report.course import Share
from recovery.report.groups import Group
from recovery.report.tally import TITLES, Changes, Row, Tally

SCHEMA = 1


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a status report says."""

    brief: Briefing
    tally: Tally
    changes: Changes | None = None

    @property
    def proven_last_hour(self) -> int:
        """Hosts that were proven in the last hour, less those that were lost again."""
        return briefing.proven_last_hour(self.brief.standing)


def document(page: Page) -> dict[str, Any]:
    """The report as JSON that others may rely on. Times are ISO 8601 in UTC, losses in the fleet's currency."""
    brief, whole = page.brief, page.tally.whole
    return {
        "schema": SCHEMA,
        "at": msgspec.to_builtins(brief.at),
        "mock": brief.mock,
        "total": whole.total,
        "affected": whole.affected,
        "groups": dict(whole.counts),
        "proven_last_hour": page.proven_last_hour,
        "goals": msgspec.to_builtins(list(brief.goals)),
        "loss_per_hour": brief.standing.loss_per_hour,
        "lost": brief.standing.lost,
        "since": msgspec.to_builtins(brief.standing.since),
        "sites": [_row(row) for row in page.tally.sites],
        "services": [
            {**_row(row), "loss_per_hour": row.loss_per_hour} for row in page.tally.services
        ],
        "changes": msgspec.to_builtins(page.changes),
        "questions": list(brief.questions),
        "run": brief.run,
    }


def markdown(page: Page) -> str:
    """The report as Markdown that reads as plain text; nothing from outside is markup in it."""
    standing, found = page.brief.standing, page.tally
    counts = Counts(
        summary=list(_summary(page)),
        services=_places(found.services, standing.services),
        sites=_places(found.sites, standing.sites),
        left="Left",
    )
    return briefing.markdown(page.brief, counts)


def change_lines(changed: Changes) -> Iterator[str]:
    """What has changed, in sentences of plain text."""
    named = "the last report" if changed.report else "then"
    yield f"Since {changed.since:%Y-%m-%d %H:%M} UTC ({named}): {_moves(changed)}"
    yield (
        f"Newly proven: {changed.proven:,}. Came back: {changed.came_back:,}{_some(changed.back)}. "
        f"Newly hit: {changed.newly_hit:,}{_some(changed.hit)}. Lost meanwhile: {changed.lost:,.0f}."
    )


def ordered(rows: tuple[Row, ...]) -> list[Row]:
    """Those that cost most first, then those with most to do."""
    return sorted(rows, key=lambda row: (-row.loss_per_hour, -row.left, row.name))


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "total": row.total,
        "affected": row.affected,
        "groups": dict(row.counts),
    }


def _summary(page: Page) -> Iterator[str]:
    whole = page.tally.whole
    yield f"| {'Hosts':<21} | Number | Share |"
    yield f"|{'-' * 23}|-------:|------:|"
    for name, count in (
        *((TITLES[group], count) for group, count in groups_of(whole)),
        ("All together", whole.total),
    ):
        yield f"| {name:<21} | {count:>6,} | {_share(count, whole.total):>5} |"
    yield ""
    proven = whole.counts[Group.PROVEN]
    of = f" ({_share(proven, whole.affected)} of the affected)" if whole.affected else ""
    yield f"- Affected: **{whole.affected:,}**. Proven: **{proven:,}**{of}. Left: **{whole.left:,}**."
    for line in change_lines(page.changes) if page.changes else ():
        yield f"- {briefing.inert(line)}"


def _places(rows: Sequence[Row], shares: Sequence[Share]) -> list[Place]:
    """The groups say who is left, the verdicts who is down."""
    down = {share.name: share.down for share in shares}
    loss = {share.name: share.loss_per_hour for share in shares}
    return [
        Place(
            name=row.title or row.name,
            left=row.left,
            down=down.get(row.name, 0),
            total=row.total,
            loss_per_hour=loss.get(row.name, 0.0),
        )
        for row in rows
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _moves(changed: Changes) -> str:
    moved = [
        f"{TITLES[group].lower()} {changed.counts[group]:+,}"
        for group in TITLES
        if changed.counts[group]
    ]
    return (", ".join(moved) or "no host moved from one group to another") + "."


def _some(names: tuple[str, ...]) -> str:
    return f" ({', '.join(names[:5])}{', …' if len(names) > 5 else ''})" if names else ""  # noqa: PLR2004


def groups_of(row: Row) -> list[tuple[Group, int]]:
    """The groups in the order in which they are shown, with their hosts."""
    return [(group, row.counts[group]) for group in TITLES]
