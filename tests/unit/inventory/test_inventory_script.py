"""Inventory scripts: what they print is read, and none can hang, flood or fail unnoticed."""

from __future__ import annotations

import os
import socket
import stat
import time
from pathlib import Path

import pytest

from recovery.errors import InputError
from recovery.inventory.loader import load, load_with_warnings
from recovery.inventory.script import is_script, output_of


def script(folder: Path, body: str, name: str = "fleet.sh") -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


LISTING = """cat <<'END'
{"web": {"hosts": ["w1", "w2"], "vars": {"role": "web"}, "children": ["edge"]},
 "edge": ["e1"],
 "_meta": {"hostvars": {"w1": {"ansible_host": "10.0.0.1", "role": "own", "ansible_password": "planted"}, "gone": {}}}}
END
test "$1" = --list
"""


def test_what_a_script_lists(tmp_path: Path) -> None:
    fleet, warnings = load_with_warnings([str(script(tmp_path, LISTING))])
    assert {host.name: (host.groups, dict(host.vars)) for host in fleet.hosts} == {
        "w1": (("web",), {"role": "own", "ansible_host": "10.0.0.1"}),
        "w2": (("web",), {"role": "web"}),
        "e1": (("web", "edge"), {"role": "web"}),
    }
    assert fleet.hosts[0].address == "10.0.0.1"
    assert len(warnings) == 1
    assert "ansible_password" in warnings[0]
    assert "planted" not in str((fleet, warnings))


def test_a_script_may_print_the_native_form(tmp_path: Path) -> None:
    path = script(tmp_path, 'echo \'{"hosts": {"a-[1-2]": {"os": "linux"}}}\'')
    assert [host.name for host in load([str(path)]).hosts] == ["a-1", "a-2"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "echo broken; echo 'no route to \033[31mdatabase' >&2; exit 3",
            r"status 3: 'no route to \\x1b\[31mdatabase'",
        ),
        ("exit 4", "the script ended with status 4$"),
        ("echo not json", "not JSON"),
        ("true", "not JSON"),
        ("echo '[1]'", "expected an object of groups"),
        ("yes '0123456789' 2>/dev/null", "printed more than 1000000 bytes"),
    ],
)
def test_scripts_that_fail(
    body: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_of, "__kwdefaults__", {"seconds": 60.0, "most": 1_000_000})
    with pytest.raises(InputError, match=says) as caught:
        load([str(script(tmp_path, body))])
    assert str(caught.value).startswith(f"{tmp_path}/fleet.sh")


@pytest.mark.parametrize(
    "body",
    [
        "echo $$ > pid; exec sleep 1000",
        "sleep 1000 & echo $! > pid; wait",
        "sleep 1000 >/dev/null 2>&1 & echo $! > pid; exec 1>&- 2>&-; wait",
    ],
)
def test_a_script_that_does_not_end_is_ended_with_all_that_it_started(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="did not end in time"):
        output_of(script(tmp_path, body), seconds=2.0)
    started = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 30
    while alive(started) and time.monotonic() < deadline:
        os.sched_yield()
    assert not alive(started)


def alive(pid: int) -> bool:
    """Whether the process still runs; one that nobody has waited for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def test_a_flood_of_errors_is_kept_short(tmp_path: Path) -> None:
    body = "i=0; while [ $i -lt 3000 ]; do echo 'complaint complaint complaint' >&2; i=$((i+1)); done; echo '{}'"
    assert output_of(script(tmp_path, body)) == "{}\n"


def test_a_script_that_cannot_be_run(tmp_path: Path) -> None:
    path = script(tmp_path, "true")
    path.write_text("#!/nonexistent/interpreter\n")
    with pytest.raises(InputError, match="cannot be run: No such file"):
        output_of(path)


def test_a_script_that_everybody_may_change_is_not_run(tmp_path: Path) -> None:
    path = script(tmp_path, "touch ran; echo '{}'")
    path.chmod(0o777)
    with pytest.raises(
        InputError, match=r"fleet.sh: everybody may write to this script.*chmod o-w"
    ):
        load([str(path)])
    assert not (tmp_path / "ran").exists()


def test_an_excel_export_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    path.write_text("name,site\na,X\n", encoding="utf-16")
    path.chmod(0o755)
    assert [host.name for host in load([str(path)]).hosts] == ["a"]


def test_what_counts_as_a_script(tmp_path: Path) -> None:
    assert is_script(script(tmp_path, "true"))
    data = tmp_path / "hosts"
    data.write_text("[web]\na\n")
    data.chmod(0o755)
    assert not is_script(data)
    assert [host.name for host in load([str(data)]).hosts] == ["a"]
    plain = tmp_path / "plain.sh"
    plain.write_text("#!/bin/sh\n")
    assert not is_script(plain)
    assert not is_script(tmp_path)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\x7fELF\x02\x01\x01\0\0")
    binary.chmod(0o755)
    assert is_script(binary)


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("hosts.yaml")
        with pytest.raises(InputError, match=r"hosts.yaml: cannot be read: "):
            load(["hosts.yaml"])
