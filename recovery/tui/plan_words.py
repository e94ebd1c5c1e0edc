"""A plan and its rehearsal in words, for the screen. Each line has a tone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recovery.documents import show_duration
from recovery.inventory.ranges import fold
from recovery.planning import Prepared
from recovery.report.forecast import Forecast
from recovery.tui.draw.figures import some
from recovery.tui.signs import OUTCOMES, Sign

_WAVES = 10
Line = tuple[str, str]
"""A style of the theme, and the text."""

_HEAD = "bold $primary"
_REAL = ("bold $error", "REAL MACHINES")
_MOCK = ("bold $warning", "MOCK: nothing here is real")
_OPEN = Sign("…", "not ended", "$muted")


def world_line(*, mock: bool) -> Line:
    """Which machines are meant: the first line of whatever asks for a decision."""
    return _MOCK if mock else _REAL


def plan_lines(prepared: Prepared) -> Iterator[Line]:
    """What the run would do. The world, what cannot be taken back and warnings come first."""
    yield world_line(mock=prepared.request.mock)
    yield from _warned(prepared)
    yield from _planned(prepared)
    yield "", ""
    yield from _verified(prepared)


def _warned(prepared: Prepared) -> Iterator[Line]:
    playbook = prepared.playbook
    for step in () if prepared.request.check else prepared.report.irreversible:
        yield "bold $warning", f"! Cannot be undone: {step}"
    protected = prepared.untouchable
    if protected and playbook.changes:
        count = some(len(protected), "protected host")
        verb = "is" if len(protected) == 1 else "are"
        yield "$warning", f"! {count} {verb} not changed: {fold(protected, most=3)}"
    for warning in prepared.warnings:
        yield "$warning", f"! {warning}"


def _planned(prepared: Prepared) -> Iterator[Line]:
    playbook, report = prepared.playbook, prepared.report
    yield "bold", f"{playbook.name}: {playbook.summary}"
    if prepared.request.check:
        yield (
            "bold $accent",
            "Only a look: hosts that end as done are those that a run would change",
        )
    yield "", f"Incident  {prepared.incident.title}"
    yield "", f"Hosts     {len(prepared.order)}: {fold(prepared.order, most=6)}"
    yield "", f"Steps     {' → '.join(step.name for step in playbook.steps)}"
    if playbook.on_failure:
        yield "", f"Failing   {' → '.join(step.name for step in playbook.on_failure)}"
    if playbook.changes:
        what = "changed host" if prepared.waves == (1,) else "changed hosts"
        yield "", f"Waves     {_waves(prepared.waves)} {what}"
        if playbook.strategy.soak:
            yield "", f"Soak      {show_duration(playbook.strategy.soak)} between waves"
    if not prepared.request.check:
        worst = show_duration(round(report.worst_case))
        yield "", f"Worst     {worst} of work on one host that answers"


def _verified(prepared: Prepared) -> Iterator[Line]:
    playbook, report = prepared.playbook, prepared.report
    yield "$success", "✓ Verified: it ends, is guarded, and every name in it resolves"
    if playbook.changes and not report.irreversible:
        yield "$success", "✓ Each change can be undone"
    if not playbook.changes:
        yield "$success", "✓ Changes nothing on any host"
    needs = "A run would need" if prepared.request.check else "Needs"
    for right in report.privileges:
        yield "$muted", f"  {needs} the right to {right}"


def _waves(sizes: Sequence[int]) -> str:
    shown = ", ".join(map(str, sizes[:_WAVES]))
    return f"{shown}, …" if len(sizes) > _WAVES else shown


def forecast_lines(found: Forecast, *, changes: bool) -> Iterator[Line]:
    """How the rehearsal went."""
    yield _HEAD, "Dry run on the mock twin (simulated machines; a guess, not a promise)"
    for name, count in found.counts.items():
        sign = next((s for outcome, s in OUTCOMES.items() if outcome == name), _OPEN)
        yield sign.style, f"{sign.symbol} {count:>6} {sign.word}"
    if changes:
        for what, seconds in (
            ("Half well", found.half),
            ("90 % well", found.most),
            ("All well", found.all),
        ):
            yield "", f"{what:<10} {_when(seconds)}"
    yield "", f"{'Ended':<10} {_when(found.ended)}"
    if found.stopped:
        yield "bold $error", f"✗ The guard halted it: {found.stopped}"
    for gate in found.gates:
        yield "$warning", f"! It waited for approval of {gate}, which nobody gives in a dry run"


def _when(seconds: float | None) -> str:
    return "not within this run" if seconds is None else f"after {show_duration(round(seconds))}"
