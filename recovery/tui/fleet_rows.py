"""Hosts as the rows of a table: how they are shown, sorted, grouped, asked for and folded. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, overload

import msgspec
from typing_extensions import override

from recovery.inventory.completion import written
from recovery.inventory.query import Known, Query, limit_query
from recovery.inventory.ranges import fold
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState
from recovery.planning import facts_of
from recovery.report.folding import Group, fold_replies
from recovery.report.status import stop_code
from recovery.tui.signs import OUTCOMES, PROGRESS, VERDICTS, Sign
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.arrangement import Arrangement, Wanted, arrange
from recovery.tui.widgets.columns import Column

_LONGEST_LIMIT = 90_000
"""Characters; a query may have a few more."""
_AMOUNTS = re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|min|h|d)\b")
_NEVER = -1.0


class HostRow(NamedTuple):
    """One host with what is known of it."""

    name: str
    host: Host
    state: HostState


class Roll(Sequence[HostRow]):
    """Every host in the inventory's order. A row is made when somebody looks at it: a new one costs nothing."""

    def __init__(
        self, hosts: Sequence[Host], places: Mapping[str, int], states: Mapping[str, HostState]
    ) -> None:
        """`places` are those of the `hosts` by name."""
        self._hosts = hosts
        self._places = places
        self._states = states

    @classmethod
    def of(cls, snapshot: Snapshot, old: Roll | None = None) -> Roll:
        """The hosts of a snapshot; what is known of their places is taken over from the `old` one."""
        hosts = snapshot.fleet.hosts
        if old is not None and old.is_of(snapshot.fleet):
            return cls(hosts, old.arranged().places, snapshot.hosts)
        places = {host.name: place for place, host in enumerate(hosts)}
        return cls(hosts, places, snapshot.hosts)

    def is_of(self, fleet: Fleet) -> bool:
        """Whether these are the hosts of this very fleet."""
        return self._hosts is fleet.hosts

    def let_go(self) -> None:
        """Forget what is known of the hosts, while nobody looks."""
        self._states = {}

    def arranged(self) -> Arrangement:
        """As the lines of a table."""
        return Arrangement(self, self, self._places)

    def of_host(self, name: str) -> HostRow | None:
        """The row of a host; None where there is no such host."""
        place = self._places.get(name)
        return None if place is None else self[place]

    @overload
    def __getitem__(self, place: int) -> HostRow: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[HostRow]: ...
    @override
    def __getitem__(self, place: int | slice) -> HostRow | Sequence[HostRow]:
        if isinstance(place, slice):
            return [self._row(host) for host in self._hosts[place]]
        return self._row(self._hosts[place])

    @override
    def __iter__(self) -> Iterator[HostRow]:
        return map(self._row, self._hosts)

    @override
    def __len__(self) -> int:
        return len(self._hosts)

    def _row(self, host: Host) -> HostRow:
        name = host.name
        return HostRow(name, host, self._states.get(name) or HostState(name))


_TONES = {"$success": "good", "$warning": "warn", "$error": "bad", "$accent": "busy"}


def tone(sign: Sign) -> str:
    """The colour of a state, as tables name it."""
    return _TONES.get(sign.style.split()[-1], "faint")


def shown(sign: Sign) -> str:
    """Symbol and word."""
    return f"{sign.symbol} {sign.word}"


def reason(state: HostState) -> str:
    """What a host's state rests on, else what was said of it last."""
    return "; ".join(state.because) or state.message


def code(state: HostState) -> str:
    """The latest stop code as people write it; nothing where there is none."""
    found = stop_code(state)
    return "" if found is None else f"0x{found:X}"


def age(seconds: float) -> str:
    """A time that has passed, in one figure."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"


_VERDICTS = {name: place for place, name in enumerate(reversed(tuple(VERDICTS)))}
_PROGRESS = {name: place for place, name in enumerate(PROGRESS)}


def _seen_order(row: HostRow) -> float:
    at = row.state.case.answered_at
    return _NEVER if at is None else at.timestamp()


def state_columns() -> tuple[Column, Column]:
    """Verdict and progress, which every list of hosts has."""
    return (
        _state_column("Verdict", VERDICTS, _VERDICTS, lambda row: row.state.verdict, 1),
        _state_column("Progress", PROGRESS, _PROGRESS, lambda row: row.state.progress, 2),
    )


def _state_column(
    title: str,
    signs: Mapping[str, Sign],
    order: Mapping[str, int],
    state: Callable[[HostRow], str],
    rank: int,
) -> Column:
    return Column(
        title.lower(),
        title,
        17,
        17,
        lambda row: shown(signs[state(row)]),
        lambda row: order[state(row)],
        lambda row: tone(signs[state(row)]),
        rank,
    )


def columns(now: Callable[[], datetime]) -> tuple[Column, ...]:
    """The columns of the fleet; ages count up to `now`."""

    def seen(row: HostRow) -> str:
        at = row.state.case.answered_at
        return "never" if at is None else age((now() - at).total_seconds())

    return (
        Column("name", "Host", 14, 24, lambda row: row.name, lambda row: row.name),
        *state_columns(),
        Column("site", "Site", 5, 8, lambda row: row.host.site, lambda row: row.host.site, rank=3),
        Column("seen", "Seen", 6, 6, seen, _seen_order, rank=5, right=True),
        Column(
            "service", "Service", 9, 12, lambda r: r.host.service, lambda r: r.host.service, rank=4
        ),
        Column("code", "Stop", 6, 10, lambda row: code(row.state), lambda r: code(r.state), rank=6),
        Column("why", "Because", 12, 400, lambda row: reason(row.state), None, rank=7),
    )


class Grouping(msgspec.Struct, frozen=True):
    """A way to put hosts under headings."""

    title: str
    key: Callable[[HostRow], str] | None = None
    ranks: Mapping[str, int] = {}


GROUPINGS: tuple[Grouping, ...] = (
    Grouping("nothing"),
    Grouping("site", lambda row: row.host.site),
    Grouping("service", lambda row: row.host.service),
    Grouping(
        "verdict",
        lambda row: shown(VERDICTS[row.state.verdict]),
        {shown(VERDICTS[name]): place for name, place in _VERDICTS.items()},
    ),
    Grouping("stop code", lambda row: code(row.state)),
)


class View(msgspec.Struct, frozen=True):
    """Which hosts are listed, and how."""

    query: Query | None = None
    wanted: Wanted = Wanted()


AS_IT_COMES = View()
"""All hosts in the inventory's order."""


def listed(snapshot: Snapshot, rows: Roll, view: View) -> Arrangement:
    """The lines of the fleet's table."""
    if view == AS_IT_COMES:
        return rows.arranged()
    return arrange(list(kept(snapshot, rows, view.query)), view.wanted)


def kept(snapshot: Snapshot, rows: Iterable[HostRow], query: Query | None) -> Iterable[HostRow]:
    """The rows for which the query holds."""
    if query is None:
        return rows
    holds, fleet, now = query.holds, snapshot.fleet, snapshot.now
    return (row for row in rows if holds(row.host, facts_of(row.state), fleet, now))


def checked(text: str, known: Known) -> Query:
    """The query of a text, or a pattern of names. Raises `QueryError` for what the fleet does not have."""
    query = limit_query(text, known)
    query.check(known)
    return query


def limits_for(names: Sequence[str]) -> tuple[str, ...]:
    """The limit of a run that is meant for these hosts.

    One host is named; of several none counts as named one by one, so that protected ones are left alone: hence the
    double negation. Raises `ValueError` where there are too many to be written down one by one.
    """
    if len(names) == 1:
        return (f"name = {written(names[0])}",)
    plain = [name for name in names if written(name) == name and "," not in name]
    others = [written(name) for name in set(names).difference(plain)]
    words = [*fold(plain, most=len(plain)).split(), *sorted(others)]
    text = f"not name not in ({', '.join(words)})"
    if len(text) > _LONGEST_LIMIT:
        raise ValueError(
            f"{len(names)} hosts are too many to be named: ask for them with a query instead"
        )
    return (text,)


def replies(rows: Iterable[HostRow]) -> tuple[Group, ...]:
    """Hosts that say the same, together. Amounts of time, in which all differ, are left out of what they say."""
    return fold_replies((row.name, _reply(row.state)) for row in rows)


def _reply(state: HostState) -> list[str]:
    lines = [f"verdict: {VERDICTS[state.verdict].word}"]
    if state.outcome is not None:
        lines.append(f"outcome: {OUTCOMES[state.outcome].word}")
    if code(state):
        lines.append(f"stop code: {code(state)}")
    lines += [_AMOUNTS.sub("…", text) for text in (*state.because, state.message) if text]
    return lines
