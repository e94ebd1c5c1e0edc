"""Programs that read text: what they say is taken as it is, and one that fails or hangs is only told of."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from recovery.errors import UsageError
from recovery.ocr import choose
from recovery.ocr.rapid import Rapid
from recovery.ocr.tesseract import Tesseract
from tests.needs import need

PICTURE = Image.new("RGB", (64, 32), (0, 0, 120))


def program(folder: Path, body: str) -> str:
    """A program of that name that does as told."""
    need("linux")
    file = folder / "tesseract"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return str(file)


def test_lines_are_taken_without_blank_ones(tmp_path: Path) -> None:
    reader = Tesseract(program(tmp_path, 'printf " one \\n\\n two\\n"'))
    found = reader.read(PICTURE)
    assert [line.text for line in found.lines] == ["one", "two"]
    assert not found.problem


def test_installed_languages_are_asked_for(tmp_path: Path) -> None:
    body = 'case "$1" in --list-langs) printf "List\\ndeu\\neng\\nosd\\n";; *) echo "$4";; esac'
    reader = Tesseract(program(tmp_path, body))
    assert [line.text for line in reader.read(PICTURE).lines] == ["eng+deu"]


@pytest.mark.parametrize(
    ("body", "said"), [("exit 3", "status 3"), ("sleep 30", "took too long")]
)  # fmt: skip
def test_a_program_that_fails_is_told_of(tmp_path: Path, body: str, said: str) -> None:
    found = Tesseract(program(tmp_path, body), timeout=0.5).read(PICTURE)
    assert found.lines == ()
    assert said in found.problem


def test_a_program_that_is_gone_is_told_of(tmp_path: Path) -> None:
    assert "failed" in Tesseract(str(tmp_path / "none")).read(PICTURE).problem


WORKERS = {
    "fine": "print('[[\"a line\", 1, 2, 3, 4]]', flush=True)",
    "slow": "time.sleep(60)",
    "gone": "sys.exit(1)",
    "odd": "print('{}', flush=True)",
    "endless": "sys.stdout.write('x' * 3_000_000); sys.stdout.flush()",
}


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for worker processes."""
    for name, body in WORKERS.items():
        text = f"import sys, time\nfor line in sys.stdin:\n    {body}\n"
        (tmp_path / f"worker_{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("worker")
def test_a_worker_is_kept_for_the_next_picture() -> None:
    reader = Rapid(module="worker_fine")
    first, second = reader.read(PICTURE), reader.read(PICTURE)
    reader.close()
    assert first == second
    assert [line.text for line in first.lines] == ["a line"]
    assert reader.read(PICTURE) == first
    reader.close()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("name", "said"),
    [("slow", "took too long"), ("gone", "its process ended"), ("odd", "failed"), ("endless", "said too much")],
)  # fmt: skip
def test_a_worker_that_fails_is_ended_and_told_of(name: str, said: str) -> None:
    reader = Rapid(module=f"worker_{name}", timeout=2.0)
    found = reader.read(PICTURE)
    assert said in found.problem
    assert found.lines == ()
    reader.close()


def test_without_any_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert choose("auto") is None
    assert choose("none") is None
    with pytest.raises(UsageError, match=r"fleet-recovery\[ocr\]"):
        choose("rapidocr")
    with pytest.raises(UsageError, match="the program tesseract"):
        choose("tesseract")


def test_what_is_installed_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/tesseract")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert isinstance(choose("auto"), Tesseract)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert isinstance(choose("auto"), Rapid)
    assert isinstance(choose("tesseract"), Tesseract)


def test_the_real_worker_reads_a_line(tmp_path: Path) -> None:
    need("module:rapidocr")
    need("module:onnxruntime")
    from recovery.sim import screens  # noqa: PLC0415

    file = tmp_path / "screen.png"
    screens.draw("windows11_bugcheck").save(file)
    done = subprocess.run(
        [sys.executable, "-m", "recovery.ocr.rapid_worker"],
        input=f"{file}\n".encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"ran into a problem" in done.stdout
