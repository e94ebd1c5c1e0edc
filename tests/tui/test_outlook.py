"""The forecast beside the burn-down: made elsewhere, shown with what it rests on, or with why there is none."""

from __future__ import annotations

import msgspec
import pytest

from recovery.errors import RefusedError
from recovery.forecast.crew import Crew
from recovery.forecast.outcome import Forecast, Scenario, Span
from recovery.model.host import Fleet, Host
from recovery.report.course import Sample, Standing
from recovery.tui import app as dashboards
from recovery.tui.deck import Deck
from recovery.tui.draw.course import burn_down
from recovery.tui.outlook import forecast, read, why_none
from recovery.tui.snapshot import Outlook, Snapshot
from recovery.tui.widgets.panel import Panel
from tests.tui.scene import Stage, at, dashboard, half_way

SPAN = Span(1.0, 2.0, 3.0)
MADE = Outlook(
    made=at(800),
    begins=at(800),
    down=30,
    technicians=40,
    shifts=3,
    spans={"half": (0.5, 1.0), "all": (2.0, 30.0)},
)


def document(*, alone: bool = False) -> bytes:
    scenario = Scenario(
        order="cost",
        alone=alone,
        hours={"half": SPAN, "90 %": SPAN, "all": Span(2.0, 3.0, 9.5)},
        lost=SPAN,
        dearer=SPAN,
        by_program=SPAN,
        by_hand=SPAN,
        visits=SPAN,
        work_hours=SPAN,
        sites={},
    )
    found = Forecast(
        fleet=60,
        down=30,
        begins=at(0).isoformat(),
        crew=Crew(technicians=7),
        runs=8,
        seed=0,
        scenarios=(scenario,),
        sampled=(),
        modelled=(),
    )
    return msgspec.json.encode({"schema": 1, **msgspec.to_builtins(found)})


def drawn(outlook: Outlook | None, width: int, why: str = "") -> list[str]:
    samples = (Sample(at(0), 48, 0), Sample(at(860), 38, 10))
    snapshot = Snapshot(
        now=at(860),
        clock=at(860),
        standing=Standing(total=60, samples=samples),
        outlook=outlook,
        no_outlook=why,
    )
    return burn_down(snapshot, width, 10).plain.split("\n")


def test_what_simulate_printed_is_read() -> None:
    found = read(document(), at(5))
    assert (found.down, found.technicians, found.begins) == (30, 7, at(0))
    assert found.spans["all"] == (2.0, 9.5)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"schema": 1}', document(alone=True)])
def test_what_is_no_forecast_is_refused(text: bytes) -> None:
    with pytest.raises(RefusedError, match="cannot be read"):
        read(text, at(0))


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            80,
            [
                " forecast: all 08:13 to Jul 20 12:13 (10-90 %)",
                " played 1 min ago: 30 down, 40 technicians, 3 shifts",
            ],
        ),
        (36, [" all 08:13-Jul 20 12:13 10-90 %", " 1 min ago, 40 technicians"]),
        (28, [" all in 2-30 h 10-90 %", " 1 min ago, 40 technicians"]),
    ],
)
def test_the_span_stands_there_with_what_it_rests_on(width: int, lines: list[str]) -> None:
    assert drawn(MADE, width)[-2:] == lines


def test_without_one_it_says_why() -> None:
    assert drawn(None, 60, "no run has begun")[-1] == " no forecast: no run has begun"
    assert max(map(len, drawn(None, 20, "no run has begun"))) <= 20


def test_what_keeps_from_a_forecast(stage: Stage) -> None:
    assert why_none(stage.snapshot(), 40) == "no run has begun"
    stage.begin()
    half_way(stage)
    snapshot = stage.snapshot()
    assert why_none(snapshot, 40) == ""
    assert why_none(snapshot, 0) == "recovery tui --technicians N"
    replaced = msgspec.structs.replace
    large = replaced(snapshot, fleet=Fleet(hosts=(Host(name="x"),) * 20_001))
    assert "too large" in why_none(large, 40)
    assert why_none(replaced(snapshot, mock=False), 40) == "the latest run is of the other world"
    assert why_none(replaced(snapshot, standing=Standing(samples=(Sample(at(0), 0, 0),))), 40)


async def test_a_real_one_is_made_in_a_process_of_its_own(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    found = await forecast(stage.journal, "", 5, at(900))
    first, last = found.spans["all"]
    assert 0.0 < first <= last
    assert (found.technicians, found.made) == (5, at(900))
    assert 0 < found.down <= 60


async def test_what_simulate_complains_of_is_the_reason(stage: Stage) -> None:
    with pytest.raises(RefusedError, match=r"journal"):
        await forecast(f"{stage.journal}.missing", "", 5, at(0))


@pytest.mark.parametrize(
    ("outlook", "words"),
    [(MADE, "forecast: all"), (None, "no forecast: the mix cannot be read")],
)
async def test_the_dashboard_asks_for_it_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, outlook: Outlook | None, words: str
) -> None:
    monkeypatch.setattr(dashboards, "_LOOK_AHEAD", 0.05)
    stage.begin()
    half_way(stage)
    app = dashboard(stage, stage.snapshot(), technicians=40)
    app.gateway.outlook = outlook  # type: ignore[attr-defined]
    async with app.run_test(size=(130, 40)) as pilot:
        said = ""
        for _ in range(50):
            await pilot.pause(0.1)
            said = str(app.screen.query_one("#course", Panel).render())
            if words in said:
                break
        assert words in said


def test_it_is_opened_again_with_the_same_technicians() -> None:
    assert Deck(technicians=12).words("j")[-2:] == ["--technicians", "12"]
