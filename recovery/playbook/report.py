"""What the verifier found."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """Why something is refused, or what to think about before it is used."""

    message: str
    """What is wrong, and what to do about it."""
    line: int = 0
    """0 where the text has no line for it."""

    def shown(self, file: str = "") -> str:
        """With its place."""
        place = f"{file}:{self.line}: " if file and self.line else f"{file}: " if file else ""
        return place + self.message


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The verifier's result."""

    problems: tuple[Problem, ...] = ()
    """Each is a refusal."""
    warnings: tuple[Problem, ...] = ()
    """Worth a look; nothing is refused for them."""
    worst_case: float = 0.0
    """Seconds that one host can take at most while it answers; `keep_trying` and soaks come on top."""
    irreversible: tuple[str, ...] = ()
    """Steps that nothing undoes, said aloud."""
    privileges: tuple[str, ...] = ()
    """What the credentials have to be allowed on the hosts."""

    @property
    def ok(self) -> bool:
        """Whether it may be used."""
        return not self.problems
