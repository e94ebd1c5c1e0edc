"""Undo: what it must not write over, what it cannot put back, and what it does not believe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from tests.unit.remote.shells import Machine, acted, reasons


@pytest.fixture
def machine(any_machine: Machine) -> Machine:
    """Machines that can rename into quarantine, and such that have to copy."""
    return any_machine


def test_undo_never_writes_over_what_is_there(machine: Machine) -> None:
    path = machine.file("C-00000291-1.sys")
    machine.ask("quarantine")
    path.write_bytes(b"a new one")
    reply = machine.ask("undo", "u1")
    assert (acted(reply, "undo"), reasons(reply)) == ((0, 0, False), ["exists"])
    assert path.read_bytes() == b"a new one"
    path.unlink()
    assert acted(machine.ask("undo", "u2"), "undo") == (1, 0, False)


def _spoil(machine: Machine) -> None:
    machine.held()[0].write_bytes(b"spoilt")


def _lose(machine: Machine) -> None:
    machine.held()[0].unlink()


def _lose_the_folder(machine: Machine) -> None:
    shutil.rmtree(machine.folder)


@pytest.mark.parametrize(
    ("harm", "reason"), [(_spoil, "hash"), (_lose, "missing"), (_lose_the_folder, "missing")]
)
def test_undo_says_what_it_cannot_put_back(
    machine: Machine, harm: Callable[[Machine], None], reason: str
) -> None:
    machine.file("C-00000291-1.sys")
    machine.ask("quarantine")
    harm(machine)
    for token in ("u1", "u2"):
        reply = machine.ask("undo", token)
        assert (acted(reply, "undo"), reasons(reply)) == ((0, 0, False), [reason])


def test_a_manifest_cannot_lead_out_of_the_folder(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.ask("quarantine")
    manifest = machine.quarantine / "i1" / "manifest"
    head, entry, end = manifest.read_text().splitlines()
    outside = machine.folder.parent / "outside"
    for path in (outside, machine.folder / ".." / "outside"):
        octal = "".join(f"\\0{byte:03o}" for byte in os.fsencode(f"{path.parent}/{path.name}"))
        manifest.write_text("\n".join([head, entry.rpartition(" ")[0] + " " + octal, end]) + "\n")
        assert reasons(machine.ask("undo", "u1")) == ["unsupported"]
        assert not outside.exists()


def test_a_manifest_that_is_not_whole_or_of_another_artifact_is_no_manifest(
    machine: Machine,
) -> None:
    machine.file("C-00000291-1.sys")
    machine.ask("quarantine")
    manifest = machine.quarantine / "i1" / "manifest"
    whole = manifest.read_text()
    other = whole.replace("fleet-recovery 1 ", "fleet-recovery 1 00")
    numbered = whole.replace("\n1 ", "\n../1 ")
    for text in (
        whole.removesuffix("end 1\n"),
        whole.replace("end 1", "end 2"),
        other,
        numbered,
        "",
    ):
        manifest.write_text(text)
        assert machine.listing().intents == ()
        assert acted(machine.ask("undo", "u1"), "undo") == (0, 0, True)
    manifest.write_text(whole)
    assert acted(machine.ask("undo", "u1"), "undo") == (1, 0, False)
