"""Kernels on Linux: the boot loader's default decides, an older kernel takes its place, and undo gives it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.model.evidence import ArtifactListing
from recovery.model.incident import Artifact, Remedy
from recovery.remote import replies
from tests.unit.remote.item_shells import ItemMachine, items, looked
from tests.unit.remote.shells import BEGAN, Shell, reasons

KERNEL = Artifact(kind="kernel", bad_versions=("5.14.0-427.*",))
PREVIOUS = Remedy(kind="kernel_previous")
OLD, OLDER, BAD = "5.14.0-362.8.1.el9.x86_64", "5.14.0-284.el9.x86_64", "5.14.0-427.13.1.el9.x86_64"

GRUB_CFG = """\
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
else
   set default="%(default)s"
fi
menuentry 'Linux' --class linux $menuentry_id_option 'gnulinux-simple-1' {
	linux	/boot/vmlinuz-%(bad)s root=/dev/sda1 ro quiet
	initrd	/boot/initrd.img-%(bad)s
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Linux, with %(bad)s' --class linux $menuentry_id_option 'gnulinux-%(bad)s-advanced-1' {
		linux	/boot/vmlinuz-%(bad)s root=/dev/sda1
	}
	menuentry 'Linux, with %(old)s (recovery mode)' $menuentry_id_option 'gnulinux-%(old)s-recovery-1' {
		linux	/boot/vmlinuz-%(old)s root=/dev/sda1 single
	}
	menuentry 'Linux, with %(old)s' --class linux $menuentry_id_option 'gnulinux-%(old)s-advanced-1' {
		linux	/boot/vmlinuz-%(old)s root=/dev/sda1
	}
}
"""
ENTRY = f"gnulinux-advanced-1>gnulinux-{OLD}-advanced-1"

GRUB = {
    "grub-editenv": 'cat "$FAKE/env" 2>/dev/null',
    "grub-set-default": """
        for entry; do :; done
        echo "saved_entry=$entry" >"$FAKE/env"
    """,
    "update-grub": """
        echo update-grub >>"$FAKE/calls"
        if [ -e "$FAKE/fails" ]; then echo "no space left" >&2; exit 1; fi
        GRUB_DEFAULT=0
        for file in "$(cat "$FAKE/root")"/etc/default/grub.d/*.cfg; do [ -f "$file" ] && . "$file"; done
        config=$(cat "$FAKE/root")/boot/grub/grub.cfg
        sed "s|set default=.[^$].*|set default=\\"$GRUB_DEFAULT\\"|" "$config" >"$FAKE/new"
        cat "$FAKE/new" >"$config"
    """,
}
GRUBBY = {
    "grubby": """
        case $1 in
          --default-kernel) cat "$FAKE/default" ;;
          --set-default=*) echo "${1#--set-default=}" >"$FAKE/default" ;;
        esac
    """
}
BOOTCTL = {
    "bootctl": """
        [ "$1" = set-default ] || exit 1
        echo "default $2" >"$(cat "$FAKE/root")/boot/loader/loader.conf"
    """
}


class KernelMachine(ItemMachine):
    """A machine with three kernels, of which the newest one is bad and the default."""

    def __init__(self, shell: Shell, root: Path, loader: str, artifact: Artifact = KERNEL) -> None:
        super().__init__(shell, root, artifact, PREVIOUS)
        self.loader = loader
        for version in (OLD, OLDER, BAD):
            self.kernel(version)
        self.say("root", str(self.system))
        getattr(self, f"_{loader}")()

    def kernel(self, version: str) -> None:
        (self.system / "lib/modules" / version).mkdir(parents=True)
        (self.system / "boot").mkdir(exist_ok=True)
        (self.system / f"boot/vmlinuz-{version}").touch()

    def _grub(self, default: str = "0") -> None:
        self.tools(GRUB)
        self._write("boot/grub/grub.cfg", GRUB_CFG % {"default": default, "bad": BAD, "old": OLD})
        (self.system / "etc/default/grub.d").mkdir(parents=True)

    def _saved(self) -> None:
        self._grub("${saved_entry}")
        self.say("env", "saved_entry=gnulinux-simple-1\n")

    def _grubby(self) -> None:
        self.tools(GRUBBY)
        self.say("default", f"/boot/vmlinuz-{BAD}\n")

    def _systemd(self) -> None:
        self.tools(BOOTCTL)
        for version in (OLD, OLDER, BAD):
            text = f"title Linux\nversion    {version}\nlinux /vmlinuz-{version}\n"
            self._write(f"boot/loader/entries/id-{version}.conf", text)

    def _write(self, name: str, text: str) -> None:
        file = self.system / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def seen(self, reply: Any) -> dict[str, tuple[str, str]]:
        return {version: (state, detail) for version, state, detail in items(reply)}


@pytest.fixture(params=["grub", "saved", "grubby", "systemd"])
def machine(request: pytest.FixtureRequest, shell: Shell, tmp_path: Path) -> KernelMachine:
    return KernelMachine(shell, tmp_path, request.param)


def test_the_default_decides_whether_a_host_is_bad(machine: KernelMachine) -> None:
    reply = machine.ask("triage", system=True)
    listing = looked(reply)
    assert (listing.kind, listing.exists, listing.bad) == ("kernel", True, True)
    assert machine.seen(reply) == {
        BAD: ("bad", "default"),
        OLD: ("other", ""),
        OLDER: ("other", ""),
    }


def test_the_newest_older_kernel_becomes_the_default_and_undo_gives_it_back(
    machine: KernelMachine,
) -> None:
    reply = machine.act(system=True)
    assert machine.done(reply) == (1, 0, False), reply
    assert machine.seen(reply) == {
        BAD: ("bad", ""),
        OLD: ("other", "default"),
        OLDER: ("other", ""),
    }
    assert (looked(reply).bad, looked(reply).intents) == (False, ("i1",))
    assert "next start" in replies.notes(reply)
    assert machine.done(machine.act("i2", system=True)) == (0, 1, False)

    undone = machine.ask("undo", "u1", system=True)
    assert machine.done(undone, "undo") == (1, 0, False)
    assert machine.seen(undone)[BAD] == ("bad", "default")
    assert machine.done(machine.ask("undo", "u1", system=True), "undo") == (0, 1, False)


def test_a_good_kernel_comes_before_other_older_ones(shell: Shell, tmp_path: Path) -> None:
    known = msgspec.structs.replace(KERNEL, good_versions=(OLDER,))
    made = KernelMachine(shell, tmp_path, "grubby", known)
    made.act(system=True)
    assert made.said("default").strip().endswith(OLDER)


def test_a_newer_kernel_is_no_way_back(shell: Shell, tmp_path: Path) -> None:
    made = KernelMachine(shell, tmp_path, "grubby")
    made.kernel("6.1.0-1.el9.x86_64")
    made.act(system=True)
    assert made.said("default").strip().endswith(OLD)


def test_where_every_kernel_is_bad_nothing_is_changed(shell: Shell, tmp_path: Path) -> None:
    made = KernelMachine(
        shell, tmp_path, "grubby", msgspec.structs.replace(KERNEL, bad_versions=("5.14.*",))
    )
    reply = made.act(system=True)
    assert (made.done(reply), reasons(reply)) == ((0, 0, False), ["unavailable"])
    assert made.said("default").strip().endswith(BAD)
    assert looked(reply).intents == ()


def test_a_boot_loader_that_fails_leaves_all_as_it_was(shell: Shell, tmp_path: Path) -> None:
    made = KernelMachine(shell, tmp_path, "grub")
    made.say("fails")
    reply = made.act(system=True)
    assert (made.done(reply), reasons(reply)) == ((0, 0, False), ["tool"])
    assert "no space left" in replies.why_not(reply)
    assert list((made.system / "etc/default/grub.d").iterdir()) == []
    assert (looked(reply).bad, looked(reply).intents) == (True, ())


def test_an_entry_that_was_asked_for_once_decides(shell: Shell, tmp_path: Path) -> None:
    made = KernelMachine(shell, tmp_path, "saved")
    made.say("env", f"saved_entry=gnulinux-simple-1\nnext_entry={ENTRY}\n")
    assert not looked(made.ask("triage", system=True)).bad


def test_without_a_boot_loader_that_is_known_nothing_is_claimed(
    shell: Shell, tmp_path: Path
) -> None:
    made = KernelMachine(shell, tmp_path, "grub")
    (made.system / "boot/grub/grub.cfg").unlink()
    reply = made.ask("triage", system=True)
    assert [trouble.reason for trouble in reply.trouble] == ["boot_loader_unknown"]
    found = replies.evidence(reply, at=BEGAN, source="test")
    assert not any(isinstance(item, ArtifactListing) for item in found)


def test_a_kernel_is_bad_only_with_the_module_that_makes_it_so(
    shell: Shell, tmp_path: Path
) -> None:
    with_module = msgspec.structs.replace(KERNEL, module="falcon_lsm")
    made = KernelMachine(shell, tmp_path, "grubby", with_module)
    assert not looked(made.ask("triage", system=True)).bad
    (made.system / "sys/module/falcon_lsm").mkdir(parents=True)
    assert looked(made.ask("triage", system=True)).bad


def test_a_kernel_is_bad_only_with_the_package_that_makes_it_so(
    shell: Shell, tmp_path: Path
) -> None:
    with_package = msgspec.structs.replace(KERNEL, package="sensor")
    made = KernelMachine(shell, tmp_path, "grubby", with_package)
    made.tools({"rpm": 'test -e "$FAKE/sensor"', "dpkg-query": "exit 1"})
    assert not looked(made.ask("triage", system=True)).bad
    made.say("sensor")
    assert looked(made.ask("triage", system=True)).bad


FILE = Artifact(kind="missing_file", directory="", pattern="svc.bin")


class FileMachine(ItemMachine):
    """A machine on which a good file is missing, with a copy elsewhere."""

    def __init__(self, shell: Shell, root: Path, *, sha256: tuple[str, ...] = ()) -> None:
        self.place, self.copies = root / "place", root / "copies"
        for folder in (self.place, self.copies):
            folder.mkdir()
        artifact = msgspec.structs.replace(FILE, directory=str(self.place), sha256=sha256)
        super().__init__(
            shell,
            root,
            artifact,
            Remedy(kind="restore_file", copies=(str(root / "none"), str(self.copies))),
        )
        (self.copies / "svc.bin").write_bytes(b"good")

    @property
    def file(self) -> Path:
        return self.place / "svc.bin"


GOOD = "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c"


@pytest.mark.parametrize("sha256", [(), (GOOD,)])
def test_a_missing_file_is_put_back_and_taken_away_by_undo(
    shell: Shell, tmp_path: Path, sha256: tuple[str, ...]
) -> None:
    made = FileMachine(shell, tmp_path, sha256=sha256)
    assert [item.state for item in looked(made.ask("triage")).items] == ["missing"]
    reply = made.act()
    assert made.done(reply) == (1, 0, False), reply
    assert made.file.read_bytes() == b"good"
    assert [entry.name for entry in made.place.iterdir()] == ["svc.bin"]
    assert not looked(reply).bad
    assert made.done(made.act("i2")) == (0, 1, False)
    assert made.done(made.ask("undo", "u1"), "undo") == (1, 0, False)
    assert not made.file.exists()


def test_a_copy_that_is_not_good_is_not_taken(shell: Shell, tmp_path: Path) -> None:
    made = FileMachine(shell, tmp_path, sha256=("00" * 32,))
    reply = made.act()
    assert (made.done(reply), reasons(reply)) == ((0, 0, False), ["unavailable"])
    assert not made.file.exists()


def test_what_has_come_since_is_neither_overwritten_nor_taken_away(
    shell: Shell, tmp_path: Path
) -> None:
    made = FileMachine(shell, tmp_path)
    made.file.write_bytes(b"other")
    assert made.done(made.act()) == (0, 0, True)
    made.file.unlink()
    made.act("i2")
    made.file.write_bytes(b"newer")
    reply = made.ask("undo", "u1")
    assert (made.done(reply, "undo"), reasons(reply)) == ((0, 0, False), ["changed"])
    assert made.file.read_bytes() == b"newer"


def test_where_only_the_key_is_missing_nothing_is_bad(shell: Shell, tmp_path: Path) -> None:
    made = ItemMachine(shell, tmp_path, Artifact(kind="none"), Remedy(kind="hand_over_only"))
    listing = looked(made.ask("triage"))
    assert (listing.kind, listing.bad, listing.items) == ("none", False, ())
