"""How many hosts are in what state."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from recovery.model.evidence import Verdict
from recovery.report.course import DOWN, LEFT, Share, Standing
from recovery.tui.draw import figures
from recovery.tui.draw.figures import Part, bar, count, lines, money, some
from recovery.tui.inert import plain
from recovery.tui.signs import PROGRESS, VERDICTS, Sign
from recovery.tui.snapshot import Snapshot

_NAME = 11
_FIGURE = 6


def headline(snapshot: Snapshot, width: int, _height: int) -> Content:
    """The one thing to read: how much is left, and what it costs."""
    standing = snapshot.standing
    left = Content.assemble(
        (f" {count(standing.left)}", "bold"),
        " to do   ",
        (f"{count(standing.proven)}", "bold"),
        " proven   ",
        (f"{count(standing.never_hit)}", "bold"),
        " never hit   ",
        (f"{count(standing.verdicts.get(Verdict.UNKNOWN, 0))}", "bold"),
        f" unknown   of {some(standing.total, 'host')}",
    )
    bars = Content.assemble(" ", bar(parts(standing.verdicts), max(0, width - 2)))
    legend = _legend(standing.verdicts)
    if not standing.since:
        return lines([left, bars, legend])
    for row in (left, legend):
        for loss in _losses(standing):
            room = width - row.cell_length - loss.cell_length - 1
            if room > 1:
                told = Content.assemble(row, " " * room, loss)
                return lines([told, bars, legend] if row is left else [left, bars, told])
    return lines([left, bars, legend])


def _losses(standing: Standing) -> tuple[Content, ...]:
    """What is lost, in full and in short."""
    style = "bold $error" if standing.loss_per_hour > 0 else "bold $success"
    rate = money(standing.loss_per_hour)
    so_far = f", {money(standing.lost)} so far"
    return (
        Content.assemble("losing ", (f"{rate} an hour", style), so_far),
        Content.assemble("losing ", (f"{rate}/h", style), so_far),
        Content.assemble("losing ", (f"{rate}/h", style)),
    )


def _legend(verdicts: Mapping[str, int]) -> Content:
    words = ("fine", "at risk", "down", "unknown")
    return Content.assemble(
        *(
            piece
            for word, (amount, glyph, style) in zip(words, parts(verdicts), strict=True)
            for piece in ((f" {glyph} ", style), f"{word} {count(amount)}  ")
        )
    )


def parts(verdicts: Mapping[str, int]) -> tuple[Part, ...]:
    """The parts of a bar: fine, at risk, down, unknown."""
    down = sum(verdicts.get(verdict, 0) for verdict in DOWN)
    risk = sum(verdicts.get(verdict, 0) for verdict in LEFT - DOWN)
    unknown = verdicts.get(Verdict.UNKNOWN, 0)
    fine = verdicts.get(Verdict.HEALTHY, 0) + verdicts.get(Verdict.RECOVERED, 0)
    return (
        (fine, *figures.FINE),
        (risk, *figures.AT_RISK),
        (down, *figures.DOWN),
        (unknown, *figures.UNKNOWN),
    )


def verdicts(snapshot: Snapshot, width: int, _height: int) -> Content:
    """Hosts by verdict."""
    return _rows(VERDICTS, snapshot.standing.verdicts, width)


def progress(snapshot: Snapshot, width: int, _height: int) -> Content:
    """Hosts by what has been done about them."""
    return _rows(PROGRESS, snapshot.standing.progress, width)


def _rows(signs: Mapping[str, Sign], counts: Mapping[str, int], width: int) -> Content:
    rows = []
    for name, sign in signs.items():
        number = counts.get(name, 0)
        room = max(1, min(width, 30) - len(sign.word) - len(count(number)) - 4)
        text = f"{sign.word}{' ' * room}{count(number)}"
        look = "$muted" if not number else ""
        rows.append(
            Content.assemble(
                (f" {sign.symbol} ", sign.style if number else "$muted"),
                (text, look) if look else text,
            )
        )
    return lines(rows)


def sites(snapshot: Snapshot, width: int, height: int) -> Content:
    """Sites, those with most to do first."""
    return _groups(snapshot.standing.sites, width, height, cost=False)


def services(snapshot: Snapshot, width: int, height: int) -> Content:
    """Services, those that lose most first."""
    return _groups(snapshot.standing.services, width, height, cost=True)


def _groups(found: tuple[Share, ...], width: int, height: int, *, cost: bool) -> Content:
    if not found:
        return Content.styled(" the inventory names none", "$muted")
    order = sorted(found, key=lambda share: (-share.loss_per_hour if cost else 0.0, -share.left))
    room = max(1, height)
    shown = order if len(order) <= room else order[: room - 1]
    rows = [_group(share, width, cost=cost) for share in shown]
    if len(shown) < len(order):
        rest = order[len(shown) :]
        left = sum(share.left for share in rest)
        words = f" and {len(rest)} more with {count(left)} to do"
        rows.append(Content.styled(words, "$muted"))
    return lines(rows)


def _group(share: Share, width: int, *, cost: bool) -> Content:
    name = plain(share.name, _NAME) or "(none)"
    loss = f"  {money(share.loss_per_hour)}/h" if cost else ""
    tail = f" {count(share.left):>{_FIGURE}} of {count(share.total)}{loss:>12}"
    room = max(4, width - _NAME - len(tail) - 3)
    return Content.assemble(
        f" {name:<{_NAME}} ",
        bar(parts(share.verdicts), room),
        (tail, "" if share.left else "$muted"),
    )
