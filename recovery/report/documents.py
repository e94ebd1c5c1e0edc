"""The status page and the after-action report as HTML documents, each one file that needs nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element

import msgspec

from recovery.model.host import Fleet, Host
from recovery.report.briefing import when
from recovery.report.charts import COLOURS, Bar, Line, bars, over_time
from recovery.report.course import Standing
from recovery.report.effort import Effort
from recovery.report.groups import Group
from recovery.report.markup import node, page, table
from recovery.report.page import Page, change_lines, groups_of, ordered
from recovery.report.story import Outage, Story
from recovery.report.tally import HEADS, TITLES, Row

_ROWS = 25
_SITES = 30
_HOUR = 3600.0
_SIMULATED = "These are SIMULATED hosts. Nothing in this report is real."


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What an after-action report is made of."""

    page: Page
    fleet: Fleet
    story: Story
    effort: Sequence[Effort] = ()
    restarts: Mapping[str, int] = {}
    """Host to its restarts."""
    causes: Sequence[Sequence[str]] = ()
    """A row for each cause of restarts: cause, who, how many, how many of them two boots prove."""
    keys: Sequence[Sequence[str]] = ()
    """A row for each recovery key to rotate: host, key id, who has seen it, when."""


def status_html(found: Page) -> str:
    """The status report."""
    title = f"Status of the recovery, {_time(found.brief.at)} UTC"
    return page(title, node("h1", title), *_standing(found), *_places(found), _meaning())


def review_html(review: Review) -> str:
    """The after-action report."""
    at = review.page.brief.at
    title = f"After-action report, {_time(at)} UTC"
    return page(
        title,
        node("h1", title),
        *_standing(review.page),
        *_chapter("Burn-down", _course(review.page.brief.standing)),
        *_chapter("Timeline", _timeline(review.story)),
        *_places(review.page),
        *_chapter("Longest outages", _outages(review, at)),
        *_chapter("What each step achieved", _steps(review.story)),
        *_chapter("People", _people(review)),
        *_chapter("Restarts", _reboots(review)),
        *_chapter("Without protection", _unprotected(review.story, at)),
        *_chapter("Recovery keys to rotate", _keys(review)),
        *_chapter("Verdicts that were wrong", _mistakes(review.story)),
        *_chapter("What the guard stopped", _stops(review.story)),
        _meaning(),
    )


def _chapter(title: str, parts: Iterator[Element]) -> list[Element]:
    return [node("h2", title), *parts]


def _standing(found: Page) -> Iterator[Element]:
    brief, whole = found.brief, found.tally.whole
    if brief.mock:
        yield node("p", _SIMULATED, kind="warning")
    yield node(
        "p",
        f"{whole.total:,} hosts, {whole.affected:,} of them affected, {whole.left:,} left. "
        f"Loss: {brief.standing.loss_per_hour:,.0f} an hour now, {brief.standing.lost:,.0f} so far. "
        f"Proven in the last hour: {found.proven_last_hour:,}.",
    )
    tiles = (
        node("div", node("b", f"{count:,}"), TITLES[group], kind=f"tile {group}")
        for group, count in groups_of(whole)
    )
    yield node("div", *tiles, kind="tiles")
    goals = [f"{goal.name} ({goal.hosts:,} hosts): {when(goal)}" for goal in brief.goals]
    if goals:
        yield node("p", "; ".join(goals).capitalize() + ".")
    if brief.run:
        yield node("p", f"Under way: {brief.run}")
    for question in brief.questions:
        yield node("p", f"Waiting for a decision: {question}")
    for line in change_lines(found.changes) if found.changes else ():
        yield node("p", line)


def _course(standing: Standing) -> Iterator[Element]:
    samples = standing.samples
    left = Line("left", COLOURS["to_do"], [(each.at, each.left) for each in samples])
    proven = Line("proven", COLOURS["proven"], [(each.at, each.proven) for each in samples])
    yield over_time("Hosts that are left and hosts that are proven, over time", [left, proven])
    if standing.lost > 0:
        points = [(each.at, each.lost) for each in samples]
        lost = Line("lost so far", COLOURS["people"], points, even=True)
        yield over_time("Loss so far, over time", [lost], "loss")


def _places(found: Page) -> Iterator[Element]:
    for what, rows in (("site", found.tally.sites), ("service", found.tally.services)):
        yield node("h2", f"By {what}")
        hurt = [row for row in ordered(rows) if row.affected or row.counts[Group.UNKNOWN]]
        shown = hurt[:_SITES]
        yield bars(f"Hosts by {what} and group", [_bar(row) for row in shown])
        yield node("p", _legend(), kind="faint")
        heads = (what.capitalize(), "Hosts", "Affected", *HEADS.values(), "Loss an hour")
        cells = (
            (_name(row), f"{row.total:,}", f"{row.affected:,}",
             *(f"{count:,}" for _, count in groups_of(row)), f"{row.loss_per_hour:,.0f}")
            for row in shown
        )  # fmt: skip
        loss = what == "service"
        keep = len(heads) if loss else len(heads) - 1
        yield table(heads[:keep], (row[:keep] for row in cells), numbers=" " + "n" * (keep - 1))
        if len(hurt) < len(rows) or len(shown) < len(hurt):
            more = f"{len(rows) - len(shown)} more, {len(hurt) - len(shown)} of them with hosts that were hit."
            yield node("p", more, kind="faint")


def _bar(row: Row) -> Bar:
    done = row.counts[Group.PROVEN]
    said = f"{done:,} of {row.affected:,} proven" if row.affected else ""
    return Bar(_name(row), [(group.value, count) for group, count in groups_of(row)], said)


def _legend() -> Element:
    marks = []
    for group, title in TITLES.items():
        box = node("rect", attributes={"width": "10", "height": "10", "fill": COLOURS[group]})
        own = {"viewBox": "0 0 10 10", "width": "10", "height": "10"}
        marks.append(node("span", node("svg", box, attributes=own), f" {title}", kind="mark"))
    return node("span", *marks, kind="legend")


def _timeline(story: Story) -> Iterator[Element]:
    yield table(
        ("When (UTC)", "Run", "What"),
        ((_time(each.at), each.run, each.what) for each in story.moments),
        numbers="tt ",
    )
    if story.left_out:
        yield node(
            "p", f"{story.left_out:,} more are in the journal: recovery events", kind="faint"
        )


def _outages(review: Review, at: datetime) -> Iterator[Element]:
    found = sorted(review.story.all_outages(), key=lambda each: (-each.hours(at), each.host))
    hosts = {host.name: host for host in review.fleet.hosts}
    mine = [each for each in found if each.host in hosts]
    whole = sum(each.hours(at) for each in mine)
    count = len({each.host for each in mine})
    told = f"{len(mine):,} outages of {count:,} hosts, {whole:,.1f} host-hours, as far as they were seen."
    yield node("p", told)
    yield table(
        ("Host", "Site", "Service", "Location", "Down since", "Until", "Hours"),
        (_outage(each, hosts[each.host], at) for each in mine[:_ROWS]),
        numbers="    ttn",
    )


def _outage(each: Outage, host: Host, at: datetime) -> tuple[str, ...]:
    until = _time(each.until) if each.until else "goes on"
    place = (host.site, host.service, host.location)
    return (each.host, *place, _time(each.since), until, f"{each.hours(at):,.1f}")


def _steps(story: Story) -> Iterator[Element]:
    yield table(
        ("Step", "Hosts", "Carried out", "Proved", "Attempts", "Failed", "Hours", "How attempts ended"),
        (
            (work.step, f"{len(work.hosts):,}", f"{len(work.achieved):,}", f"{len(work.proved):,}",
             f"{work.attempts:,}", f"{work.attempts - work.outcomes['ok'] - work.outcomes['already']:,}",
             f"{work.seconds / _HOUR:,.1f}", _counted(work.outcomes))
            for work in sorted(story.steps.values(), key=lambda work: -work.attempts)
        ),
        numbers=" nnnnnn ",
    )  # fmt: skip
    yield node("p", "Proved: hosts that became recovered by what the step saw.", kind="faint")


def _people(review: Review) -> Iterator[Element]:
    waiting = review.page.tally.whole.counts[Group.PEOPLE]
    yield node("p", f"Waiting for people at the end: {waiting:,} hosts.")
    if not review.effort:
        yield node("p", "The journal holds no work of technicians.", kind="faint")
        return
    yield table(
        ("Technician", "Claimed", "Said done", "Proven", "Tries", "Restarts", "Hours"),
        (
            (each.tech, f"{each.claimed:,}", f"{each.said_done:,}", f"{each.proven:,}", f"{each.tries:,}",
             f"{each.restarts:,}", f"{each.seconds / _HOUR:,.1f}")
            for each in review.effort
        ),
        numbers=" nnnnnn",
    )  # fmt: skip


def _reboots(review: Review) -> Iterator[Element]:
    found = Counter(review.restarts)
    yield node(
        "p",
        f"{found.total():,} restarts of {len(found):,} hosts, as far as they were seen or said.",
    )
    counts = Counter(found.values())
    rows = [
        Bar(f"{count} restart{'s' if count > 1 else ''}", [("proven", hosts)], f"{hosts:,} hosts")
        for count, hosts in sorted(counts.items())[:16]
    ]
    if rows:
        yield bars("Hosts by the number of restarts that they had", rows)
        heads = ("Cause", "By", "Restarts", "Proven by two boots")
        yield table(heads, review.causes, numbers="  nn")
    most = [(name, f"{count:,}") for name, count in found.most_common(10) if count > 1]
    if most:
        yield table(("Host", "Restarts"), most, "The most on one host", " n")


def _unprotected(story: Story, at: datetime) -> Iterator[Element]:
    found = story.unprotected(at)
    yield node(
        "p",
        f"{found.total() / _HOUR:,.1f} host-hours on {len(found):,} hosts: they answered after the fix, or in Safe "
        "Mode, and their protection was not shown to run.",
    )
    rows = [(name, f"{seconds / _HOUR:,.2f}") for name, seconds in found.most_common(10) if seconds]
    if rows:
        yield table(("Host", "Hours"), rows, "The longest", " n")


def _keys(review: Review) -> Iterator[Element]:
    if review.keys:
        yield table(("Host", "Key", "Seen by", "When (UTC)"), review.keys, numbers="   t")
    elif not review.story.keys:
        yield node("p", "None that the journal knows of.", kind="faint")
    names = sorted(review.story.keys)
    if names:
        more = f" and {len(names) - 200:,} more" if len(names) > 200 else ""  # noqa: PLR2004
        yield node(
            "p", f"Somebody typed the key of {len(names):,} hosts: {', '.join(names[:200])}{more}"
        )


def _mistakes(story: Story) -> Iterator[Element]:
    found = story.mistakes
    yield node(
        "p",
        f"{len(found):,} times a host was said to be well, and what was seen later contradicts it.",
    )
    if found:
        yield table(
            ("Host", "Said", "At", "Turned out to be", "At", "Because"),
            ((each.host, each.said, _time(each.at), each.then, _time(each.later), "; ".join(each.because))
             for each in found[:_ROWS]),
            numbers="  t t ",
        )  # fmt: skip
    if len(found) > _ROWS:
        yield node("p", f"and {len(found) - _ROWS:,} more", kind="faint")


def _stops(story: Story) -> Iterator[Element]:
    if not story.stops:
        yield node("p", "Nothing: it never had to halt a run.", kind="faint")
        return
    yield table(
        ("When (UTC)", "Run", "Rule", "Count", "Limit", "Of", "Hosts not begun any more"),
        ((_time(each.at), each.run, each.rule.replace("_", " "), f"{each.count:,}", f"{each.limit:,}",
          each.denominator, f"{each.spared:,}") for each in story.stops),
        numbers="tt nn n",
    )  # fmt: skip


def _meaning() -> Element:
    return node(
        "p",
        "Proven means shown by the machine itself after its restart; claimed, that somebody or something says so. "
        "Times are UTC and of the controller's clock. Hosts of which nothing is known count as working in the loss, "
        "which is in proportion to the hosts of a service that are down.",
        kind="faint",
    )


def _counted(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in ranked if count)


def _name(row: Row) -> str:
    return row.title or row.name or "(none)"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
