"""The documents that leave the program: nothing from outside is markup in them, and they need nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typing_extensions import override

from recovery.model.evidence import Verdict
from recovery.model.host import Fleet, Host, Service, Site
from recovery.model.state import HostState
from recovery.report.briefing import Briefing
from recovery.report.charts import Bar, Line, bars, over_time
from recovery.report.course import Course
from recovery.report.documents import Review, review_html, status_html
from recovery.report.effort import Effort
from recovery.report.estimate import goals
from recovery.report.groups import Group, group_of
from recovery.report.markup import node, text
from recovery.report.metrics import exposition
from recovery.report.page import Page, document, markdown
from recovery.report.story import Mistake, Moment, Stop, Story
from recovery.report.tally import Changes, tally
from tests.unit.journal.happenings import at

EVIL = "<script>alert(1)</script>&\"'>]]>\x1b[31m\u202e\udcff\x00\n| a | **b** [c](javascript:d)"


class Seen(HTMLParser):
    """The elements and attributes of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.words: list[str] = []
        self.open: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(html: str) -> Seen:
    seen = Seen()
    seen.feed(html)
    seen.close()
    assert seen.open == []
    return seen


def scene(name: str = "h1", site: str = "A") -> tuple[Page, Fleet]:
    fleet = Fleet(
        hosts=(
            Host(name=name, site=site, service=site, location=name),
            Host(name="h2", site="B", service="s"),
            Host(name="h3", site="B", service="s"),
        ),
        sites={site: Site(name=name), "B": Site(name="Bravo")},
        services={site: Service(name=name, cost_per_hour=100.0), "s": Service(cost_per_hour=60.0)},
    )
    states = {
        name: HostState(name, verdict=Verdict.CRASH_LOOP),
        "h2": HostState("h2", verdict=Verdict.RECOVERED),
    }
    course = Course(fleet)
    for number, (host, state) in enumerate(states.items()):
        course.see(None, HostState(host, verdict=Verdict.DARK), at(number))
        course.see(HostState(host, verdict=Verdict.DARK), state, at(3600 + number))
    course.pass_time(at(7200))
    standing = course.standing()
    brief = Briefing(
        at=at(7200),
        mock=True,
        standing=standing,
        goals=goals(standing.samples),
        waiting=1,
        questions=[f"go on with {name}?"],
        run=f"run of {name}",
    )
    changed = Changes(
        since=at(60), report=True, counts={group.value: 0 for group in Group} | {"proven": 1, "to_do": -1},
        proven=1, came_back=0, newly_hit=1, lost=12.0, hit=(name,),
    )  # fmt: skip
    groups = {host: group_of(state) for host, state in states.items()}
    losses = {share.name: share.loss_per_hour for share in standing.services}
    return Page(brief=brief, tally=tally(fleet, groups, losses), changes=changed), fleet


def review(name: str = "h1", site: str = "A") -> Review:
    page, fleet = scene(name, site)
    story = Story(lambda _event: name)
    story.see(None, HostState(name, verdict=Verdict.DEGRADED), at(0))
    story.see(HostState(name, verdict=Verdict.DEGRADED), HostState(name, verdict=Verdict.DARK), at(60))  # fmt: skip
    story.moments.append(Moment(at(1), name, name))
    story.left_out = 3
    story.mistakes += [Mistake(name, "healthy", at(1), "exposed", at(2), (name,))] * 30
    story.stops.append(Stop(name, at(1), "new_crashes", 1, 1, name, 9))
    story.keys.add(name)
    return Review(
        page=page, fleet=fleet, story=story, effort=(Effort(name, claimed=4, seconds=1800.0),),
        restarts={name: 3, "h2": 1}, causes=((name, name, "3", "1"),),
        keys=((name, name, name, name),),
    )  # fmt: skip


@pytest.mark.parametrize(
    "html", [status_html(scene(EVIL, EVIL)[0]), review_html(review(EVIL, EVIL))]
)
def test_no_text_from_outside_becomes_markup_or_is_hidden(html: str) -> None:
    html.encode("utf-8")  # no half characters
    seen = read(html)
    assert "script" not in seen.tags
    assert "<script>alert(1)</script>" in "".join(seen.words)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", html)
    assert "\\x1b[31m" in html


@pytest.mark.parametrize("html", [status_html(scene()[0]), review_html(review())])
def test_a_document_needs_nothing_and_allows_nothing(html: str) -> None:
    seen = read(html)
    assert seen.tags & {"script", "img", "link", "iframe", "object", "form", "a", "base"} == set()
    assert seen.attributes.keys() & {"src", "href", "style", "onload", "onclick"} == set()
    assert "http://www.w3.org/2000/svg" in html
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html) == []
    (policy,) = [each for each in seen.attributes["content"] if "default-src" in each]
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style


def test_the_after_action_report_tells_all_of_it() -> None:
    words = " ".join(read(review_html(review())).words)
    for chapter in (
        "Burn-down", "Timeline", "By site", "By service", "Longest outages", "What each step achieved", "People",
        "Restarts", "Without protection", "Recovery keys to rotate", "Verdicts that were wrong",
        "What the guard stopped",
    ):  # fmt: skip
        assert chapter in words
    assert "SIMULATED" in words
    assert "4 restarts of 2 hosts" in words
    assert "30 times a host was said to be well" in words
    assert "and 5 more" in words
    assert "3 more are in the journal" in words
    assert "go on with h1?" in words


def test_an_incident_of_which_nothing_is_known_has_a_report_too() -> None:
    fleet = Fleet(hosts=(Host(name="h1"),))
    brief = Briefing(at=at(0), mock=False, standing=Course(fleet).standing(), goals=())
    page = Page(brief=brief, tally=tally(fleet, {}))
    seen = read(review_html(Review(page=page, fleet=fleet, story=Story(str))))
    words = " ".join(seen.words)
    assert "Nothing to draw yet." in words
    assert "it never had to halt a run" in words
    assert "The journal holds no work of technicians." in words
    assert "None that the journal knows of." in words
    assert "SIMULATED" not in words
    assert document(page)["groups"]["unknown"] == document(page)["total"] == 1
    assert document(page)["changes"] is None


def test_the_status_as_text_and_as_a_document() -> None:
    page, _ = scene()
    told = markdown(page)
    assert "| Fixed and proven      |      1 |  33 % |" in told
    assert "| All together          |      3 | 100 % |" in told
    assert "Affected: **2**. Proven: **1** (50 % of the affected). Left: **1**." in told
    assert "Since 2024-07-19 06:01 UTC (the last report): fixed and proven +1" in told
    assert "Newly hit: 1 (h1). Lost meanwhile: 12." in told
    found = document(page)
    assert (found["schema"], found["total"], found["affected"], found["mock"]) == (1, 3, 2, True)
    assert found["groups"] == {
        "well": 0,
        "proven": 1,
        "claimed": 0,
        "people": 0,
        "to_do": 1,
        "unknown": 1,
    }
    assert [row["total"] for row in found["sites"]] == [1, 2]
    assert found["services"][0]["loss_per_hour"] == 100.0
    assert found["loss_per_hour"] == 100.0
    assert found["proven_last_hour"] == 1
    assert found["changes"]["proven"] == 1


def test_markdown_has_no_markup_from_outside() -> None:
    told = markdown(scene(EVIL, EVIL)[0])
    assert "<script>" not in told
    assert "**b**" not in told
    assert "[c](" not in told


@pytest.mark.parametrize("name", ["h1", EVIL])
def test_the_figures_for_prometheus(name: str) -> None:
    page, _ = scene(name, name)
    families = {
        family.name: family for family in text_string_to_metric_families(exposition(page).decode())
    }
    value = {
        sample.labels["group"]: sample.value for sample in families["fleet_recovery_hosts"].samples
    }
    assert value == dict(page.tally.whole.counts)
    by_site = families["fleet_recovery_site_hosts"].samples
    assert sum(sample.value for sample in by_site) == 3
    assert families["fleet_recovery_loss_per_hour"].samples[0].value == 100.0
    assert families["fleet_recovery_simulated"].samples[0].value == 1.0
    assert (
        families["fleet_recovery_report_timestamp_seconds"].samples[0].value == at(7200).timestamp()
    )


@pytest.mark.parametrize("highest", [0, 1, 3, 7, 10, 99, 1234, 38_000, 5_500_000, 2_000_000_000])
@pytest.mark.parametrize("hours", [0, 0.01, 1, 9, 120, 2000])
def test_a_chart_holds_every_point(highest: float, hours: float) -> None:
    points = [(at(0), highest), (at(0) + timedelta(hours=hours), highest / 2)]
    line = Line("name", "#000000", points)
    chart = over_time("title", [line, Line("even", "#ffffff", points, even=True)])
    numbers = [
        float(number)
        for path in chart.iter("path")
        for number in re.findall(r"-?\d+\.\d", path.get("d") or "")
    ]
    assert numbers
    assert all(0.0 <= number <= 1000.0 for number in numbers)
    ticks = [each for each in chart.iter("text") if each.get("text-anchor") == "middle"]
    assert len(ticks) <= 10
    rows = [each for each in chart.iter("line") if each.get("x1") != each.get("x2")]
    assert 2 <= len(rows) <= 7


def test_bars_are_as_long_as_what_they_show() -> None:
    chart = bars(
        "title",
        [Bar("a", [("proven", 10), ("to_do", 30)], "said"), Bar("b" * 60, [("proven", 20)])],
    )
    widths = [float(box.get("width") or 0) for box in chart.iter("rect")]
    assert widths[1] == pytest.approx(3 * widths[0], abs=0.2)
    assert widths[2] == pytest.approx(2 * widths[0], abs=0.2)
    assert any((each.text or "").endswith("…") for each in chart.iter("text"))


def test_an_element_holds_texts_and_elements_in_their_order() -> None:
    element = node("p", "a", node("b", "c"), "d", "e", kind="k", attributes={"title": "x\x07"})
    assert (element.text, element[0].tail, element.get("class")) == ("a", "de", "k")
    assert element.get("title") == text("x\x07") == "x\\x07"
