"""The exposure audit's script: what it tells of a host's kernel, on a disk of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.model.evidence import KernelModule, KernelModules, Readiness, ServiceState
from recovery.model.host import Host
from recovery.remote import catalog, replies
from tests.unit.remote.shells import BEGAN, HOST, Shell

MODULES = """falcon_lsm_pinned_17706 2129920 1 - Live 0x0000000000000000 (OE)
nvidia 62734336 3 nvidia_modeset, Live 0x0000000000000000 (POE)
ext4 983040 1 - Live 0x0000000000000000
vboxdrv 696320 0 - Loading 0x0000000000000000 (OE+)
"""


def _machine(root: Path) -> Path:
    (root / "proc/sys/kernel").mkdir(parents=True)
    (root / "proc/modules").write_text(MODULES)
    (root / "proc/sys/kernel/panic").write_text("10\n")
    (root / "sys/module/nvidia").mkdir(parents=True)
    (root / "sys/module/nvidia/version").write_text("550.54\n")
    for pid, name in ((1, "systemd"), (812, "falcon-sensor-b"), (900, "bash")):
        held = root / f"proc/{pid}/fd"
        held.mkdir(parents=True)
        (root / f"proc/{pid}/comm").write_text(f"{name}\n")
        (held / "5").symlink_to("/dev/null" if name == "bash" else "anon_inode:bpf-prog")
    (root / "boot").mkdir()
    for name in ("vmlinuz-6.1.0-22", "vmlinuz-6.1.0-21", "vmlinuz-6.1.0-21.old", "config-6.1.0-22"):
        (root / "boot" / name).touch()
    return root


def _ask(shell: Shell, root: Path | str, *, processes: str = "", **environ: str) -> replies.Reply:
    settings = {"FR_ROOT": str(root), "PROCESSES": processes}
    command = catalog.command("exposure", HOST, None, token="t1", timeout=30.0, settings=settings)
    completed = shell.run(catalog.render(command), **environ)
    assert completed.stderr == b""
    return replies.read(completed, "t1")


def _modules(reply: replies.Reply) -> KernelModules:
    found = replies.evidence(reply, at=BEGAN, source="test")
    return next(item for item in found if isinstance(item, KernelModules))


def test_what_is_not_the_kernels_own_is_told(shell: Shell, tmp_path: Path) -> None:
    reply = _ask(shell, _machine(tmp_path / "root"))
    assert _modules(reply).modules == (
        KernelModule(name="falcon_lsm_pinned_17706", kind="lkm", running=True),
        KernelModule(name="nvidia", kind="lkm", version="550.54", running=True),
        KernelModule(name="vboxdrv", kind="lkm"),
        KernelModule(name="falcon-sensor-b", kind="ebpf", running=True),
    )
    ready = replies.evidence(reply, at=BEGAN, source="test")[-1]
    assert ready == Readiness(at=BEGAN, source="test", restarts_after_crash=True, kernels=2)


def test_a_machine_without_modules_says_so_and_claims_nothing_else(
    shell: Shell, tmp_path: Path
) -> None:
    reply = _ask(shell, tmp_path)
    assert _modules(reply) == KernelModules(at=BEGAN, source="test")
    ready = replies.evidence(reply, at=BEGAN, source="test")[-1]
    assert isinstance(ready, Readiness)
    assert ready.restarts_after_crash is None
    assert ready.kernels is None


def test_a_list_that_is_too_long_says_that_it_was_cut(shell: Shell, tmp_path: Path) -> None:
    root = _machine(tmp_path / "root")
    lines = (f"mod{number} 1 0 - Live 0x0 (O)\n" for number in range(400))
    (root / "proc/modules").write_text("".join(lines))
    found = _modules(_ask(shell, root))
    assert found.truncated
    assert len(found.modules) == 300


def test_the_processes_of_products_are_asked_for(shell: Shell, tmp_path: Path) -> None:
    name = Path("/proc/1/comm").read_text().strip()
    reply = _ask(shell, tmp_path, processes=f"{name}\nno-such-sensor")
    states = {
        item.name: item.running
        for item in replies.evidence(reply, at=BEGAN, source="test")
        if isinstance(item, ServiceState)
    }
    assert states == {name: True, "no-such-sensor": False}


def test_a_module_with_a_rude_name_is_inert(shell: Shell, tmp_path: Path) -> None:
    root = _machine(tmp_path / "root")
    (root / "proc/812/comm").write_bytes(b'$(id)";\x1b[31m\n')
    names = [module.name for module in _modules(_ask(shell, root)).modules]
    assert '$(id)";\\x1b[31m' in names


@pytest.mark.parametrize("os_", ["windows", "linux", "macos"])
def test_no_incident_is_needed(os_: str) -> None:
    host = Host(name="h1", os=os_)  # type: ignore[arg-type]
    command = catalog.command("exposure", host, None, token="t1", timeout=30.0)
    assert command.action == "exposure"
