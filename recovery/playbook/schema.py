"""JSON Schemas of the file formats, for editors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from recovery.model.host import Host, Os, Service, Site
from recovery.model.incident import Reach
from recovery.model.playbook import STEPS, StepSpec
from recovery.playbook.figures import MOST_ATTEMPTS
from recovery.playbook.forms import Duration
from recovery.playbook.incidents import IncidentForm
from recovery.playbook.parser import PlaybookForm, RetryForm

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"
_CLOSED: Schema = {"type": "object", "additionalProperties": False}


def incident_schema() -> Schema:
    """Of an incident profile."""
    schema = _titled("Incident profile", msgspec.json.schema(IncidentForm))
    definitions = schema["$defs"]
    definitions["IncidentForm"]["properties"]["platforms"]["propertyNames"] = _one_of(Os)
    definitions["PlatformForm"]["properties"]["remedies"]["propertyNames"] = _one_of(Reach)
    each = {"additionalProperties": {"required": ["artifact"]}}
    definitions["IncidentForm"]["anyOf"] = [
        {"required": ["artifact"]},
        {"properties": {"platforms": each}},
    ]
    return schema


def playbook_schema(specs: Mapping[str, StepSpec] = STEPS) -> Schema:
    """Of a playbook, with the arguments of each step in `specs`."""
    schema = _titled("Playbook", msgspec.json.schema(PlaybookForm))
    (retry,), definitions = msgspec.json.schema_components((RetryForm,), ref_template=_REFERENCE)
    schema["$defs"] |= definitions
    bare = []
    written = []
    for name in sorted(specs):
        arguments, needed = _arguments(specs[name], schema["$defs"])
        body = {
            **_CLOSED,
            "properties": {**arguments, "retry": retry, "timeout": _duration()},
            "required": needed,
        }
        form = body if needed else {"anyOf": [body, {"type": "null"}]}
        written.append({**_CLOSED, "required": [name], "properties": {name: form}})
        bare += [] if needed else [name]
    steps = {"type": "array", "items": {"anyOf": [{"enum": bare}, *written]}}
    properties = schema["$defs"]["PlaybookForm"]["properties"]
    properties |= {"steps": {**steps, "minItems": 1}, "on_failure": {**steps, "default": []}}
    schema["$defs"]["RetryForm"]["properties"]["attempts"] |= {
        "minimum": 1,
        "maximum": MOST_ATTEMPTS,
    }
    return schema


def inventory_schema() -> Schema:
    """Of an inventory in the native form."""
    kinds = (Host, Site, Service)
    references, definitions = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    fields = definitions["Host"]["properties"]
    values = {key: value for key, value in fields.items() if key != "name"}
    definitions["Host"] = {**_CLOSED, "properties": values}
    definitions["NamedHost"] = {
        **_CLOSED,
        "properties": {"name": {"type": "string"}, **values},
        "required": ["name"],
    }
    host, site, service = (
        {"type": "object", "additionalProperties": {"anyOf": [reference, {"type": "null"}]}}
        for reference in references
    )
    named = {"type": "array", "items": {"$ref": "#/$defs/NamedHost"}}
    whole: Schema = {
        **_CLOSED,
        "required": ["hosts"],
        "properties": {
            "defaults": references[0],
            "sites": site,
            "services": service,
            "hosts": {"anyOf": [host, named]},
        },
        "$defs": definitions,
    }
    return _titled("Inventory", whole)


def _arguments(spec: StepSpec, definitions: Schema) -> tuple[Schema, list[str]]:
    """The properties of a step's arguments and the names that are needed; nested types go to `definitions`."""
    (reference,), found = msgspec.json.schema_components((spec.arguments,), ref_template=_REFERENCE)
    own = found.pop(reference["$ref"].rpartition("/")[2])
    definitions |= found
    properties = own["properties"]
    for field in msgspec.structs.fields(spec.arguments):
        if field.type is float or float in get_args(field.type):
            properties[field.encode_name] = _duration()
    return properties, own["required"]


def _one_of(kind: Any) -> Schema:
    """The keys of a mapping; msgspec's schema leaves them open."""
    return {"enum": list(get_args(kind))}


def _duration() -> Schema:
    return msgspec.json.schema(Duration)


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "title": title, **schema}


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "inventory": inventory_schema,
    "incident": incident_schema,
    "playbook": playbook_schema,
}
"""Name of the format to the function that gives its schema."""
