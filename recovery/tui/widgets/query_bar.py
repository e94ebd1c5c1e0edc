"""The line in which a query is typed: proposals while it is typed, the error under the bad word, and a history."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static

from recovery.errors import QueryError, RecoveryError
from recovery.inventory.completion import Completion
from recovery.tui.inert import plain

_SHOWN = 12
"""Proposals in the line; with more letters there are fewer."""
_KEPT = 100
_WORD = 40


class QueryInput(Input):
    """The input itself, with the keys of a shell."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="query.complete", tooltip="Take the proposal"),
        Binding("up", "recall(-1)", "Earlier", id="query.earlier", tooltip="The query before"),
        Binding("down", "recall(1)", "Later", show=False, id="query.later"),
        Binding("escape", "leave", "Back", id="query.leave", tooltip="Back to the list"),
    ]

    class Left(Message):
        """The user goes back to the list."""

    def __init__(self) -> None:
        super().__init__(
            placeholder="all hosts — site=ATL and verdict in (exposed, crash_loop)",
            compact=True,
            id="query",
        )
        self._history: list[str] = []
        self._recalled = 0
        self._proposed: list[tuple[int, str]] = []
        """Where the word to be replaced begins, and what would stand there; taken in turn."""
        self._taken = -1
        self._taking = ""

    def propose(self, completion: Completion) -> None:
        """Have these proposals taken by the key."""
        if self.value != self._taking:
            self._proposed = [(completion.start, option) for option in completion.options]
            self._taken = -1

    def remember(self, query: str) -> None:
        """Put a query behind the others of the history; it is complete."""
        self._proposed = []
        if query and self._history[-1:] != [query]:
            self._history = [*self._history, query][-_KEPT:]
        self._recalled = len(self._history)

    def action_complete(self) -> None:
        """Take the first proposal, and with every further press the one behind it."""
        if not self._proposed:
            return
        self._taken = (self._taken + 1) % len(self._proposed)
        start, option = self._proposed[self._taken]
        self._taking = self.value[:start] + option
        self.value = self._taking
        self.cursor_position = len(self.value)

    def action_recall(self, by: int) -> None:
        """Bring back the query that was asked before or after."""
        place = self._recalled + by
        if 0 <= place <= len(self._history):
            self._recalled = place
            self.value = self._history[place] if place < len(self._history) else ""
            self.cursor_position = len(self.value)

    def action_leave(self) -> None:
        """Give the focus back."""
        self.post_message(self.Left())


class QueryBar(Vertical):
    """A query with what is to be said about it below. It does not judge queries: `check` does."""

    DEFAULT_CSS = """
    QueryBar { height: auto; }
    QueryBar > Horizontal { height: 1; }
    QueryBar Label { padding: 0 1; color: $primary; text-style: bold; }
    QueryBar Input { width: 1fr; }
    QueryBar #said { height: auto; max-height: 3; padding: 0 1; color: $muted; }
    QueryBar #said.error { color: $text-error; }
    """

    class Asked(Message):
        """A query that was checked; an empty one means every host."""

        def __init__(self, query: str) -> None:
            """As it was typed."""
            super().__init__()
            self.query = query

    def __init__(
        self,
        check: Callable[[str], None],
        complete: Callable[[str], Completion],
        *,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        """`check` raises `RecoveryError` for a query that cannot be asked; `complete` proposes what follows."""
        super().__init__(id=id)
        self._check = check
        self._complete = complete

    def compose(self) -> ComposeResult:
        """The input and the line below it."""
        with Horizontal():
            yield Label("Query")
            yield QueryInput()
        said = Static(id="said", markup=False)
        said.display = False
        yield said

    @property
    def input(self) -> QueryInput:
        """Where the query is typed."""
        return self.query_one(QueryInput)

    def put(self, query: str) -> None:
        """Ask this query, as if it had been typed."""
        self.input.value = query
        self._ask(query)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        field = self.input
        text = field.value
        at_end = field.has_focus and text and field.cursor_position >= len(text)
        found = self._complete(text) if at_end else Completion()
        field.propose(found)
        self._say(Text("  ".join(found.options[:_SHOWN])) if found.options else Text())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._ask(event.value)

    @on(QueryInput.Left)
    def _left(self) -> None:
        self._say(Text())

    def _ask(self, query: str) -> None:
        query = query.strip()
        try:
            if query:
                self._check(query)
        except QueryError as error:
            self._say(self._under(error), wrong=True)
        except RecoveryError as error:
            self._say(Text(plain(str(error))), wrong=True)
        else:
            self._say(Text())
            self.input.remember(query)
            self.post_message(self.Asked(query))

    def _say(self, text: Text, *, wrong: bool = False) -> None:
        said = self.query_one("#said", Static)
        said.set_class(wrong, "error")
        said.display = bool(text.plain)
        said.update(text)

    def _under(self, error: QueryError) -> Text:
        """The error with a mark under the word that it means, as far as that is in sight."""
        field = self.input
        value = field.value
        left = cell_len("Query") + 1 + cell_len(value[: error.at]) - round(field.scroll_offset.x)
        word = value[error.at : error.at + _WORD].split(maxsplit=1)[:1] or [" "]
        mark = "^" * max(1, min(cell_len(word[0]), self.size.width - left - 2))
        shown = f"{' ' * left}{mark}\n" if error.text and 0 < left < self.size.width else ""
        return Text(shown + plain(error.message), no_wrap=False)
