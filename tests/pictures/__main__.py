"""The corpus and how it is read: `python -m tests.pictures [none|tesseract|rapidocr] [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

from recovery.detect.screen import read
from recovery.ocr import Engine, choose
from tests.pictures import corpus, score


def main(engine: str = "none", folder: str = "") -> None:
    """Print every picture that is called something else, and the matrix; write the pictures to `folder`."""
    reader = choose(cast("Engine", engine))
    pairs = []
    for case in corpus.cases():
        found = read(case.raw, reader)
        pairs.append((case.label, found.label))
        missed = _missed(case, found) if reader else ""
        if found.label != case.label or missed:
            sys.stdout.write(
                f"{case.name}: {case.label} called {found.label}, {found.meaning} {missed}\n"
            )
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / case.name).write_bytes(case.raw)
    sys.stdout.write("\n".join(score.shown(score.matrix(pairs))) + "\n")


def _missed(case: corpus.Case, found: object) -> str:
    """What of a stop code or key id was not read."""
    facts = case.facts
    if facts is None or case.small:
        return ""
    if case.label == "bugcheck" and getattr(found, "stop_code", None) != facts.stop_code:
        return f"stop code {facts.stop_code:#x} read as {getattr(found, 'stop_code', None)}"
    if case.label == "needs_key" and getattr(found, "key_id", "") != facts.key_id:
        return f"key id {facts.key_id} read as {getattr(found, 'key_id', '')}"
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:3])
