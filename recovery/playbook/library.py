"""Finding playbooks and incidents: the bundled ones by name, others by their path."""

from __future__ import annotations

from pathlib import Path

from recovery.errors import InputError, UnknownNameError
from recovery.model.product import Product
from recovery.playbook.products import parse_products

_LONGEST = 1_000_000
"""Characters of a playbook or a profile that are read at most."""
_HERE = Path(__file__).resolve().parent.parent


def bundled(kind: str) -> Path:
    """The folder of the bundled `playbooks` or `inventory`: inside an installed package, else in the checkout."""
    inside = _HERE / "_bundled" / kind
    return inside if inside.is_dir() else _HERE.parent / kind


def playbook_names() -> dict[str, Path]:
    """Bundled playbooks by name: the common ones, and each incident's own as `incident/name`."""
    found: dict[str, Path] = {}
    for path in sorted(bundled("playbooks").glob("*/*.yaml")):
        if path.name != "incident.yaml":
            own = path.parent.name
            found[path.stem if own == "common" else f"{own}/{path.stem}"] = path
    return found


def incident_names() -> dict[str, Path]:
    """Bundled incidents by name."""
    return {path.parent.name: path for path in sorted(bundled("playbooks").glob("*/incident.yaml"))}


def products() -> tuple[Product, ...]:
    """The security products that an exposure audit knows by name."""
    path = bundled("playbooks") / "products.yaml"
    return parse_products(*_read("list of products", str(path), path, {}))


def read_playbook(name: str, incident: str = "") -> tuple[str, str]:
    """The text and file of a playbook, by name or path; an incident's own comes before a common one of that name."""
    known = playbook_names()
    path = known.get(f"{incident}/{name}") or known.get(name)
    return _read("playbook", name, path, known)


def read_incident(name: str) -> tuple[str, str]:
    """The text and file of an incident profile, by name or path (of the file or its folder)."""
    known = incident_names()
    path = known.get(name)
    if path is None and Path(name).is_dir():
        path = Path(name) / "incident.yaml"
    return _read("incident", name, path, known)


def _read(what: str, name: str, path: Path | None, known: dict[str, Path]) -> tuple[str, str]:
    if path is None:
        if not (name.endswith((".yaml", ".yml")) or "/" in name):
            raise UnknownNameError(what, name, known)
        path = Path(name)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", file=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path)) from None
    if len(text) > _LONGEST:
        raise InputError(f"longer than {_LONGEST} characters: this is no {what}", file=str(path))
    return text, str(path)
