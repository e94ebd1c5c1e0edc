"""Console pictures a second on one processor, without text recognition."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from tests.perf.measure import Row

_ROUNDS = 3


def pictures(_: Path) -> Iterator[Row]:
    """The corpus, from bytes to labels."""
    from recovery.detect.screen import read  # noqa: PLC0415 - only this benchmark draws pictures
    from tests.pictures import corpus  # noqa: PLC0415

    raws = [case.raw for case in corpus.cases()]
    began = time.process_time()
    for _round in range(_ROUNDS):
        for raw in raws:
            read(raw)
    spent = time.process_time() - began
    yield Row(
        "console pictures without OCR",
        f"{_ROUNDS * len(raws) / spent:.0f} a second of one core",
        "20",
    )
