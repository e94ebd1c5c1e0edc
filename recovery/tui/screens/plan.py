"""The one way to begin a run: choose the playbook, read the plan, try it on the mock twin, confirm by the number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
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
from recovery.planning import Prepared, Request
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

_OWN = tuple(action.verb for action in PLAN_ACTIONS)
_BEGINS = "begins"


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
    AUTO_FOCUS = ""  # what is pressed before the list has the keys is not typed into the field
    ACTIONS: ClassVar[tuple[Action, ...]] = PLAN_ACTIONS
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLAN_ACTIONS)

    def __init__(
        self,
        gateway: Gateway,
        playbook: str = "",
        limits: Sequence[str] = (),
        what: str = "",
        given: Request | None = None,
    ) -> None:
        """Plan `playbook`, else let one be chosen, for the hosts of `limits`, in words `what`; or what is `given`."""
        super().__init__()
        self._gateway = gateway
        self._given = given
        self._playbook = given.playbook if given is not None else playbook
        self._fixed = bool(self._playbook)
        self._limits = tuple(limits)
        self._what = what
        self._check = given is not None and given.check
        self._typed = "" if what else " and ".join(limits)
        self._prepared: Prepared | None = None
        self._busy = ""
        self._asks = False

    @override
    def compose(self) -> ComposeResult:
        """Playbooks at the left, the plan at the right, the hosts above."""
        with Vertical() as box:
            box.border_title = content(f"Plan: {self._playbook}" if self._fixed else "New run")
            yield Input(
                self._typed,
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
        self._rest()
        if self._fixed:
            self.plan()

    def _rest(self) -> None:
        """The keys go where one reads or chooses."""
        self.query_one("#text" if self._fixed else "#choice").focus()

    @on(OptionList.OptionHighlighted)
    def _chosen(self, event: OptionList.OptionHighlighted) -> None:
        self._playbook = event.option_id or ""
        self.plan()

    @on(Input.Submitted)
    def _limited(self, event: Input.Submitted) -> None:
        event.stop()
        if not self._is_limited_anew():
            self.plan()
        self._rest()

    @on(Input.Blurred)
    def _left(self) -> None:
        if self.is_current:
            self._is_limited_anew()

    def _is_limited_anew(self) -> bool:
        """Whether the field names other hosts than the plan is for; then those are planned."""
        typed = self.query_one("#limit", Input).value.strip()
        if self._what or typed == self._typed:
            return False
        self._typed, self._limits = typed, (typed,) if typed else ()
        self.plan()
        return True

    @work(exclusive=True, group="plan")
    async def plan(self, *, keep: bool = False) -> None:
        """Read, verify, select and plan; and say so. What was said of the plan before is kept if it is to be."""
        self._prepared = None
        if not keep:
            self._show("forecast", ())
        self._show("plan", [("$muted", f"… reads and verifies {self._playbook}")])
        try:
            self._prepared = await self._gateway.prepare(self._request())
        except RecoveryError as error:
            self._show(
                "plan", [("bold $error", "✗ Nothing can be begun"), *_words(error, "$error")]
            )
        else:
            self._show("plan", plan_lines(self._prepared))
        if keep:
            self._to_the_end()
        self.refresh_bindings()

    def _request(self) -> Request:
        if self._given is not None:
            return msgspec.structs.replace(self._given, check=self._check)
        return self._gateway.request(self._playbook, self._limits, check=self._check)

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
            view = await self._gateway.rehearse(prepared)
        except RecoveryError as error:
            lines = [("bold $error", "✗ The dry run failed"), *_words(error, "$error")]
        else:
            lines = list(forecast_lines(forecast(view), changes=prepared.playbook.changes))
        finally:
            self._say_busy("")
        if prepared is self._prepared:
            self._show("forecast", [("", ""), *lines])
            self._to_the_end()

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
        """Begin nothing; out of the field first, which then says again what the plan is for."""
        field = self.query_one("#limit", Input)
        if field.has_focus:
            field.value = self._typed
            self._rest()
        elif not self._asks:
            _ = self.dismiss("")

    def action_start(self) -> None:
        """Begin, after a question."""
        waits = self._asks or self._busy or self._is_limited_anew()
        if self._prepared is not None and not waits:
            self._asks = True
            self.start(self._prepared)

    @work(group="start")
    async def start(self, prepared: Prepared) -> None:
        """Begin the run that was shown, and no other."""
        is_confirmed = await self._is_confirmed(prepared)
        self._asks = False
        if not is_confirmed:
            return
        self._say_busy(_BEGINS)
        self._show("forecast", [("", ""), ("$accent", "▸ Begins, in a process of its own…")])
        self._to_the_end()
        request = msgspec.structs.replace(prepared.request, plan=prepared.digest)
        try:
            run = await self._gateway.start(request)
        except RecoveryError as error:
            lines = [("bold $error", "✗ The run did not begin"), *_words(error, "$error")]
            self._show("forecast", [("", ""), *lines])
            self._say_busy("")
            self.plan(keep=True)
        else:
            _ = self.dismiss(run)

    async def _is_confirmed(self, prepared: Prepared) -> bool:
        if not prepared.playbook.changes:
            return True
        count = len(prepared.order)
        title = f"Begin {prepared.playbook.name} on {some(count, 'host')}?"
        return await self.app.push_screen_wait(
            Confirm(title, plan_lines(prepared), str(count), "the number of hosts")
        )

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None for what cannot be done before there is a plan, or while something is under way."""
        if not self.is_mounted:
            return None
        waits = action in ("rehearse", "start") and (self._prepared is None or bool(self._busy))
        named = action == "hosts" and bool(self._what)
        begins = self._busy == _BEGINS and action in _OWN
        return None if waits or named or begins else True

    def _say_busy(self, what: str) -> None:
        """Say it; while a run begins, nothing can be chosen, and nobody leaves without being told."""
        began, begins = self._busy == _BEGINS, what == _BEGINS
        self._busy = what
        for box in self.query("PlanScreen > Vertical"):
            box.border_subtitle = f"{what}…" if what else ""
        for field in self.query("#choice, #limit"):
            field.disabled = begins or (field.id == "limit" and bool(self._what))
        if began and not begins and self.is_current:
            self._rest()
        self.refresh_bindings()

    def _to_the_end(self) -> None:
        self.query_one("#text", VerticalScroll).scroll_end(animate=False)

    def _show(self, where: str, lines: Iterable[Line]) -> None:
        text = Content("\n").join(content(words, style) for style, words in lines)
        self.query_one(f"#{where}", Static).update(text)


def _words(error: RecoveryError, style: str) -> list[Line]:
    return [(style, line) for line in str(error).splitlines()]
