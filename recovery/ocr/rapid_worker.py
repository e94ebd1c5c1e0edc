"""The process in which RapidOCR runs: a file's name on each line in, its text as one line of JSON out."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import msgspec


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print is no answer
    engine = _engine()
    for name in sys.stdin.buffer:
        rows = _rows(engine(name.decode().rstrip("\n")))
        answers.write(msgspec.json.encode(rows) + b"\n")


def _engine() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 - only this process pays for it

    logging.disable()
    threads = {
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return RapidOCR(params={**threads, "Global.use_cls": False, "Global.max_side_len": 1600})


def _rows(found: Any) -> list[tuple[str, float, float, float, float]]:
    """Text with left, top, right, bottom; words of one line joined, from top to bottom."""
    if found.boxes is None or found.txts is None:
        return []
    places = []
    for box, text in zip(found.boxes, found.txts, strict=True):
        across, down = [float(point[0]) for point in box], [float(point[1]) for point in box]
        places.append((text, min(across), min(down), max(across), max(down)))
    return sorted(places, key=lambda place: (round(place[2] / 12), place[1]))


if __name__ == "__main__":
    main()
