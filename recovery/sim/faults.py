"""Fault mixes: which share of a simulated fleet stands how, and what goes wrong with it.

Each draw depends on the seed, the host's name and the name of what is drawn, and on nothing else. So a host is the
same in whatever order hosts are asked, and a new kind of fault does not move the others.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import msgspec

from recovery.documents import Document, read_yaml
from recovery.errors import InputError
from recovery.model.host import Host

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""Of hosts, or of attempts: 0 none, 1 all."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e8)]
Span = tuple[Seconds, Seconds]
"""From and to; each host draws a value in between."""

TICKS = 1024.0
"""Parts of a second in which the world counts: a power of two, so that sums of times are exact and come out the same
however they are split."""

CONDITIONS = (
    "crash_loop",
    "exposed",
    "recovery_screen",
    "needs_key",
    "blue_screen",
    "reverted",
    "other_crash",
)
"""How a host can stand when the world begins, beside healthy."""

TRAITS = (
    "crash_anew", "quarantine_fails", "command_fails", "redelivered", "key_at_reboot", "safe_mode", "refused",
    "open_port", "wrong_credential", "slow",
)  # fmt: skip
"""Shares that are drawn once for each host and then hold for ever."""


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be wrong with a host. Nothing is, where nothing is said."""

    crash_loop: Share = 0.0
    """Has the bad file loaded and crashes again and again (desktops: until the recovery screen)."""
    exposed: Share = 0.0
    """Has the bad file, which is going to be loaded at the next start."""
    recovery_screen: Share = 0.0
    """Stands at the recovery screen; hosts that have none are in a crash loop."""
    needs_key: Share = 0.0
    """Asks for its BitLocker key."""
    blue_screen: Share = 0.0
    """Stays on the blue screen, and does so after each crash, until somebody cuts the power."""
    reverted: Share = 0.0
    """Has a bad and a good file, and is well."""
    other_crash: Share = 0.0
    """Crashes again and again for a reason that is not this incident's."""

    other_bad: Share = 0.5
    """Of the hosts of `other_crash`: has the bad file as well."""
    other_every: Span = (120.0, 1800.0)
    """Seconds from the start to such a crash."""
    dark: Share = 0.0
    """Is off until somebody switches it on."""
    asleep: Share = 0.0
    """Is off, and wakes by itself."""
    wake: Span = (600.0, 14400.0)
    """Seconds after which it does."""

    boot: Span = (15.0, 60.0)
    """Seconds from the start of a boot until the host answers."""
    window: Span = (3.0, 45.0)
    """Seconds for which a host that has loaded the bad file answers; drawn anew for each boot."""
    dump: Span = (5.0, 40.0)
    """Seconds from a crash to the start of the next boot."""
    lucky: Share = 0.0
    """Of the boots with the bad file: the host fetches the reverted file before it crashes (Microsoft, July 2024)."""

    crash_anew: Share = 0.0
    """The fix does not hold: each boot after it crashes."""
    anew: Span = (20.0, 90.0)
    """Seconds from the start to such a crash."""
    quarantine_fails: Share = 0.0
    """The credential may not move the files."""
    command_fails: Share = 0.0
    """An operator's own command ends with status 1."""
    redelivered: Share = 0.0
    """Gets the bad file again at the start that follows the fix, unless the feed is frozen."""
    key_at_reboot: Share = 0.0
    """Asks for its BitLocker key at the next start."""
    safe_mode: Share = 0.0
    """Comes up in Safe Mode after the fix and stays there: it answers, but its protection does not run."""

    wrong_credential: Share = 0.0
    refused: Share = 0.0
    """Nothing listens on its port."""
    open_port: Share = 0.0
    """Something in front of it accepts connections even while it is dead."""
    slow: Share = 0.0
    slow_by: Annotated[float, msgspec.Meta(ge=1, le=10000)] = 10.0
    """How many times slower the slow ones answer."""
    drops: Share = 0.0
    """Of the connections: nobody answers."""
    resets: Share = 0.0
    """Of the commands: the connection is reset, before or after the command was carried out."""
    cut: Share = 0.0
    """Of the commands: the reply stops in the middle."""
    clock_off: Share = 0.0
    clock_by: tuple[float, float] = (-90_000_000.0, 90_000_000.0)
    """Seconds by which the clocks of these hosts are ahead."""

    def __post_init__(self) -> None:
        for field in ("other_every", "wake", "boot", "window", "dump", "anew", "clock_by"):
            low, high = getattr(self, field)
            if low > high:
                message = (
                    f"`{field}` goes from {low:g} down to {high:g}: write the smaller one first"
                )
                raise ValueError(message)


class Selector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hosts for which a rule is; what is not named does not matter, lists mean one of."""

    host: str = "*"
    """Glob on the name."""
    kind: str | tuple[str, ...] = ()
    os: str | tuple[str, ...] = ()
    site: str | tuple[str, ...] = ()
    service: str | tuple[str, ...] = ()
    tag: str | tuple[str, ...] = ()
    group: str | tuple[str, ...] = ()

    def matches(self, host: Host) -> bool:
        """Whether `host` is one of them."""
        return (
            (self.host == "*" or fnmatchcase(host.name, self.host))
            and _one_of(self.kind, (host.kind,))
            and _one_of(self.os, (host.os,))
            and _one_of(self.site, (host.site,))
            and _one_of(self.service, (host.service,))
            and _one_of(self.tag, host.tags)
            and _one_of(self.group, host.groups)
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other faults for some hosts. Later rules override earlier ones, field by field."""

    when: Selector
    faults: Mapping[str, Any]


class Mix(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault mix. Where rules add up to more than all hosts, the conditions that `Faults` names first win."""

    mix: str = ""
    """Its name."""
    about: str = ""
    feed_frozen: bool = True
    """The vendor's feed is stopped, so that no bad file comes back."""
    latency: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 1.0
    """Factor on all waiting for the network; 0 answers at once."""
    default: Faults = Faults()
    rules: tuple[Rule, ...] = ()

    def faults_of(self, host: Host, cache: dict[tuple[int, ...], Faults]) -> Faults:
        """What can be wrong with `host`; hosts of the same rules share one value, kept in `cache`."""
        applying = tuple(place for place, rule in enumerate(self.rules) if rule.when.matches(host))
        found = cache.get(applying)
        if found is None:
            found = self.default
            for place in applying:
                found = _changed(found, self.rules[place].faults)
            cache[applying] = found
        return found


DEFAULT_MIX = Mix(
    mix="default",
    default=Faults(
        crash_loop=0.5, exposed=0.1, recovery_screen=0.04, needs_key=0.02, reverted=0.06, other_crash=0.01, dark=0.02,
        asleep=0.04, lucky=0.02, quarantine_fails=0.005, key_at_reboot=0.01, safe_mode=0.002, slow=0.02, drops=0.01,
        resets=0.003, cut=0.002, clock_off=0.002,
    ),
    rules=(
        Rule(when=Selector(kind=("server", "appliance")), faults={
            "crash_loop": 0.7, "needs_key": 0.0, "key_at_reboot": 0.0, "asleep": 0.0, "dark": 0.01,
        }),
    ),
)  # fmt: skip
"""What a mock run meets where no mix file is given."""


def load_mix(path: Path) -> Mix:
    """Read a mix file. Raises `InputError` with file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=str(path)) from None
    return parse_mix(text, str(path))


def parse_mix(text: str, file: str) -> Mix:
    """The mix that `text` describes. Raises `InputError` with `file` and line."""
    document = read_yaml(text, file)
    mix = document.convert(Mix)
    _check_shares(document, mix.default, ("default",))
    for place, rule in enumerate(mix.rules):
        document.convert(Faults, ("rules", place, "faults"))
        _check_shares(document, _changed(mix.default, rule.faults), ("rules", place, "faults"))
    return mix


def chance(seed: bytes, host: str, what: str, number: int = 0) -> float:
    """A number from 0 up to but not 1 that only these four decide."""
    digest = hashlib.blake2b(f"{host}\0{what}\0{number}".encode(), key=seed, digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) * 2.0**-53


def seed_key(seed: int) -> bytes:
    """The seed in the form that `chance` takes."""
    return hashlib.blake2b(str(seed).encode(), digest_size=16).digest()


def tick(seconds: float) -> float:
    """The time in whole ticks, rounded down."""
    return math.floor(seconds * TICKS) / TICKS


def between(span: tuple[float, float], drawn: float) -> float:
    """The value that `drawn` (0 to 1) picks from `span`, in whole ticks."""
    low, high = span
    return tick(low + (high - low) * drawn)


def first_success(share: float, drawn: float) -> int:
    """The number of the first of many attempts that succeeds, when each does with probability `share`; 0 is never."""
    if share <= 0.0:
        return 0
    return 1 if share >= 1.0 else 1 + int(math.log1p(-drawn) / math.log1p(-share))


def _one_of(wanted: str | tuple[str, ...], found: tuple[str, ...]) -> bool:
    names = (wanted,) if isinstance(wanted, str) else wanted
    return not names or any(name in names for name in found)


def _changed(faults: Faults, changes: Mapping[str, Any]) -> Faults:
    """`faults` with some fields as `changes` says, in the types that the fields have."""
    given = msgspec.convert(dict(changes), Faults)
    return msgspec.structs.replace(faults, **{name: getattr(given, name) for name in changes})


def _check_shares(document: Document, faults: Faults, path: tuple[str | int, ...]) -> None:
    for names in (CONDITIONS, ("dark", "asleep"), ("resets", "cut")):
        total = sum(getattr(faults, name) for name in names)
        if total > 1.0 + 1e-9:
            raise document.error(
                f"{' + '.join(names)} are {total:g} of all: at most 1 is possible", path
            )
