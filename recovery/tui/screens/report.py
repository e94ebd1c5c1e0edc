"""The status report for management: looked at, copied, written to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from typing_extensions import override

from recovery.journal.views import describe
from recovery.report.briefing import Briefing, markdown
from recovery.tui.draw.figures import lines
from recovery.tui.inert import content, plain
from recovery.tui.snapshot import Snapshot


def report_on(snapshot: Snapshot) -> str:
    """The report on this moment, with nothing in it that a screen or a Markdown reader takes for more than text."""
    focus = snapshot.focus
    going = focus if focus is not None and focus.is_live else None
    started = going.view.started if going is not None else None
    brief = Briefing(
        at=snapshot.now,
        mock=snapshot.mock,
        standing=snapshot.standing,
        goals=snapshot.goals,
        waiting=len(snapshot.hands),
        questions=[
            asked.question for line in snapshot.runs if line.is_live for asked in line.view.asked
        ],
        run=f"{describe(started)} ({started.run})" if started is not None else "",
    )
    return "\n".join(plain(text) for text in markdown(brief).splitlines()) + "\n"


def _shown(text: str) -> Content:
    """A line of the report as people read it, without Markdown's marks."""
    heading = text.startswith("# ")
    text = text.removeprefix("# ").replace("**", "").replace("\\", "")
    return content(text, "bold" if heading else "")


class ReportScreen(ModalScreen[None]):
    """One page of the moment in which it was asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,s,q", "dismiss", "Close"),
        ("c", "copy", "Copy"),
        ("w", "write", "Write to a file"),
    ]

    def __init__(self, snapshot: Snapshot) -> None:
        """Of this moment."""
        super().__init__()
        self._text = report_on(snapshot)
        self._name = f"status-{snapshot.now:%Y%m%d-%H%M}.md"

    @override
    def compose(self) -> ComposeResult:
        """The report, and the name of a file once it is wanted."""
        with Vertical(classes="dialog wide tall") as box:
            box.border_title = "Status report"
            box.border_subtitle = "w writes it to a file   c copies it   Esc closes"
            with VerticalScroll(id="page"):
                yield Static(
                    lines([_shown(text) for text in self._text.splitlines()]), markup=False
                )
            yield Input(self._name, id="file", compact=True, classes="hidden")
            yield Static("", id="said", markup=False)

    def action_copy(self) -> None:
        """To the clipboard, where the terminal lets us."""
        self.app.copy_to_clipboard(self._text)
        self._say("copied, if this terminal allows it")

    def action_write(self) -> None:
        """Ask for the file's name."""
        field = self.query_one(Input)
        field.remove_class("hidden")
        field.focus()

    @on(Input.Submitted)
    def write(self, event: Input.Submitted) -> None:
        """Write a new file that only its owner may read; one that is there stays as it is."""
        path = Path(event.value.strip()).expanduser()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self._text)
        except OSError as error:
            self._say(f"{path}: {error.strerror}; choose another name", bad=True)
            return
        self._say(f"written to {path.absolute()}")
        self.query_one(Input).add_class("hidden")
        self.query_one("#page").focus()

    def _say(self, words: str, *, bad: bool = False) -> None:
        look = "bold $error" if bad else "$success"
        self.query_one("#said", Static).update(Content.styled(plain(words, 400), look))
