"""Reading playbooks: from YAML to the model, with the file and line of whatever is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec
import yaml

from recovery.documents import Document, read_yaml
from recovery.errors import UsageError, suggestion
from recovery.model.playbook import (
    STEPS,
    Denominator,
    Guard,
    Limits,
    Order,
    Playbook,
    Retry,
    Share,
    Step,
    StepSpec,
    Strategy,
)
from recovery.playbook.forms import Duration, Form, Path, ShareText, seconds
from recovery.playbook.shares import parse_share

Entry = str | dict[str, Any]

STEP_SETTINGS = ("retry", "timeout")
"""What every step takes beside its own arguments."""
_LONGEST_NAME = 100


class RetryForm(Form, kw_only=True):
    """`retry` of a step."""

    attempts: int = 1
    first: Duration = 1.0
    longest: Duration = 60.0


class LimitsForm(Form, kw_only=True):
    """`strategy.limits`."""

    total: int = 500
    per_site: int = 0
    per_gateway: int = 50


class GuardForm(Form, kw_only=True):
    """`strategy.guard`."""

    failed: ShareText | None = None
    unreachable: ShareText | None = None
    new_crashes: ShareText | None = None


class StrategyForm(Form, kw_only=True):
    """`strategy`."""

    order: Order = "cost"
    waves: tuple[ShareText, ...] = ("100%",)
    soak: Duration = 0.0
    limits: LimitsForm = msgspec.field(default_factory=LimitsForm)
    guard: GuardForm | None = None
    keep_trying: Duration = 0.0
    approve: Literal["none", "waves"] = "none"


class PlaybookForm(Form, kw_only=True):
    """A playbook's file."""

    playbook: str
    summary: str = ""
    targets: str = ""
    strategy: StrategyForm = msgspec.field(default_factory=StrategyForm)
    steps: tuple[Entry, ...]
    on_failure: tuple[Entry, ...] = ()


def parse_playbook(text: str, file: str, specs: Mapping[str, StepSpec] = STEPS) -> Playbook:
    """The playbook in `text`. Raises `InputError` with the line of what is wrong."""
    return _build(read_yaml(text, file), specs)


def override(
    text: str, assignments: Mapping[str, str], file: str, specs: Mapping[str, StepSpec] = STEPS
) -> str:
    """The playbook's text with values replaced, so that the journal keeps what was really carried out.

    Names are `targets`, `strategy.NAME` (`strategy.soak=0s`, `strategy.waves=1,10%`) and `STEP.NAME` for every step of
    that name (`settle.for=10s`, `reboot.attempts=2`, `quarantine.retry.attempts=5`). Raises `UsageError` that names
    the assignment, `InputError` for a text that is wrong by itself.
    """
    if not assignments:
        return text
    document = read_yaml(text, file)
    _build(document, specs)
    for name, value in assignments.items():
        shown = f"--set {name}={value}"
        _assign(document.data, name, value, shown)
        _build(Document(document.data, shown, {}), specs)
    return yaml.safe_dump(document.data, sort_keys=False, allow_unicode=True)


def _build(document: Document, specs: Mapping[str, StepSpec]) -> Playbook:
    form = document.convert(PlaybookForm)
    if not form.playbook.strip() or len(form.playbook) > _LONGEST_NAME:
        raise document.error(
            f"a playbook has a name of up to {_LONGEST_NAME} characters", ("playbook",)
        )
    steps = _steps(document, "steps", form.steps, specs)
    on_failure = _steps(document, "on_failure", form.on_failure, specs)
    _check_lines(document, steps + on_failure)
    return Playbook(
        name=form.playbook,
        summary=form.summary,
        targets=form.targets.strip(),
        strategy=_strategy(document, form.strategy),
        steps=steps,
        on_failure=on_failure,
        lines=_lines(document),
    )


def _lines(document: Document) -> dict[str, int]:
    strategy = document.data.get("strategy") or {}
    places: list[Path] = [(key,) for key in document.data]
    places += [("strategy", key) for key in strategy]
    places += [("strategy", "guard", key) for key in strategy.get("guard") or {}]
    return {".".join(map(str, place)): document.line(place) for place in places}


def _check_lines(document: Document, steps: tuple[Step, ...]) -> None:
    """Two steps on one line could not be told apart in messages and in the journal."""
    taken: set[int] = {0}
    for step in steps:
        if step.line in taken - {0}:
            raise document.error("two steps stand on one line: give each its own", ("steps",))
        taken.add(step.line)


def _strategy(document: Document, form: StrategyForm) -> Strategy:
    place = ("strategy",)
    return Strategy(
        order=form.order,
        waves=tuple(
            _share(document, (*place, "waves", number), wave, "run")
            for number, wave in enumerate(form.waves)
        ),
        soak=seconds(document, (*place, "soak"), form.soak),
        limits=Limits(**msgspec.structs.asdict(form.limits)),
        guard=_guard(document, form.guard) if form.guard is not None else None,
        keep_trying=seconds(document, (*place, "keep_trying"), form.keep_trying),
        approve=form.approve,
    )


def _guard(document: Document, form: GuardForm) -> Guard:
    place = ("strategy", "guard")
    figures = {
        name: _share(document, (*place, name), value)
        for name, value in msgspec.structs.asdict(form).items()
        if value is not None
    }
    return Guard(**figures)


def _steps(
    document: Document, section: str, entries: tuple[Entry, ...], specs: Mapping[str, StepSpec]
) -> tuple[Step, ...]:
    return tuple(
        _step(document, (section, place), entry, specs) for place, entry in enumerate(entries)
    )


def _step(document: Document, path: Path, entry: Entry, specs: Mapping[str, StepSpec]) -> Step:
    name, body = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()), ("", {}))
    if isinstance(entry, dict) and len(entry) != 1:
        raise document.error("a step is a name, or one name with its arguments", path)
    spec = specs.get(name)
    if spec is None:
        raise document.error(f"there is no step {name!r}{suggestion(name, specs)}", path)
    if body is not None and not isinstance(body, dict):
        raise document.error(
            f"the arguments of {name} are a mapping, such as {{timeout: 2m}}", path
        )
    place = path if isinstance(entry, str) else (*path, name)
    values = dict(body or {})
    retry = _retry(document, values.pop("retry", {}), (*place, "retry"))
    timeout = seconds(document, (*place, "timeout"), values.pop("timeout", spec.timeout))
    arguments = _arguments(document, spec, values, place)
    return Step(
        name=name,
        arguments=arguments,
        timeout=timeout,
        retry=retry,
        line=document.line(path),
        may_change=None if name in STEPS else spec.changes,
    )


def _arguments(
    document: Document, spec: StepSpec, values: dict[str, Any], path: Path
) -> msgspec.Struct:
    """The step's own arguments; numbers with a fraction are seconds and may be written as durations."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(spec.arguments)}
    for key, value in values.items():
        if key not in fields:
            near = suggestion(key, (*fields, *STEP_SETTINGS))
            raise document.error(f"{spec.name} has no argument {key!r}{near}", (*path, key))
        if isinstance(value, str) and _is_seconds(fields[key].type):
            values[key] = seconds(document, (*path, key), value)
    return document.convert_part(values, spec.arguments, path)


def _is_seconds(kind: Any) -> bool:
    return kind is float or float in get_args(kind)


def _retry(document: Document, body: Any, path: Path) -> Retry:
    form = document.convert_part(body or {}, RetryForm, path)
    return Retry(
        attempts=form.attempts,
        first=seconds(document, (*path, "first"), form.first),
        longest=seconds(document, (*path, "longest"), form.longest),
    )


def _share(
    document: Document, path: Path, value: str | int, default: Denominator = "wave"
) -> Share:
    try:
        return parse_share(value, default)
    except ValueError as error:
        raise document.error(str(error), path) from None


def _assign(data: dict[str, Any], name: str, text: str, shown: str) -> None:
    """Put the value that `text` stands for where `name` points to."""
    head, *path = name.split(".")
    value = read_yaml(text, shown).data
    if name == "targets":
        data["targets"] = text
    elif head == "strategy" and path:
        whole = text.split(",") if path == ["waves"] and not isinstance(value, list) else value
        data["strategy"] = _replaced(data.get("strategy"), path, whole, shown)
    elif not _assign_to_steps(data, head, path, value, shown):
        known = ["strategy", "targets", *_names(data)]
        near = suggestion(head, known)
        raise UsageError(
            f"{shown}: expected strategy.NAME, targets or STEP.NAME of this playbook{near}"
        )


def _replaced(data: Any, path: list[str], value: Any, shown: str) -> Any:
    """`data` with the part at `path` replaced."""
    if not path:
        return value
    if data is not None and not isinstance(data, dict):
        raise UsageError(f"{shown}: there is nothing called {path[0]!r} inside {data!r}")
    own = data or {}
    return {**own, path[0]: _replaced(own.get(path[0]), path[1:], value, shown)}


def _assign_to_steps(
    data: dict[str, Any], step: str, path: list[str], value: Any, shown: str
) -> bool:
    found = False
    for section in ("steps", "on_failure"):
        entries = data.get(section) or []
        for place, entry in enumerate(entries):
            if path and step == _name(entry):
                body = entry[step] if isinstance(entry, dict) else {}
                entries[place] = {step: _replaced(body, path, value, shown)}
                found = True
    return found


def _names(data: dict[str, Any]) -> list[str]:
    return [_name(entry) for entry in (*data["steps"], *(data.get("on_failure") or ()))]


def _name(entry: Entry) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))
