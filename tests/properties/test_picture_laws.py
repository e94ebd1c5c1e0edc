"""Whatever bytes come, a picture is read to a value: no crash, no hang, and never more than 200 MB."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.detect.screen import read
from recovery.model.reading import LABELS
from recovery.sim import screens
from tests.needs import need

WHOLE = tuple(
    screens.encoded(screens.draw(name, (160, 120)), form)
    for name in ("windows10_bugcheck", "login")
    for form in ("PNG", "JPEG", "BMP", "PPM", "GIF")
)
HEADS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"BM",
    b"GIF89a",
    b"P6\n",
    b"P5 9 9 255\n",
    b"P1\n",
)

damage = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12)


@given(whole=st.sampled_from(WHOLE), cut=st.floats(0, 1), hits=damage)
def test_damaged_pictures_are_read_to_a_value(
    whole: bytes, cut: float, hits: list[tuple[float, int]]
) -> None:
    raw = bytearray(whole)
    for place, value in hits:
        raw[min(len(raw) - 1, int(place * len(raw)))] = value
    found = read(bytes(raw[: int(cut * len(raw))]))
    assert found.label in LABELS
    assert 0 <= found.confidence <= 1


@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=400))
def test_what_only_begins_like_a_picture_is_read_to_a_value(head: bytes, rest: bytes) -> None:
    assert read(head + rest).label in LABELS


LARGE = """
import io, json, sys
from PIL import Image
form, mode, how = json.loads(sys.argv[1])
image = Image.effect_noise((2000, 1280), 40).convert("RGB").convert(mode).resize((5000, 3200), 0)
buffer = io.BytesIO()
image.save(buffer, form, **how)
del image
raw = buffer.getvalue()
del buffer
sys.stdout.buffer.write(raw)
"""

READ = """
import json, pathlib, sys
from recovery.detect.screen import read
raw = sys.stdin.buffer.read()
found = read(raw)
status = pathlib.Path("/proc/self/status").read_text()
print(json.dumps([found.width, int(status.split("VmHWM:")[1].split()[0]) / 1024]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "mode", "how"),
    [
        ("PNG", "RGB", {"compress_level": 9}), ("PNG", "P", {}), ("PNG", "L", {}), ("BMP", "RGB", {}),
        ("PPM", "RGB", {}),
        ("JPEG", "RGB", {"quality": 20, "progressive": True}), ("JPEG", "CMYK", {"quality": 20}), ("GIF", "P", {}),
    ],
)  # fmt: skip
def test_the_largest_pictures_stay_below_200_megabytes(
    form: str, mode: str, how: dict[str, object]
) -> None:
    need("linux")
    asked = json.dumps([form, mode, how])
    made = _python(LARGE, b"", asked)
    width, megabytes = json.loads(_python(READ, made))
    assert width in {0, 5000}
    assert megabytes < 200, megabytes


def _python(code: str, given: bytes, *words: str) -> bytes:
    argv = [sys.executable, "-c", code, *words]
    return subprocess.run(argv, input=given, capture_output=True, check=True, timeout=120).stdout
