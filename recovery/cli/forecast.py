"""`simulate`: when it will be over with so many people, and what each order of work costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from recovery.cli.main import app
from recovery.cli.output import Form, data, documents, inert, say, table
from recovery.cli.shared import (
    Inventory,
    JournalOption,
    Limit,
    Output,
    Param,
    assignments,
    form,
    service,
)
from recovery.documents import duration
from recovery.errors import UnknownNameError, UsageError
from recovery.model.playbook import Order
from recovery.playbook.library import bundled

if TYPE_CHECKING:
    from recovery.forecast.outcome import Forecast, Scenario, Span

DEFAULT_INCIDENT = "crowdstrike-291"
_ORDERS: tuple[Order, ...] = ("cost", "dependency", "inventory")
_EXAMPLES = {"delta": (190, "$")}
"""Technicians on duty where nothing is said, and the currency of the costs."""
_TECHNICIANS = 40

Example = Annotated[
    str, typer.Option(help="A bundled case instead of an inventory: delta (77,000 machines).")
]
Mix = Annotated[
    str, typer.Option(help="Fault mix of the twin; NAME.mix.yaml beside the inventory otherwise.")
]
IncidentName = Annotated[
    str, typer.Option("--incident", help="Incident profile of an inventory's machines.")
]
Book = Annotated[str, typer.Option("--playbook", help="What the program does meanwhile.")]
Technicians = Annotated[
    int | None,
    typer.Option(help="On duty in each shift, over all sites.", show_default="40; delta 190"),
]
Shifts = Annotated[int, typer.Option(help="Shifts a day: 1, 2 or 3.")]
Hours = Annotated[float, typer.Option("--shift-hours", help="Length of a shift.")]
Begins = Annotated[float, typer.Option("--day-begins", help="Hour (UTC) of the first shift.")]
Minutes = Annotated[
    list[str],
    typer.Option(
        "--minutes-per-machine",
        help="15, 5-20, server=10-30; repeatable.",
        show_default="5-20, server and appliance 10-30",
    ),
]
KeyMinutes = Annotated[
    float, typer.Option("--key-minutes", help="More for a machine that asks for its key.")
]
ComesBack = Annotated[
    float, typer.Option("--comes-back", help="Share of the visits that have to be repeated.")
]
Travel = Annotated[float, typer.Option("--travel-hours", help="From one site to another.")]
HandsAfter = Annotated[
    str, typer.Option("--hands-after", help="Silence after which somebody is sent to a host.")
]
Orders = Annotated[
    list[str],
    typer.Option("--order", help="cost, dependency or inventory; repeatable.", show_default="all"),
]
Alone = Annotated[
    bool,
    typer.Option("--alone/--no-alone", help="Also people alone, without the program."),
]
Runs = Annotated[int, typer.Option(help="Simulated courses of each scenario.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same figures.")]
SampleOption = Annotated[
    int, typer.Option("--sample", help="About so many hosts are played with the real engine.")
]


# fmt: off
@app.command()
def simulate(
    context: typer.Context, inventory: Inventory = [], limit: Limit = [], example: Example = "",
    mix: Mix = "", incident: IncidentName = "", playbook: Book = "rollback", param: Param = [],
    technicians: Technicians = None, shifts: Shifts = 3, shift_hours: Hours = 8.0,
    day_begins: Begins = 6.0, minutes_per_machine: Minutes = [], key_minutes: KeyMinutes = 3.0,
    comes_back: ComesBack = 0.05, travel_hours: Travel = 2.0, hands_after: HandsAfter = "30m",
    order: Orders = [], alone: Alone = True, runs: Runs = 8, seed: Seed = 0,
    sample: SampleOption = 500, output: Output = "text", journal: JournalOption = "",
) -> None:
    """With so many technicians and shifts: when it is over, and what each order of work costs.

    Plays the hosts of the journal's latest run as they stand now, or an inventory's by its fault mix, many times in
    virtual time. Nothing real is touched, and nothing is written.
    """
    from recovery.forecast.crew import Crew, minutes_of
    from recovery.service.forecasting import Wanted, forecast

    shape = form(output, "text", "json")
    acting = service(context, journal)
    people, currency = _example(example, inventory)
    crew = Crew(
        technicians=people if technicians is None else technicians, shifts=shifts, hours=shift_hours, begins=day_begins,
        minutes=minutes_of(minutes_per_machine), key_minutes=key_minutes, comes_back=comes_back,
        travel=travel_hours,
    )
    wanted = Wanted(
        inventory=_sources(example, inventory), limits=tuple(limit), mix=mix,
        incident=incident or acting.settings.incident or DEFAULT_INCIDENT,
        parameters=assignments(param, "--param"), playbook=playbook, patience=_seconds(hands_after),
        crew=crew, orders=_orders(order), alone=alone, runs=runs, seed=seed, hosts=sample,
    )
    _tell(forecast(acting.settings, wanted, say if shape == "text" else _silently), shape, currency)
# fmt: on


def _silently(_line: str) -> None:
    """Programs read the figures alone."""


def _tell(found: Forecast, shape: Form, currency: str) -> None:
    if shape == "json":
        documents({"schema": 1, **msgspec.to_builtins(found)}, "json")
        return
    for line in _head(found):
        data(line)
    _tell_scenarios(found, currency)
    for line in _tail(found, currency):
        data(line)


def _example(name: str, inventory: list[str]) -> tuple[int, str]:
    if name and inventory:
        raise UsageError("--example is an inventory of its own: leave -i out")
    if name and name not in _EXAMPLES:
        raise UnknownNameError("example", name, _EXAMPLES)
    return _EXAMPLES.get(name, (_TECHNICIANS, ""))


def _sources(example: str, inventory: list[str]) -> tuple[str, ...]:
    return (str(bundled("inventory") / f"{example}.yaml"),) if example else tuple(inventory)


def _seconds(text: str) -> float:
    try:
        return duration(text, "--hands-after")
    except ValueError as error:
        raise UsageError(str(error)) from None


def _orders(names: list[str]) -> tuple[Order, ...]:
    for name in names:
        if name not in _ORDERS:
            raise UnknownNameError("order", name, _ORDERS)
    return tuple(each for each in _ORDERS if not names or each in names)


def _head(found: Forecast) -> Iterator[str]:
    crew = found.crew
    yield f"{found.fleet:,} hosts, {found.down:,} of them not well at {found.begins}"
    yield (
        f"{crew.technicians} technicians on duty in each of {crew.shifts} shifts of {crew.hours:g} h; "
        f"{found.runs} courses of each scenario: the middle one (in brackets: one in ten came below, nine in ten did)"
    )
    yield ""


def _tell_scenarios(found: Forecast, currency: str) -> None:
    table(
        ("order", "who", "half", "90 %", "all", "loss", "more than the first", "by people"),
        [
            (
                each.order,
                _who(each),
                *(_hours(span) for span in each.hours.values()),
                _money(each.lost, currency),
                "-" if place == 0 else _money(each.dearer, currency),
                f"{each.by_hand.p50:,.0f}",
            )
            for place, each in enumerate(found.scenarios)
        ],
    )


def _tail(found: Forecast, currency: str) -> Iterator[str]:
    yield ""
    first = found.scenarios[0]
    others = [each for each in found.scenarios if each.alone == first.alone and each != first]
    if others and others[-1].dearer.p50 > 0:
        # Course by course, as in the table: the difference of two middle ones is that of different luck.
        more = others[-1].dearer
        yield (
            f"order {first.order} instead of {others[-1].order} saves {_money(more, currency)}, "
            f"{more.p50 / others[-1].lost.p50:.0%} of the loss"
        )
    slow = sorted(first.sites.items(), key=lambda item: -item[1].p50)
    shown = ", ".join(f"{inert(site) or '(none)'} {_hours(span)}" for site, span in slow[:8])
    yield f"last host of each site, order {first.order}, {_who(first)}: {shown}"
    yield ""
    yield from (f"measured: {inert(line)}" for line in found.sampled)
    yield from (f"assumed:  {inert(line)}" for line in found.modelled)


def _who(each: Scenario) -> str:
    return "people alone" if each.alone else "program and people"


def _hours(span: Span) -> str:
    return f"{span.p50:.1f} h ({span.p10:.1f} to {span.p90:.1f})"


def _money(span: Span, currency: str) -> str:
    return f"{_figure(span.p50, currency)} ({_figure(span.p10, currency)} to {_figure(span.p90, currency)})"


def _figure(value: float, currency: str) -> str:
    sign = "-" if value < 0 else ""
    size, unit = (1e6, " M") if abs(value) >= 1e6 else (1.0, "")  # noqa: PLR2004 - a million
    return f"{sign}{currency}{abs(value) / size:,.{1 if unit else 0}f}{unit}"
