"""The Fleet screen and a host's page: every verb, as a user presses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import OptionList, Static

from recovery.inventory.query import NO_FACTS, Known
from recovery.model.evidence import Verdict
from recovery.model.host import ConsoleRef, Fleet, Host
from recovery.tui.acts import ACTS, why_not
from recovery.tui.app import Dashboard
from recovery.tui.fleet_rows import Roll, age, checked, limits_for
from recovery.tui.screens.acting import ActMenu
from recovery.tui.screens.confirm import Confirm
from recovery.tui.screens.fleet import FleetScreen
from recovery.tui.screens.folded import FoldedScreen
from recovery.tui.screens.host import HostScreen
from recovery.tui.screens.page import Page
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.snapshot import EMPTY
from recovery.tui.widgets.banner import Banner
from recovery.tui.widgets.host_table import HostTable
from recovery.tui.widgets.key_line import KeyLine
from tests.tui.scene import Stage, dashboard, half_way, stepped

if TYPE_CHECKING:
    from textual.pilot import Pilot

Calls = list[tuple[Any, ...]]


@pytest.fixture
def app(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    return dashboard(stage, stage.snapshot())


def calls(app: Dashboard) -> Calls:
    found: Calls = app.gateway.calls  # type: ignore[attr-defined]
    return found


def table(app: Dashboard) -> HostTable:
    return app.screen.query_one(HostTable)


def stands(app: Dashboard, kind: type[Any]) -> bool:
    return isinstance(app.screen, kind)


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def lines(app: Dashboard) -> list[str]:
    found = table(app)
    return [found.render_line(y).text.rstrip() for y in range(found.size.height)]


async def shown(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)

    await pilot.pause(0.1)


async def fleet(pilot: Pilot[Any]) -> FleetScreen:
    await pilot.pause(0.3)
    await shown(pilot, "2")
    await pilot.pause(0.3)
    assert isinstance(pilot.app.screen, FleetScreen)
    return pilot.app.screen


async def test_every_host_is_listed_with_what_it_is_in(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        assert said(app, "#line") == "all 60 hosts"
        assert "atl-dc-1" in lines(app)[1]
        assert "✓ healthy" in lines(app)[1]
        assert any("↻ crash loop" in line and "0x50" in line for line in lines(app))


async def test_a_query_narrows_and_escape_widens(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "slash", *"verdict=needs_key", "enter")
        assert said(app, "#line") == "4 of 60 hosts"
        assert app.focused is table(app)
        await shown(pilot, "escape")
        assert said(app, "#line") == "all 60 hosts"


async def test_a_query_that_cannot_be_asked_changes_nothing(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "slash", *"site=ATLL", "enter")
        assert "did you mean 'ATL'?" in said(app, "#said")
        await shown(pilot, "escape")
        assert said(app, "#line") == "all 60 hosts"
        assert app.focused is table(app)


@pytest.mark.parametrize("order", ["", "o"])
async def test_a_list_that_is_not_shown_keeps_no_states_and_comes_back_as_it_was(
    app: Dashboard, order: str
) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        page = await fleet(pilot)
        await shown(pilot, *order, "down", "down")
        before, current = lines(app), table(app).current
        await shown(pilot, "1")
        nodes = (page, *page.walk_children())
        held = [node.snapshot for node in nodes if isinstance(node, Page | Banner | KeyLine)]
        assert len(held) == 3
        assert not any(snapshot.hosts or snapshot.recent for snapshot in held)
        await shown(pilot, "2")
        assert (lines(app), table(app).current) == (before, current)
        assert page.snapshot is app.snapshot


async def test_a_list_comes_back_with_what_happened_meanwhile(app: Dashboard, stage: Stage) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        assert not any("a new reason" in line for line in lines(app))
        await shown(pilot, "1")
        stage.say(stepped("atl-dc-1", 2000, Verdict.DARK, because=("a new reason",)))
        app.snapshot = stage.snapshot()
        await shown(pilot, "2")
        assert "a new reason" in lines(app)[1]


async def test_sorting_and_turning_round(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "o")
        assert "Host▲" in lines(app)[0]
        await shown(pilot, "O")
        assert "Host▼" in lines(app)[0]
        assert "msp-off-06" in "".join(lines(app))
        await shown(pilot, "o")
        assert "Verdict▲" in lines(app)[0]
        await pilot.click(HostTable, offset=(32, 0))
        await shown(pilot)
        assert "Verdict▼" in lines(app)[0]
        await pilot.click(HostTable, offset=(5, 0))
        await shown(pilot)
        assert "Host▲" in lines(app)[0]


async def test_groups_by_site_close_and_open(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "v")
        assert lines(app)[1] == "▸  ▼ ATL: 32"
        await shown(pilot, "home", "enter")
        assert lines(app)[1:3] == ["▸  ▶ ATL: 32", "   ▼ BOS: 10"]
        assert said(app, "#line").endswith("by site")
        await shown(pilot, "v", "v")
        assert "↻ crash loop" in "".join(lines(app))
        await shown(pilot, "v")
        assert any("0x50: " in line for line in lines(app))


async def test_an_act_on_marked_hosts_is_planned_for_them_alone(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "slash", *"atl-gate-0[5-7]", "enter")
        await shown(pilot, "a")
        assert said(app, "#line") == "3 of 60 hosts  ·  ✓ 3 marked"
        await shown(pilot, "x")
        assert stands(app, ActMenu)
        await shown(pilot, "f")
        await pilot.pause(0.3)
        assert stands(app, PlanScreen)
        (_, request) = calls(app)[-1]
        assert request.playbook == "rollback"
        prepared = app.gateway.stage.service.prepare(request)  # type: ignore[attr-defined]
        assert set(prepared.order) == {"atl-gate-05", "atl-gate-06", "atl-gate-07"}
        await shown(pilot, "escape")
        assert stands(app, FleetScreen)


async def test_what_cannot_be_done_says_why(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "x")
        options = app.screen.query_one(OptionList)
        prompt = str(options.get_option("power_cycle").prompt)
        assert "not now: the inventory names no console for atl-dc-1" in prompt
        assert options.get_option("power_cycle").disabled
        await shown(pilot, "c")
        assert stands(app, ActMenu)
        await shown(pilot, "escape")
        assert calls(app) == []


async def test_the_arrow_keys_choose_an_act_too(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "x", "down", "enter")
        assert stands(app, PlanScreen)
        assert calls(app)[-1][1].playbook == "rollback"


async def test_nothing_is_done_without_hosts(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "slash", *"verdict=degraded", "enter")
        await shown(pilot, "x")
        assert stands(app, FleetScreen)
        assert said(app, "#line") == "0 of 60 hosts"
        await shown(pilot, "f")
        assert said(app, "#reply") == "No host is listed."


async def test_identical_replies_are_folded(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "f")
        assert stands(app, FoldedScreen)
        groups = app.screen.query_one(OptionList)
        assert groups.option_count > 4
        first = str(groups.get_option_at_index(0).prompt)
        assert first.split() == ["12", "healthy"]
        await shown(pilot, "down")
        reply = said(app, "#reply")
        assert "- verdict: healthy" in reply
        assert "+ verdict: " in reply
        await shown(pilot, "escape", "space", "f")
        assert said(app, "#reply").startswith("1 host: atl-dc-1")


async def test_a_host_has_a_page(app: Dashboard) -> None:
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "slash", *"atl-kiosk-13", "enter")
        await shown(pilot, "enter")
        await pilot.pause(0.3)
        assert stands(app, HostScreen)
        assert calls(app) == [("explain", "atl-kiosk-13")]
        assert "atl-kiosk-13   ↻ crash loop   ✗ gave up" in said(app, "#head")
        facts = said(app, "#facts")
        assert "kiosk, windows" in facts
        assert "stop code 0x50, 1 crash on record" in facts
        assert "last: the file is locked" in facts
        assert "rollback: done" in said(app, "#lines")
        assert said(app, "#way") == "Console: none"
        await shown(pilot, "x", "t")
        assert stands(app, PlanScreen)
        assert calls(app)[-1][1].limits == ("name = atl-kiosk-13",)
        await shown(pilot, "escape", "escape")
        assert stands(app, FleetScreen)


async def test_a_host_that_no_run_has_met_has_a_page_too(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await fleet(pilot)
        await shown(pilot, "enter")
        assert said(app, "#lines").startswith("No run has met this host yet")
        assert "protected" in said(app, "#facts")


async def test_what_is_known_stands_beside_the_list_where_there_is_room(app: Dashboard) -> None:
    async with app.run_test(size=(250, 70)) as pilot:
        await fleet(pilot)
        await shown(pilot, "down", "down")
        peek = app.screen.query_one("#peek", Static)
        assert peek.display
        assert str(peek.content).startswith("atl-kiosk-01")


async def test_a_snapshot_that_comes_keeps_cursor_and_marks(stage: Stage) -> None:
    stage.begin()
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(140, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "down", "down", "space")
        half_way(stage)
        app.snapshot = stage.snapshot()
        await shown(pilot)
        assert table(app).current == "atl-kiosk-02"
        assert table(app).marks == {"atl-kiosk-01"}
        assert any("✓ atl-kiosk-01" in line and "★ recovered" in line for line in lines(app))


def test_protected_hosts_are_named_only_one_by_one(stage: Stage) -> None:
    one = stage.prepare(limits=limits_for(["atl-dc-1"]))
    assert one.named == {"atl-dc-1"}
    many = stage.prepare(limits=limits_for(["atl-dc-1", "atl-kiosk-01", "atl-kiosk-02"]))
    assert set(many.order) == {"atl-dc-1", "atl-kiosk-01", "atl-kiosk-02"}
    assert many.named == frozenset()


@pytest.mark.parametrize("name", ["two words", "a[1-3]", 'q"uote', "not", "x,y", "web*", "日本-1"])
def test_hosts_of_any_name_can_be_chosen(name: str) -> None:
    hosts = (Host(name=name), Host(name="plain-1"), Host(name="other"))
    known = Known(Fleet(hosts=hosts))
    for names in ([name], [name, "plain-1"]):
        query = checked(limits_for(names)[0], known)
        chosen = [h.name for h in hosts if query.holds(h, NO_FACTS, known.fleet, None)]
        assert chosen == names


def test_too_many_hosts_without_a_pattern_are_refused() -> None:
    with pytest.raises(ValueError, match="too many to be named"):
        limits_for([f"host-{number * 7}" for number in range(20_000)])


def test_acts_need_hosts_consoles_and_playbooks() -> None:
    with_console = Host(name="a", console=ConsoleRef(kind="redfish"))
    power = next(act for act in ACTS if act.console)
    assert why_not(power, ["power_cycle"], [with_console]) == ""
    assert why_not(power, [], [with_console]) == "there is no playbook power_cycle"
    assert "for b and 1 more" in why_not(power, [], [Host(name="b"), Host(name="c")])
    assert why_not(power, [], []) == "no host is chosen"


def test_a_roll_has_every_host_in_order_with_what_is_known_of_it(stage: Stage) -> None:
    stage.begin()
    snapshot = stage.snapshot()
    roll = Roll.of(snapshot, Roll.of(EMPTY))
    hosts = snapshot.fleet.hosts
    assert [row.host for row in roll] == [row.host for row in roll[:]] == list(hosts)
    assert all(row.state is snapshot.hosts.get(row.name, row.state) for row in roll)
    assert roll.of_host(hosts[1].name) == roll[1]
    assert roll.of_host("nobody") is None
    later = Roll.of(snapshot, roll)
    assert later.arranged().places is roll.arranged().places


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")]
)
def test_ages_have_one_figure(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


async def test_power_is_cycled_where_the_inventory_names_a_console(stage: Stage) -> None:
    gates = "bos-gate-[01-10]: {"
    text = stage.inventory.read_text()
    stage.inventory.write_text(
        text.replace(gates, gates + "console: {kind: mock, address: board}, ")
    )
    stage.begin()
    half_way(stage)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(120, 40)) as pilot:
        await fleet(pilot)
        await shown(pilot, "end", "space", "up", "space")
        await shown(pilot, "x", "c")
        await pilot.pause(0.5)
        assert stands(app, PlanScreen)
        asked = [call[1] for call in calls(app) if call[0] == "prepare"]
        assert [request.playbook for request in asked] == ["power_cycle"]
        await shown(pilot, "b")
        await pilot.pause(0.3)
        assert stands(app, Confirm)
        await shown(pilot, "3", "enter")
        assert not [call for call in calls(app) if call[0] == "start"]
        await shown(pilot, "backspace", "2", "enter")
        assert [call[1].playbook for call in calls(app) if call[0] == "start"] == ["power_cycle"]
