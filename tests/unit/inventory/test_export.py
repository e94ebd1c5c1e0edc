"""Fleets written out and read again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recovery.inventory.export import Form, dump
from recovery.inventory.loader import load, load_with_warnings
from recovery.model.host import ConsoleRef, Fleet, Host, Service, Site

BUNDLED = Path(__file__).parents[3] / "inventory"

HOSTS = (
    Host(name="plain"),
    Host(
        name="full", address="10.0.0.1", port=2222, os="linux", transport="winrm", credential="ad", user="ops",
        gateway="jump", site="ATL", service="web", kind="server", location="T3, gate A", protected=True,
        tags=("a", "b"), groups=("g", "h"), console=ConsoleRef("redfish", "https://b", "bmc", {"slot": "4"}),
        vars={"rack": "7", "Site": "other"},
    ),
    Host(name="mock", transport="mock", groups=("g",)),
)  # fmt: skip
FLEET = Fleet(
    HOSTS,
    {"ATL": Site("Atlanta", 5, "jump", ("22:00-23:00",)), "MSP": Site()},
    {"web": Service("Web", 1, 2.5, ("directory",)), "directory": Service()},
    {"g": ("full", "mock"), "h": ("full",)},
)
SUFFIX: dict[Form, str] = {
    "yaml": "yaml",
    "json": "json",
    "jsonl": "jsonl",
    "csv": "csv",
    "ansible": "yaml",
}


def again(fleet: Fleet, form: Form, folder: Path) -> Fleet:
    path = folder / f"again.{SUFFIX[form]}"
    path.write_text(dump(fleet, form))
    return load([str(path)])


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_native_forms_keep_everything(form: Form, tmp_path: Path) -> None:
    assert again(FLEET, form, tmp_path) == FLEET
    for name in ("airline", "hospital", "logistics", "demo"):
        fleet = load([str(BUNDLED / f"{name}.yaml")])
        assert again(fleet, form, tmp_path) == fleet


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_tables_and_lines_keep_the_hosts(form: Form, tmp_path: Path) -> None:
    assert again(FLEET, form, tmp_path) == Fleet(HOSTS, groups=FLEET.groups)


def test_a_table_writes_values_of_other_types_as_json(tmp_path: Path) -> None:
    fleet = Fleet(
        (Host(name="a", vars={"list": [1, "x"], "on": True, "cost_per_hour": 12.5}), Host(name="b"))
    )
    assert again(fleet, "csv", tmp_path).hosts == (
        Host(name="a", vars={"list": '[1, "x"]', "on": "true", "cost_per_hour": 12.5}),
        Host(name="b"),
    )


def test_the_ansible_form_keeps_fields_as_variables(tmp_path: Path) -> None:
    fleet = again(FLEET, "ansible", tmp_path)
    assert fleet.groups == FLEET.groups
    for host, read in zip(HOSTS, fleet.hosts, strict=True):
        assert msgspec.structs.replace(read, vars={}) == msgspec.structs.replace(host, vars={})
        assert {**read.vars, **host.vars} == read.vars
    assert fleet.hosts[1].vars["ansible_host"] == "10.0.0.1"
    path = tmp_path / "again.yaml"
    assert load_with_warnings([str(path)])[1] == ()


@pytest.mark.parametrize("form", SUFFIX)
def test_a_fleet_without_hosts(form: Form, tmp_path: Path) -> None:
    path = tmp_path / f"none.{SUFFIX[form]}"
    path.write_text(dump(Fleet(), form))
    if form == "jsonl":
        assert path.read_text() == ""
    assert load([str(path)]).hosts == ()
