"""Acting on hosts: the menu of what can be done, with the reason beside what cannot, and then the plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option
from typing_extensions import override

from recovery.inventory.ranges import fold
from recovery.model.host import Host
from recovery.tui.acts import ACTS, Act, why_not
from recovery.tui.fleet_rows import limits_for
from recovery.tui.inert import content, plain
from recovery.tui.screens.page import Page
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.widgets.choices import Choices

_NARROW = 30


class ActMenu(ModalScreen[str]):
    """Dismissed with the name of the playbook, or with nothing."""

    DEFAULT_CSS = """
    ActMenu > .dialog { padding: 0 1; }
    ActMenu Choices { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss('')", "Do nothing")]

    def __init__(self, hosts: Sequence[Host], playbooks: Sequence[str]) -> None:
        """For these hosts."""
        super().__init__()
        self._hosts = tuple(hosts)
        self._reasons = {act.playbook: why_not(act, playbooks, self._hosts) for act in ACTS}

    @override
    def compose(self) -> ComposeResult:
        """One line for each act."""
        with Vertical(classes="dialog wide") as box:
            names = fold((host.name for host in self._hosts), most=3)
            count = len(self._hosts)
            box.border_title = content(
                f"{count} host{'s' if count != 1 else ''}: {names}", longest=70
            )
            box.border_subtitle = "key or Enter chooses   Esc does nothing"
            yield Choices(
                *(
                    Option(
                        self._line(act), id=act.playbook, disabled=bool(self._reasons[act.playbook])
                    )
                    for act in ACTS
                )
            )

    def _line(self, act: Act) -> Content:
        reason = self._reasons[act.playbook]
        if reason:
            return Content.styled(plain(f" {act.key}  {act.title:<12} not now: {reason}"), "$muted")
        return Content.assemble(
            (f" {act.key} ", "bold $accent"), f" {act.title:<12} ", (act.tooltip, "$muted")
        )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        _ = self.dismiss(event.option_id or "")

    def on_key(self, event: events.Key) -> None:
        """The letter of an act chooses it."""
        act = next((act for act in ACTS if act.key == event.character), None)
        if act is not None and not self._reasons[act.playbook]:
            event.stop()
            _ = self.dismiss(act.playbook)


class ActingPage(Page):
    """A page from which hosts are acted on: by a playbook, its plan and its confirmation, and by nothing else."""

    @work(exclusive=True, group="act")
    async def act_on(self, names: Sequence[str]) -> None:
        """Let an act be chosen for the hosts, and plan it."""
        members = self.snapshot.members
        hosts = [members[name] for name in names if name in members]
        if not hosts:
            self.tell(
                f"no inventory knows {fold(names, most=4)}: only people can act on it"
                if names
                else "no host is chosen: set the cursor on one, or mark some with Space",
                severe=True,
            )
            return
        playbooks = [line.name for line in self.gateway.playbooks()]
        chosen = await self.app.push_screen_wait(ActMenu(hosts, playbooks))
        if chosen:
            await self._plan(chosen, [host.name for host in hosts])

    async def _plan(self, playbook: str, names: Sequence[str]) -> None:
        try:
            limits = limits_for(names)
        except ValueError as error:
            self.tell(str(error), severe=True)
            return
        what = f"{len(names)} hosts: {fold(names, most=4)}" if len(names) > 1 else names[0]
        run = await self.app.push_screen_wait(PlanScreen(self.gateway, playbook, limits, what))
        if run:
            self.tell(f"run {run} has begun: it is on the Runs screen (3)")
