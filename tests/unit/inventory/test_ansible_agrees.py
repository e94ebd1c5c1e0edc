"""Ansible's own `ansible-inventory --list` and we read the same hosts, groups and merged variables from a file."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from recovery.inventory.export import dump
from recovery.inventory.loader import load
from recovery.model.host import Fleet

CASES = Path(__file__).parents[2] / "cases" / "inventory" / "ansible"
SAYS = Path(__file__).with_name("ansible_says.py")


def source_of(case: Path) -> Path:
    """The inventory file of a case; a case without one is a folder to be read as a whole."""
    return next(iter(sorted(case.glob("hosts*"))), case)


NAMES = sorted(case.name for case in CASES.iterdir())


@pytest.fixture(scope="module")
def listings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pytest.importorskip("ansible", reason="ansible-core is not installed")
    return ansible_says(
        tmp_path_factory.mktemp("ansible"), {name: source_of(CASES / name) for name in NAMES}
    )


def ansible_says(folder: Path, sources: dict[str, Path]) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "LC_ALL": "C.UTF-8",
    }
    (folder / "ansible.cfg").write_text("[defaults]\n")
    done = subprocess.run(
        [sys.executable, str(SAYS), str(folder), *map(str, sources.values())],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(sources, map(json.loads, done.stdout.splitlines()), strict=True))


def members(listing: dict[str, Any], group: str) -> set[str]:
    body = listing.get(group, {})
    inner = (members(listing, child) for child in body.get("children", ()))
    return set(body.get("hosts", ())).union(*inner)


def bare(value: Any) -> Any:
    """Ansible's listing marks what `!unsafe` was written before."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe") or {key: bare(inner) for key, inner in value.items()}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def agree(fleet: Fleet, listing: dict[str, Any]) -> None:
    hosts = members(listing, "all")
    assert {host.name for host in fleet.hosts} == hosts
    groups = {
        name: members(listing, name)
        for name in listing
        if name not in ("_meta", "all", "ungrouped")
    }
    assert {name: set(names) for name, names in fleet.groups.items()} == {
        n: g for n, g in groups.items() if g
    }
    for host in fleet.hosts:
        assert set(host.groups) == {
            name for name, inside in groups.items() if host.name in inside
        }, host.name
        assert as_json(host.vars) == bare(listing["_meta"]["hostvars"].get(host.name, {})), (
            host.name
        )


@pytest.mark.parametrize("name", NAMES)
def test_written_inventories(name: str, listings: dict[str, Any]) -> None:
    agree(load([str(source_of(CASES / name))]), listings[name])


def generated_ini(draw: random.Random) -> str:
    groups = [f"g{number}" for number in range(draw.randint(1, 7))]
    lines = [f"free{number} n={number}" for number in range(draw.randint(0, 3))]
    for number, group in enumerate(groups):
        lines.append(f"[{group}]")
        for _ in range(draw.randint(0, 4)):
            pattern = draw.choice(
                ["h{}", "r{}-[1:3]", "p[08:11]-{}", "n{}.example.com", "x[a:c]{}"]
            )
            values = "".join(
                f" v{draw.randint(0, 3)}={draw.choice(VALUES)}" for _ in range(draw.randint(0, 2))
            )
            lines.append(pattern.format(draw.randint(0, 9)) + (values if number == 0 else ""))
        if number and draw.random() < 0.6:
            # Children come later in the alphabet, so that there is no ring.
            lines += [f"[{groups[number - 1]}:children]", group]
        if draw.random() < 0.7:
            lines += [
                f"[{group}:vars]",
                *(f"v{place}={draw.choice(VALUES)}" for place in range(draw.randint(1, 4))),
            ]
        if draw.random() < 0.2:
            lines += [f"[{group}:vars]", f"ansible_group_priority={draw.randint(1, 5)}"]
    return "\n".join([*lines, "[all:vars]", f"v0={draw.choice(VALUES)}"]) + "\n"


VALUES = ("1", "text", "'two'", "[1,2]", "True", "0.5", "007", "a-b", "None", "yes")


def generated_yaml(draw: random.Random) -> str:
    def group(depth: int, name: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if draw.random() < 0.8:
            body["hosts"] = {
                draw.choice(["h{}", "r[1:3]-{}", "{}.example.com"]).format(
                    draw.randint(0, 9)
                ): draw.choice(
                    [
                        None,
                        {f"v{draw.randint(0, 3)}": draw.choice([1, "x", [1], {"a": None}, True])},
                    ]
                )
                for _ in range(draw.randint(1, 4))
            }
        if draw.random() < 0.6:
            body["vars"] = {f"v{draw.randint(0, 3)}": f"{name} says" for _ in range(2)}
        if depth < 3:
            children = [f"{name}{letter}" for letter in "abc"[: draw.randint(0, 3)]]
            body["children"] = {child: group(depth + 1, child) for child in children}
        return body

    return yaml.safe_dump({"all": group(0, "g"), "z": group(2, "z")}, sort_keys=False)


def test_generated_inventories(tmp_path: Path) -> None:
    pytest.importorskip("ansible", reason="ansible-core is not installed")
    draw = random.Random(291)  # noqa: S311 - the same inventories each time
    sources = {}
    for number in range(12):
        sources[f"ini {number}"] = tmp_path / f"i{number}.ini"
        sources[f"ini {number}"].write_text(generated_ini(draw))
        sources[f"yaml {number}"] = tmp_path / f"y{number}.yaml"
        sources[f"yaml {number}"].write_text(generated_yaml(draw))
    for name, listing in ansible_says(tmp_path, sources).items():
        agree(load([str(sources[name])]), listing)


def test_what_we_export_ansible_reads(tmp_path: Path) -> None:
    pytest.importorskip("ansible", reason="ansible-core is not installed")
    fleet = load([str(source_of(CASES / "groups"))])
    exported = tmp_path / "exported.yaml"
    exported.write_text(dump(fleet, "ansible"))
    agree(load([str(exported)]), ansible_says(tmp_path, {"exported": exported})["exported"])
