"""Inventories of all forms: what is read, what is refused with file and line, and what is warned of."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.errors import InputError
from recovery.inventory.loader import load, load_with_warnings
from recovery.model.host import ConsoleRef, Fleet, Host, Service, Site

CASES = Path(__file__).parents[2] / "cases" / "inventory"
BUNDLED = Path(__file__).parents[3] / "inventory"
REFUSED: list[dict[str, str]] = yaml.safe_load((CASES / "refused.yaml").read_text())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str, name: str = "inventory") -> Fleet:
    Path(name).write_text(text)
    return load([name])


def names(fleet: Fleet) -> list[str]:
    return [host.name for host in fleet.hosts]


@pytest.mark.parametrize("case", REFUSED, ids=[case["file"] for case in REFUSED])
def test_refused(case: dict[str, str], here: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(case["text"], case["file"])
    assert case["says"] in str(caught.value)
    assert str(caught.value).startswith(case["file"])
    assert "planted-secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


NATIVE = """
defaults: {os: windows, transport: winrm, credential: ad-admin, vars: {owner: it, floor: 1}}
sites:
  ATL: {name: Atlanta, concurrency: 200, gateway: jump, freeze: ["22:00-23:00"]}
  MSP:
services:
  check-in: {tier: 1, cost_per_hour: 90000, needs: [directory]}
  directory:
hosts:
  atl-kiosk-[001-240]: {address: "10.1.1.[1-240]", site: ATL, service: check-in, kind: desktop, location: T3 gate A}
  atl-dc-01: {address: 10.1.0.5, port: 22, os: linux, transport: ssh, site: ATL, service: directory, kind: server,
              protected: true, user: ops, gateway: "me@jump:22", tags: [dc, core], groups: [core], vars: {floor: 2},
              console: {kind: redfish, address: "https://10.9.0.5", credential: bmc, options: {slot: "4"}}}
  msp-[a-c]-[1-2]:
    site: MSP
    console: {kind: redfish, address: "10.9.1.[1-6]"}
"""


def test_native_yaml(here: Path) -> None:
    fleet = read(NATIVE, "fleet.yaml")
    assert len(fleet.hosts) == 247
    assert fleet.hosts[8] == Host(
        name="atl-kiosk-009", address="10.1.1.9", os="windows", transport="winrm", credential="ad-admin", site="ATL",
        service="check-in", kind="desktop", location="T3 gate A", vars={"owner": "it", "floor": 1},
    )  # fmt: skip
    assert fleet.hosts[240] == Host(
        name="atl-dc-01", address="10.1.0.5", port=22, os="linux", transport="ssh", credential="ad-admin", user="ops",
        gateway="me@jump:22", site="ATL", service="directory", kind="server", protected=True, tags=("dc", "core"),
        groups=("core",), console=ConsoleRef("redfish", "https://10.9.0.5", "bmc", {"slot": "4"}),
        vars={"owner": "it", "floor": 2},
    )  # fmt: skip
    assert names(fleet)[241:] == ["msp-a-1", "msp-a-2", "msp-b-1", "msp-b-2", "msp-c-1", "msp-c-2"]
    assert [host.console.address for host in fleet.hosts[241:] if host.console] == [
        f"10.9.1.{n}" for n in range(1, 7)
    ]
    assert fleet.sites == {"ATL": Site("Atlanta", 200, "jump", ("22:00-23:00",)), "MSP": Site()}
    assert fleet.services == {
        "check-in": Service("", 1, 90000.0, ("directory",)),
        "directory": Service(),
    }
    assert fleet.groups == {"core": ("atl-dc-01",)}


def test_a_host_may_take_a_default_back(here: Path) -> None:
    fleet = read(
        "defaults: {port: 22, console: {kind: qmp}}\nhosts: {a: , b: {port: , console: }}\n",
        "fleet.yaml",
    )
    assert fleet.hosts == (Host(name="a", port=22, console=ConsoleRef("qmp")), Host(name="b"))


def test_json_lists_and_lines_say_the_same_as_yaml(here: Path) -> None:
    hosts = [
        {"name": "a", "site": "X", "tags": ["t"]},
        {"name": "b-[1-2]", "address": "10.0.0.[1-2]"},
    ]
    expected = (
        Host(name="a", site="X", tags=("t",)),
        Host(name="b-1", address="10.0.0.1"),
        Host(name="b-2", address="10.0.0.2"),
    )
    lines = "\n".join(msgspec.json.encode(host).decode() for host in hosts)
    whole = msgspec.json.encode({"hosts": hosts}).decode()
    for name, text in (
        ("a.json", msgspec.json.encode(hosts).decode()),
        ("b.json", whole),
        ("c.yaml", yaml.safe_dump(hosts)),
        ("d.yaml", whole),
        ("e.jsonl", lines),
        ("f.json", lines),
        ("g", lines),
        ("h", whole),
        ("i", yaml.safe_dump({"hosts": hosts})),
        ("j", "  \n" + msgspec.json.encode(hosts).decode()),
    ):
        assert read(text, name).hosts == expected, name
    assert read('{"name": "alone"}').hosts == (Host(name="alone"),)
    assert read("[]", "none.json").hosts == ()


TABLE = [
    ["Hostname", "Address", "Site", "OS", "Kind", "Protected", "Port", "Tags", "groups", "Rack", "cost_per_hour", "",
     "vars.site", "console.kind", "console.address", "console.slot"],
    ["a", "10.0.0.1", "ATL", "Linux", "SERVER", "yes", " 22 ", "x; y", "g|h", "7", "12.5", "", "no",
     "redfish", "https://b", "4"],
    ["b", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""],
]  # fmt: skip


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["t.csv", "t", "t.tsv"])
def test_tables(separator: str, ending: str, name: str, here: Path) -> None:
    rows = [[cell.replace(separator, ",") for cell in row] for row in TABLE]
    text = ending.join(
        separator.join(f'"{cell}"' if separator in cell else cell for cell in row) for row in rows
    )
    if separator in ";|":
        text = text.replace("x; y".replace(separator, ","), "x, y").replace(
            "g|h".replace(separator, ","), "g,h"
        )
    fleet = read("\ufeff" + text + ending + separator * 15 + ending, name)
    assert fleet.hosts == (
        Host(
            name="a", address="10.0.0.1", site="ATL", os="linux", kind="server", protected=True, port=22,
            tags=("x", "y"), groups=("g", "h"), console=ConsoleRef("redfish", "https://b", "", {"slot": "4"}),
            vars={"Rack": "7", "cost_per_hour": 12.5, "site": "no"},
        ),
        Host(name="b"),
    )  # fmt: skip
    assert fleet.cost_per_hour(fleet.hosts[0]) == 12.5


def test_a_table_of_one_column_and_cells_with_lines(here: Path) -> None:
    assert names(read("name\na\nb\n", "one.csv")) == ["a", "b"]
    fleet = read('name,note\na,"two\nlines"\nb,x\n', "cells.csv")
    assert [host.vars for host in fleet.hosts] == [{"note": "two\nlines"}, {"note": "x"}]
    with pytest.raises(InputError, match=r"cells.csv:4: the row has 1 columns"):
        read('name,note\na,"two\nlines"\nb\n', "cells.csv")


def test_more_different_cells_than_are_remembered(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recovery.inventory.table._REMEMBERED", 3)
    fleet = read("name,site\n" + "".join(f"h{n},S{n % 7}\n" for n in range(30)), "many.csv")
    assert [host.site for host in fleet.hosts] == [f"S{n % 7}" for n in range(30)]


def test_a_column_that_is_nearly_a_field_is_warned_of(here: Path) -> None:
    Path("t.csv").write_text("name,adress,rack,vars.sites\na,10.0.0.1,1,x\n")
    fleet, warnings = load_with_warnings(["t.csv"])
    assert warnings == (
        "t.csv:1: the column 'adress' is taken as a variable; was 'address' meant?",
    )
    assert fleet.hosts[0].vars == {"adress": "10.0.0.1", "rack": "1", "sites": "x"}


def test_an_excel_export_in_utf_16(here: Path) -> None:
    Path("t.csv").write_bytes("name\tlocation\na\tMünchen\n".encode("utf-16"))
    assert load(["t.csv"]).hosts == (Host(name="a", location="München"),)


@pytest.mark.parametrize(
    ("name", "raw"),
    [("t.csv", b"name,site\na,X\nb,\xff\n"), ("t.yaml", b"hosts:\n a:\n b: {site: \xff}\n")],
)
def test_bytes_that_are_no_text(name: str, raw: bytes, here: Path) -> None:
    Path(name).write_bytes(raw)
    with pytest.raises(InputError, match=f"{name}:3: not UTF-8 text: byte 0xff"):
        load([name])


def test_several_sources_form_one_fleet(here: Path) -> None:
    Path("sites.yaml").write_text(
        "sites: {ATL: {name: Atlanta}}\nservices: {web: {}}\nhosts: {a: {site: ATL}}\n"
    )
    Path("more.csv").write_text("name,site,groups\nb,ATL,g\n")
    Path("hosts").write_text("[g]\nc site=ATL service=web\n")
    fleet = load(["sites.yaml", "more.csv", "hosts", "d,e:2222"])
    assert names(fleet) == ["a", "b", "c", "d", "e"]
    assert fleet.groups == {"g": ("b", "c")}
    assert fleet.hosts[-1] == Host(name="e", os="linux", port=2222)
    Path("more.csv").write_text("name,site\nb,ATX\n")
    with pytest.raises(InputError, match=r"more.csv:2: host 'b': no site is named 'ATX'"):
        load(["sites.yaml", "more.csv"])
    assert load(["more.csv"]).hosts[0].site == "ATX"


def test_a_host_in_two_sources_names_both_places(here: Path) -> None:
    Path("one.csv").write_text("name\nx\na\n")
    Path("two.yaml").write_text("hosts:\n  b: {}\n  a: {}\n")
    Path("three").write_text("[g]\na\n")
    for sources, says in (
        (["one.csv", "two.yaml"], "two.yaml:3: host 'a' is defined twice, first in one.csv:3"),
        (["three", "one.csv"], "one.csv:3: host 'a' is defined twice, first in three:2"),
        (["a,", "two.yaml"], "two.yaml:3: host 'a' is defined twice, first in a,"),
        (["a,b,a"], "host 'a' is defined twice, first in a,b,a"),
    ):
        with pytest.raises(InputError) as caught:
            load(sources)
        assert says in str(caught.value)


def test_a_site_in_two_sources_has_to_be_the_same(here: Path) -> None:
    Path("a.yaml").write_text("sites:\n  ATL: {name: Atlanta}\nhosts: {a: }\n")
    Path("b.yaml").write_text("sites:\n  ATL: {name: Atlanta}\nhosts: {b: }\n")
    assert load(["a.yaml", "b.yaml"]).sites == {"ATL": Site("Atlanta")}
    Path("b.yaml").write_text("sites:\n\n  ATL: {name: Athens}\nhosts: {b: }\n")
    with pytest.raises(
        InputError,
        match=r"b.yaml:3: site 'ATL' is defined twice and differently, first in a.yaml:2",
    ):
        load(["a.yaml", "b.yaml"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a,b", ["a", "b"]),
        ("a,", ["a"]),
        (" a , b ,", ["a", "b"]),
        ("ws[1,3-4],x", ["ws1", "ws3", "ws4", "x"]),
        ("10.0.0.1,fe80::1,[::1]:22", ["10.0.0.1", "fe80::1", "::1"]),
        (
            ",".join(f"host-{number:03d}" for number in range(500)),
            [f"host-{number:03d}" for number in range(500)],
        ),
    ],
)
def test_a_list_of_hosts(source: str, expected: list[str], here: Path) -> None:
    fleet = load([source])
    assert names(fleet) == expected
    assert {(host.os, host.transport) for host in fleet.hosts} == {("linux", "ssh")}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "nowhere.yaml",
            "nowhere.yaml: there is no such file or folder; a host alone is written with a comma",
        ),
        (",", "the list names no host"),
        ("a,ws[2-1]", "ends before it begins"),
        ("a,b c\td", "cannot be the name of a host"),
    ],
)
def test_sources_that_are_nothing(source: str, says: str, here: Path) -> None:
    with pytest.raises(InputError, match=says):
        load([source])


def test_standard_input(here: Path) -> None:
    for text, expected in (
        ("hosts: {a: }", ["a"]),
        ("name,site\na,X\n", ["a"]),
        ("\ufeffname,site\na,X\n", ["a"]),
        ('{"name": "a"}\n{"name": "b"}\n', ["a", "b"]),
        ("[web]\na\nb x=1\n", ["a", "b"]),
        ('{"web": ["a"], "_meta": {"hostvars": {}}}', ["a"]),
        ("all: {hosts: {a: }}", ["a"]),
        ("a\nb\n", ["a", "b"]),
        ("", []),
    ):
        if not expected:
            with pytest.raises(InputError, match="<stdin>: the inventory is empty"):
                load(["-"], stdin=io.StringIO(text))
            continue
        assert names(load(["-"], stdin=io.StringIO(text))) == expected
    with pytest.raises(InputError, match="<stdin>:2: not UTF-8 text"):
        load(
            ["-"],
            stdin=io.TextIOWrapper(
                io.BytesIO(b"hosts:\n  a: {site: \xff}\n"), "utf-8", "surrogateescape"
            ),
        )
    with pytest.raises(InputError, match="<stdin>:2: "):
        load(["-"], stdin=io.StringIO("hosts:\n  a: {sight: 1}\n"))


def test_sizes_are_bounded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.inventory.loader.MAX_BYTES", 50)
    text = "name\n" + "host\n" * 50
    with pytest.raises(InputError, match="larger than 50 bytes"):
        read(text, "large.csv")
    with pytest.raises(InputError, match="<stdin>: the inventory is larger than 50 bytes"):
        load(["-"], stdin=io.StringIO(text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('hosts: {"a[1-8]": {}, "b[1-8]": {}}', "a.yaml"),
        ("a[1:8]\nb[1:8]\n", "a.ini"),
        ("name\n" + "".join(f"a{number}\n" for number in range(11)), "a.csv"),
    ],
)
def test_hosts_are_bounded(
    text: str, name: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recovery.inventory.part.MOST_HOSTS", 10)
    with pytest.raises(InputError, match="the inventory has more than 10 hosts"):
        read(text, name)


def test_a_folder_of_many_forms(here: Path) -> None:
    folder = here / "inv"
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "web.yml").write_text("from: group_vars\n")
    (folder / "1.yaml").write_text("hosts: {native: {}}\n")
    (folder / "2.csv").write_text("name\ntable\n")
    (folder / "3.ini").write_text("[web]\nini\n")
    (folder / "sub" / "4.yml").write_text("web: {hosts: {yml: {x: 1}, ini: {}}}\n")
    (folder / "sub" / "deeper" / "5.jsonl").write_text('{"name": "line"}\n')
    for ignored in (
        "README.md",
        ".hidden.yaml",
        "notes.txt",
        "old.yaml~",
        "fleet.mix.yaml",
        "ansible.cfg",
    ):
        (folder / ignored).write_text("not: [an, inventory")
    fleet = load(["inv"])
    assert sorted(names(fleet)) == ["ini", "line", "native", "table", "yml"]
    assert fleet.groups == {"web": ("ini", "yml")}
    assert {host.name: dict(host.vars) for host in fleet.hosts if host.groups} == {
        "ini": {"from": "group_vars"},
        "yml": {"from": "group_vars", "x": 1},
    }


def test_folders_that_hold_nothing_or_too_much(here: Path) -> None:
    (here / "empty").mkdir()
    with pytest.raises(InputError, match="empty: the folder holds no inventory"):
        load(["empty"])
    (here / "deep" / "/".join("abcdefghij")).mkdir(parents=True)
    with pytest.raises(InputError, match="nested too deeply"):
        load(["deep"])


@pytest.mark.parametrize(
    ("name", "count"), [("airline", 3000), ("hospital", 1243), ("logistics", 896), ("demo", 60)]
)
def test_the_bundled_fleets(name: str, count: int) -> None:
    fleet = load([str(BUNDLED / f"{name}.yaml")])
    assert len(fleet.hosts) == count
    assert len({host.address for host in fleet.hosts}) == count
    assert {host.site for host in fleet.hosts} == set(fleet.sites)
    assert {host.service for host in fleet.hosts} == set(fleet.services)
    assert all(service.cost_per_hour > 0 for service in fleet.services.values())


def dump_of(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def test_what_is_read_can_be_kept_as_json(here: Path) -> None:
    fleet = read(NATIVE, "fleet.yaml")
    assert msgspec.json.decode(dump_of(fleet), type=Fleet) == fleet
    for text in (
        '{"hosts": {"a": {"location": "\\ud800"}}}',
        '{"hosts": {"a": {"vars": {"x": "\\udc00"}}}}',
    ):
        with pytest.raises(InputError, match=r"bad.json"):
            read(text, "bad.json")
    with pytest.raises(InputError, match=r"bad.jsonl:1: "):
        read('{"name": "a", "vars": {"x": "\\ud800"}}\n', "bad.jsonl")
