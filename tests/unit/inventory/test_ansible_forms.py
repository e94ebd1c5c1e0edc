"""Ansible's forms beyond what Ansible itself says of them: fields, secrets, files of variables, refusals."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recovery.errors import InputError
from recovery.inventory.loader import load, load_with_warnings
from recovery.model.host import ConsoleRef, Fleet, Host


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str, name: str) -> Fleet:
    Path(name).write_text(text)
    return load([name])


FIELDS = """
[linux]
l1 ansible_host=10.0.0.1 ansible_port=2200 ansible_user=root ansible_ssh_common_args='-o ProxyJump=me@jump:22 -v'
l2 ansible_connection=paramiko ansible_ssh_common_args="-J bastion"
l3 ansible_port={{port}} ansible_connection=docker ansible_host={{ip}}
[win]
w1 ansible_connection=winrm
w2 ansible_connection=psrp ansible_port=5986
w3 ansible_connection=ssh ansible_shell_type=powershell
[win:vars]
site=ATL
service=check-in
kind=server
protected=True
tags=["a", "b"]
credential=ad
location=hall
console={"kind": "redfish", "address": "https://b"}
"""


def test_ansible_variables_become_fields(here: Path) -> None:
    Path("hosts").write_text(FIELDS)
    fleet, warnings = load_with_warnings(["hosts"])
    by_name = {host.name: host for host in fleet.hosts}
    fields = ("address", "port", "user", "os", "transport", "gateway")
    assert {
        name: tuple(getattr(host, field) for field in fields) for name, host in by_name.items()
    } == {
        "l1": ("10.0.0.1", 2200, "root", "linux", "ssh", "me@jump:22"),
        "l2": ("", None, "", "linux", "ssh", "bastion"),
        "l3": ("{{ip}}", None, "", "linux", "ssh", ""),
        "w1": ("", None, "", "windows", "winrm", ""),
        "w2": ("", 5986, "", "windows", "winrm", ""),
        "w3": ("", None, "", "windows", "ssh", ""),
    }
    w1 = by_name["w1"]
    assert (w1.site, w1.service, w1.kind, w1.protected, w1.tags, w1.credential, w1.location) == (
        "ATL", "check-in", "server", True, ("a", "b"), "ad", "hall",
    )  # fmt: skip
    assert w1.console == ConsoleRef("redfish", "https://b")
    assert by_name["l1"].vars["ansible_user"] == "root"
    assert warnings == (
        "hosts: connection 'docker' is not known here, ssh is used (l3)",
        "hosts: address '{{ip}}' is a template, and templates are not evaluated (l3)",
        "hosts: port '{{port}}' is not a number from 1 to 65535 and is not used (l3)",
    )


def test_ansible_variables_of_another_meaning_stay_variables(here: Path) -> None:
    Path("hosts").write_text(
        "h os=Ubuntu kind=pod site=5 tags=x protected=maybe console='{\"port\": 3}'\n"
    )
    fleet, warnings = load_with_warnings(["hosts"])
    assert fleet.hosts[0] == Host(
        name="h", os="linux",
        vars={"os": "Ubuntu", "kind": "pod", "site": 5, "tags": "x", "protected": "maybe", "console": {"port": 3}},
    )  # fmt: skip
    assert [warning.split(":")[1] for warning in warnings] == [
        " os 'Ubuntu' is none of windows, linux, macos",
        " kind 'pod' is none of desktop, server, kiosk, laptop, appliance",
        " console is not one of ours and stays a variable",
    ]


def test_secrets_of_ansible_inventories_are_left_out_and_warned_of(here: Path) -> None:
    Path("group_vars").mkdir()
    Path("group_vars/all.yml").write_text(
        "db: {user: app, password: planted-1}\nhooks: ['https://u:planted-2@x/', plain]\n"
        "ansible_become_pass: '{{ vault_pass }}'\nsealed: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"
    )
    Path("group_vars/web.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n616263\n")
    Path("hosts").write_text(
        "[web]\na ansible_password=planted-3 ansible_user=x\nb ansible_password=planted-4\nc\n"
    )
    fleet, warnings = load_with_warnings(["hosts"])
    kept = {"db": {"user": "app"}, "hooks": ["plain"], "ansible_become_pass": "{{ vault_pass }}"}
    assert [dict(host.vars) for host in fleet.hosts] == [{**kept, "ansible_user": "x"}, kept, kept]
    assert (
        warnings[0]
        == "group_vars/web.yml: encrypted by ansible-vault, so its variables were left out"
    )
    assert [warning.split("was left")[0] for warning in warnings[1:]] == [
        "hosts: 'db.password' ", "hosts: 'hooks' ", "hosts: 'sealed' ", "hosts: 'ansible_password' ",
    ]  # fmt: skip
    assert warnings[-1].endswith("(a b)")
    assert "planted" not in f"{fleet} {warnings}"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("all.yml", "- a\n", "all.yml:1: a file of variables is a mapping"),
        ("all.yml", "a: 1\nb: [\n", "all.yml:3: not YAML"),
        ("all.json", "{'a': \ud7ff", "all.json"),
        ("all", "a: 1\na: 2\n", "all:2: 'a' stands here twice, first on line 1"),
    ],
)
def test_files_of_variables_that_cannot_be_read(
    name: str, text: str, says: str, here: Path
) -> None:
    Path("group_vars").mkdir()
    (Path("group_vars") / name).write_text(text)
    with pytest.raises(InputError, match=says):
        read("a\n", "hosts")


def test_a_file_of_variables_that_is_no_text_or_empty(here: Path) -> None:
    Path("host_vars").mkdir()
    Path("host_vars/a").write_bytes(b"\xff")
    with pytest.raises(InputError, match="host_vars/a: not UTF-8 text"):
        read("a\n", "hosts")
    Path("host_vars/a").write_bytes(b"")
    assert read("a x=1\n", "hosts").hosts[0].vars == {"x": 1}


def test_folders_of_variables_are_bounded_and_may_be_files(here: Path) -> None:
    Path("group_vars").write_text("not a folder")
    assert read("a\n", "hosts").hosts[0].vars == {}
    Path("group_vars").unlink()
    Path("group_vars/all/1/2/3/4/5/6/7/8/9/10").mkdir(parents=True)
    with pytest.raises(InputError, match="nested too deeply"):
        read("a\n", "hosts")


def test_a_bomb_of_aliases_is_refused(here: Path) -> None:
    levels = "".join(f"    v{n}: &v{n} [{', '.join([f'*v{n - 1}'] * 9)}]\n" for n in range(1, 9))
    with pytest.raises(InputError, match="aliases repeat more than 100000 values"):
        read(f"web:\n  vars:\n    v0: &v0 [x]\n{levels}  hosts: {{a: }}\n", "bomb.yaml")
    nested = "[" * 60 + "]" * 60
    with pytest.raises(InputError, match="nested"):
        read(f"web: {{vars: {{x: {nested}}}, hosts: {{a: }}}}\n", "deep.yaml")


def test_merge_keys_are_for_ansible_alone(here: Path) -> None:
    with pytest.raises(InputError, match=r"native.yaml:3: merge keys"):
        read("hosts:\n  a: &a {site: X}\n  b: {<<: *a}\n", "native.yaml")
    fleet = read(
        "g:\n  vars: &v {x: 1}\n  hosts: {a: {<<: *v, y: 2}, b: {<<: *v, x: 3}}\n", "groups.yaml"
    )
    assert [host.vars for host in fleet.hosts] == [{"x": 1, "y": 2}, {"x": 3}]


def test_a_group_and_a_host_of_one_name_are_warned_of(here: Path) -> None:
    Path("hosts").write_text("[web]\nweb\n")
    assert load_with_warnings(["hosts"])[1] == (
        "hosts: 'web' is a host and a group: in limits say name=web or group=web",
    )


def test_templates_stay_text(here: Path) -> None:
    marker = here / "evaluated"
    template = "{{ lookup('pipe', 'touch " + str(marker) + "') }}"
    fleet = read("g: {hosts: {a: {x: " + msgspec.json.encode(template).decode() + "}}}\n", "t.yaml")
    assert fleet.hosts[0].vars == {"x": template}
    assert not marker.exists()


def test_a_group_may_be_empty_or_named_alone(here: Path) -> None:
    fleet = read(
        "all:\nweb:\n  hosts: w1\n  vars:\n  children: {edge: {hosts: {e1: , e2: }}, none: }\n",
        "g.yaml",
    )
    assert fleet.groups == {"web": ("w1", "e1", "e2"), "edge": ("e1", "e2")}


def test_yaml_that_is_not_of_one_document(here: Path) -> None:
    with pytest.raises(InputError, match=r"two.yaml:2: not YAML"):
        read("web: {hosts: {a: }}\n---\nweb: {hosts: {b: }}\n", "two.yaml")
    with pytest.raises(
        InputError, match=r"date.yaml:1: .2024-13-40. is not a value \(month must be in 1..12\)"
    ):
        read("web: {hosts: {a: {when: 2024-13-40}}}\n", "date.yaml")


def test_a_long_value_of_an_ini_file_stays_text(here: Path) -> None:
    value = "[" + "1," * 3000 + "1]"
    assert read(f"a x={value} y=[1]\n", "hosts").hosts[0].vars == {"x": value, "y": [1]}
    assert read("[g]\na\n[g:vars]\nx=b'bytes'\ny={1, 1}\nz=...\n", "hosts").hosts[0].vars == {
        "x": "bytes", "y": [1], "z": "...",
    }  # fmt: skip


def test_a_file_of_variables_that_cannot_be_opened(here: Path) -> None:
    Path("host_vars").mkdir()
    Path("host_vars/a").symlink_to("nowhere")
    with pytest.raises(InputError, match="host_vars/a: cannot be read: No such file"):
        read("a\n", "hosts")
