"""The corpus as the reader of console pictures sees it, by its colours, by perfect text, and by text recognisers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from recovery.detect.screen import Line, Recognised, TextReader, read
from recovery.model.reading import Label, Reading
from recovery.ocr import Engine, choose
from recovery.sim import screens
from tests.needs import need
from tests.pictures import corpus, languages
from tests.pictures.corpus import Case

if TYPE_CHECKING:
    from PIL import Image

HEALTHY = {"desktop", "sign_in", "text_console"}
CRASHED = {"bugcheck", "linux_panic"}
CASES = tuple(corpus.cases())
Record = Callable[[str, object], None]


def judge(cases: tuple[Case, ...], reader: TextReader | None) -> list[tuple[Case, Reading]]:
    return [(case, read(case.raw, reader)) for case in cases]


def matrix(read_by: str, found: list[tuple[Case, Reading]], record: Record) -> None:
    """Hand the matrix to the summary that is printed at the end of the run."""
    record("pictures", [read_by, [[case.label, reading.label] for case, reading in found]])


def dangerous(found: list[tuple[Case, Reading]]) -> list[str]:
    """A crash that is called healthy, and anything else that is called a crash."""
    return [
        f"{case.name}: {case.label} called {reading.label} ({reading.meaning})"
        for case, reading in found
        if (case.label in CRASHED and reading.label in HEALTHY)
        or (case.label not in CRASHED and reading.label in CRASHED)
    ]


def test_without_text_nothing_is_called_what_it_is_not(record_property: Record) -> None:
    found = judge(CASES, None)
    matrix("without OCR", found, record_property)
    assert not dangerous(found)
    wrong = [case.name for case, it in found if it.label not in {case.label, "unknown"}]
    assert not wrong


def test_a_blue_windows_screen_without_text_is_one_of_three() -> None:
    found = read(screens.png("bitlocker"))
    assert found.label == "unknown"
    assert found.meaning == "bugcheck or recovery or key: blue Windows screen"
    assert found.alternatives == ("bugcheck", "recovery_screen", "needs_key")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "needed", "least"),
    [("tesseract", "tesseract", 0.85), ("rapidocr", "module:rapidocr", 0.90)],
)
def test_with_text_most_are_told(
    engine: Engine, needed: str, least: float, record_property: Record
) -> None:
    need(needed)
    found = judge(CASES[::3], choose(engine))
    matrix(f"with {engine}", found, record_property)
    assert not dangerous(found)
    legible = [(case, it) for case, it in found if not case.small]
    right = sum(case.label == it.label for case, it in legible)
    assert right >= least * len(legible)
    codes = [(case, it) for case, it in legible if case.label == "bugcheck" and case.facts]
    read_off = sum(case.facts is not None and it.stop_code == case.facts.stop_code for case, it in codes)  # fmt: skip
    assert read_off >= least * len(codes)


class Knowing:
    """A reader that knows what stands there."""

    name = "knowing"

    def __init__(self, *lines: str) -> None:
        self._lines = lines

    def read(self, _: Image.Image) -> Recognised:
        return Recognised(tuple(Line(line) for line in self._lines))


def spoken() -> list[tuple[str, Label, tuple[str, ...]]]:
    groups: list[tuple[Label, dict[str, tuple[str, ...]]]] = [
        ("bugcheck", {k: (*v[:1], f"{v[1]} CRITICAL PROCESS DIED") for k, v in languages.BUGCHECK.items()}),
        ("recovery_screen", dict(languages.RECOVERY)),
        ("needs_key", dict(languages.KEY)),
        ("unknown", dict(languages.UPDATING)),
    ]  # fmt: skip
    return [(name, label, said) for label, group in groups for name, said in group.items()]


@pytest.mark.parametrize(
    ("language", "label", "said"), spoken(), ids=lambda value: value if isinstance(value, str) else ""
)  # fmt: skip
def test_windows_is_understood_in_its_languages(
    language: str, label: Label, said: tuple[str, ...]
) -> None:
    blue = screens.png("recovery")
    found = read(blue, Knowing(*said))
    assert found.label == label, language
    if label == "bugcheck":
        assert found.stop_code == 0xEF
    if label == "unknown":
        assert not found.alternatives
