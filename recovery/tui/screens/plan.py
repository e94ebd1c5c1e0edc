"""The one way to begin a run: choose the playbook, read the plan, try it on the mock twin, confirm by the number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.planning import Prepared
from recovery.report.forecast import forecast
from recovery.tui.actions import Action, bindings
from recovery.tui.draw.figures import some
from recovery.tui.inert import content, plain
from recovery.tui.plan_words import Line, forecast_lines, plan_lines
from recovery.tui.screens.confirm import Confirm
from recovery.tui.widgets.choices import Choices

if TYPE_CHECKING:
    from recovery.tui.gateway import Gateway

PLAN_ACTIONS = (
    Action(
        "plan.rehearse", "d", "Dry run", "Try it on simulated machines first", "Plan", shown=True
    ),
    Action("plan.start", "b", "Begin", "Begin the run, after a question", "Plan", shown=True),
    Action(
        "plan.only_look",
        "c",
        "Only look",
        "Only read, and say what would be done",
        "Plan",
        shown=True,
    ),
    Action("plan.hosts", "slash", "Hosts", "Say which hosts are meant", "Plan", shown=True),
    Action("plan.leave", "escape", "Back", "Begin nothing", "Plan", shown=True),
)


class PlanScreen(ModalScreen[str]):
    """Dismissed with the id of the run that began, or with nothing."""

    DEFAULT_CSS = """
    PlanScreen { align: center middle; }
    PlanScreen > Vertical { width: 120; max-width: 100%; height: 40; max-height: 100%; }
    PlanScreen > Vertical { background: $surface; border: round $primary; }
    PlanScreen Horizontal { height: 1fr; }
    PlanScreen Choices { width: 24; height: 1fr; }
    PlanScreen #text { padding: 0 1; }
    PlanScreen #limit { height: 1; margin: 0 1; }
    """
    ACTIONS: ClassVar[tuple[Action, ...]] = PLAN_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLAN_ACTIONS)

    def __init__(
        self, gateway: Gateway, playbook: str = "", limits: Sequence[str] = (), what: str = ""
    ) -> None:
        """Plan `playbook`, else let one be chosen, for the hosts of `limits`, in words `what`."""
        super().__init__()
        self._gateway = gateway
        self._playbook = playbook
        self._fixed = bool(playbook)
        self._limits = tuple(limits)
        self._what = what
        self._check = False
        self._prepared: Prepared | None = None
        self._busy = ""

    @override
    def compose(self) -> ComposeResult:
        """Playbooks at the left, the plan at the right, the hosts above."""
        with Vertical() as box:
            box.border_title = content(f"Plan: {self._playbook}" if self._fixed else "New run")
            yield Input(
                "" if self._what else " and ".join(self._limits),
                placeholder=plain(self._what) or "all hosts; or a query: site=ATL and kind=kiosk",
                compact=True,
                id="limit",
                disabled=bool(self._what),
            )
            with Horizontal():
                choice = Choices(*self._options(), id="choice")
                choice.display = not self._fixed
                yield choice
                with VerticalScroll(id="text"):
                    yield Static(id="plan", markup=False)
                    yield Static(id="forecast", markup=False)
            yield Footer(show_command_palette=False)

    def _options(self) -> Iterable[Option]:
        """None where the playbook is given: what is begun is what was asked for."""
        for line in () if self._fixed else self._gateway.playbooks():
            yield Option(content(line.name), id=line.name)

    def on_mount(self) -> None:
        """Plan at once."""
        self.query_one("#text" if self._fixed else "#choice").focus()
        if self._fixed:
            self.plan()

    @on(OptionList.OptionHighlighted)
    def _chosen(self, event: OptionList.OptionHighlighted) -> None:
        self._playbook = event.option_id or ""
        self.plan()

    @on(Input.Submitted)
    def _limited(self, event: Input.Submitted) -> None:
        event.stop()
        self._limits = (event.value,) if event.value.strip() else ()
        self.query_one("#text" if self._fixed else "#choice").focus()
        self.plan()

    @work(exclusive=True, group="plan")
    async def plan(self) -> None:
        """Read, verify, select and plan; and say so."""
        self._prepared = None
        self._show("forecast", ())
        self._show("plan", [("$muted", f"… reads and verifies {self._playbook}")])
        try:
            request = self._gateway.request(self._playbook, self._limits, check=self._check)
            self._prepared = await self._gateway.prepare(request)
        except RecoveryError as error:
            self._show(
                "plan", [("bold $error", "✗ Nothing can be begun"), *_words(error, "$error")]
            )
        else:
            self._show("plan", plan_lines(self._prepared))
        self.refresh_bindings()

    def action_rehearse(self) -> None:
        """Try it on the mock twin."""
        if self._prepared is not None and not self._busy:
            self.rehearse(self._prepared)

    @work(exclusive=True, group="rehearsal")
    async def rehearse(self, prepared: Prepared) -> None:
        """Let the twin go through it in another process, and say how it ended."""
        self._say_busy("rehearses")
        self._show("forecast", [("", ""), ("$accent", "▸ Rehearses on simulated machines…")])
        try:
            view = await self._gateway.rehearse(prepared.request)
        except RecoveryError as error:
            lines = [("bold $error", "✗ The dry run failed"), *_words(error, "$error")]
        else:
            lines = list(forecast_lines(forecast(view), changes=prepared.playbook.changes))
        finally:
            self._say_busy("")
        if prepared is self._prepared:
            self._show("forecast", [("", ""), *lines])
            self.query_one("#text", VerticalScroll).scroll_end(animate=False)

    def action_only_look(self) -> None:
        """Only read, or not only."""
        self._check = not self._check
        self.plan()

    def action_hosts(self) -> None:
        """Say which hosts are meant."""
        field = self.query_one("#limit", Input)
        if not field.disabled:
            field.focus()

    def action_leave(self) -> None:
        """Begin nothing; out of the field first."""
        if self.query_one("#limit", Input).has_focus:
            self.query_one("#text" if self._fixed else "#choice").focus()
        else:
            _ = self.dismiss("")

    def action_start(self) -> None:
        """Begin, after a question."""
        if self._prepared is not None and not self._busy:
            self.start(self._prepared)

    @work(exclusive=True, group="start")
    async def start(self, prepared: Prepared) -> None:
        """Begin the run that was shown."""
        count = len(prepared.order)
        if prepared.playbook.changes:
            title = f"Begin {prepared.playbook.name} on {some(count, 'host')}?"
            if not await self.app.push_screen_wait(
                Confirm(title, plan_lines(prepared), str(count), "the number of hosts")
            ):
                return
        self._say_busy("begins")
        self._show("forecast", [("", ""), ("$accent", "▸ Begins, in a process of its own…")])
        try:
            run = await self._gateway.start(prepared.request)
        except RecoveryError as error:
            self._show(
                "forecast",
                [("", ""), ("bold $error", "✗ The run did not begin"), *_words(error, "$error")],
            )
        else:
            _ = self.dismiss(run)
        finally:
            self._say_busy("")

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None for what cannot be done before there is a plan, or while something is under way."""
        waits = action in ("rehearse", "start") and (self._prepared is None or bool(self._busy))
        named = action == "hosts" and bool(self._what)
        return None if waits or named else True

    def _say_busy(self, what: str) -> None:
        self._busy = what
        self.refresh_bindings()

    def _show(self, where: str, lines: Iterable[Line]) -> None:
        text = Content("\n").join(content(words, style) for style, words in lines)
        self.query_one(f"#{where}", Static).update(text)


def _words(error: RecoveryError, style: str) -> list[Line]:
    return [(style, line) for line in str(error).splitlines()]
