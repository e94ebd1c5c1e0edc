"""What the project's scripts print on a simulated machine: the same records in the same order as on a real one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from recovery.model.host import Os
from recovery.model.incident import Incident, Platform
from recovery.ports import Command
from recovery.remote import records
from recovery.sim.acts import Act
from recovery.sim.machine import Machine

Perform = Callable[[Act], None]
"""Writes an act down and carries it out."""

_RELEASES: Mapping[Os, str] = {
    "windows": "Windows 10.0.19045",
    "linux": "Linux 6.1.0-mock",
    "macos": "Darwin 23.5.0",
}
_ENVIRONMENT = {
    "WINDIR": "C:\\Windows",
    "SYSTEMROOT": "C:\\Windows",
    "SYSTEMDRIVE": "C:",
    "PROGRAMFILES": "C:\\Program Files",
    "PROGRAMDATA": "C:\\ProgramData",
}
OTHER_STOP_CODE = 0x9F
OTHER_MODULE = "mocknic.sys"
OTHER_TEXT = "Kernel panic - not syncing: mock: fatal machine check"
_SIZE = 41004
_encode = msgspec.json.Encoder().encode
_IN_FULL = _encode(records.Facts(pending_reboot=False)) + b"\n"
_IN_SAFE_MODE = _encode(records.Facts(safe_mode="network", pending_reboot=False)) + b"\n"


class Disk:
    """The artifact's files as a platform's machines hold them; what does not change is encoded once."""

    def __init__(self, incident: Incident, platform: Platform, os: Os) -> None:
        """As `platform` of `incident` describes them."""
        self.artifact = platform.artifact
        self._incident = incident
        self._separator = "\\" if os == "windows" else "/"
        self.directory = _resolved(self.artifact.directory).rstrip("/\\")
        remedy = platform.remedies.get("full_system") or next(
            iter(platform.remedies.values()), None
        )
        self._quarantine = _resolved(remedy.quarantine if remedy else "").rstrip("/\\")
        self._listings: dict[tuple[tuple[int, ...], bool], bytes] = {}
        asked = (*platform.proof.services, *platform.proof.processes)
        self.services = {
            running: b"".join(
                _line(records.ServiceRecord(name_hex=_hex(name), running=running)) for name in asked
            )
            for running in (True, False)
        }

    @property
    def has_times(self) -> bool:
        """Whether the profile tells bad from good by time."""
        return self.artifact.bad_from is not None or self.artifact.good_from is not None

    def path(self, variant: int) -> str:
        """Where a variant of the file lies."""
        before, _, after = self.artifact.pattern.partition("*")
        name = f"{before}-00000000-{variant:08d}{after}".replace("*", "").replace("?", "0")
        return f"{self.directory}{self._separator}{name}"

    def held(self, intent: str, number: int) -> str:
        """Where file `number` of an intent's quarantine lies."""
        return self._separator.join((self._quarantine, intent, f"{number}.file"))

    def sha256(self, variant: int) -> str:
        """Digest of a bad file."""
        return hashlib.sha256(f"{self._incident.name}\0{variant}".encode()).hexdigest()

    def files(self, bad: tuple[int, ...], *, good: bool) -> bytes:
        """The `file` records."""
        found = self._listings.get((bad, good))
        if found is None:
            lines = [_line(self._bad_file(variant)) for variant in bad]
            if good:
                lines.append(_line(self._good_file()))
            found = self._listings[bad, good] = b"".join(lines)
        return found

    def _bad_file(self, variant: int) -> records.File:
        return records.File(
            path_hex=_hex(self.path(variant)),
            state="bad",
            size=_SIZE,
            header=self.artifact.header,
            mtime=(self.artifact.bad_from or self._incident.began).timestamp(),
            sha256=self.sha256(variant),
        )

    def _good_file(self) -> records.File:
        return records.File(
            path_hex=_hex(self.path(99)),
            state="good",
            size=_SIZE,
            header=self.artifact.header,
            mtime=(self.artifact.good_from or self._incident.began).timestamp() + 60.0,
        )


class Endpoint:
    """The scripts of one platform that an incident concerns."""

    def __init__(self, incident: Incident, platform: Platform, os: Os) -> None:
        """Answer as machines with `os` do in `incident`."""
        self._incident = incident
        self._os: Os = os
        self._disk = Disk(incident, platform, os)
        self._release = _hex(_RELEASES[os])
        self._actions: Mapping[str, Callable[[Machine, Command, float, Perform], list[bytes]]] = {
            "triage": self._report,
            "prove": self._report,
            "quarantine": self._quarantine,
            "race": self._quarantine,
            "strike": self._strike,
            "undo": self._undo,
            "reboot": self._reboot,
            "run": self._run,
        }

    def answer(self, machine: Machine, command: Command, at: float, perform: Perform) -> bytes:
        """The whole reply to `command`, which arrives at `at`; what it changes goes through `perform`."""
        action = self._actions.get(command.action)
        if action is None:
            return unsupported(command)
        lines = action(machine, command, at, perform)
        lines.append(b'{"record":"end","token":"%s","exit":0}\n' % command.token.encode())
        return b"".join(lines)

    def _report(
        self, machine: Machine, command: Command, at: float, _perform: Perform
    ) -> list[bytes]:
        return [
            self._boot(machine, at),
            *self._state(machine),
            self._crash(machine),
            *self._facts(machine, command),
            _mark(machine),
        ]

    def _facts(self, machine: Machine, command: Command) -> tuple[bytes, ...]:
        """Windows tells of Safe Mode in each report; elsewhere only a triage looks at the machine at large."""
        if self._os != "windows" and command.action != "triage":
            return ()
        return (_IN_SAFE_MODE if machine.safe else _IN_FULL,)

    def _quarantine(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        moves = self._move_away(machine, command, at, perform)
        return [self._boot(machine, at), *moves, *self._state(machine), _mark(machine)]

    def _strike(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        """Cmd knows no boots, clocks and services, and takes what the profile lets it take by name."""
        held = _held(machine)
        moves = self._carry_out(machine, command, at, perform) if machine.bad else []
        if not moves:
            moves = [_acted("quarantine", 0, held, nothing=held == 0)]
        return [*moves, _line(records.System(os=self._os)), self._folder(machine)]

    def _state(self, machine: Machine) -> tuple[bytes, ...]:
        return self._system(machine), self._listing(machine), self._disk.services[not machine.safe]

    def _move_away(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        held = _held(machine)
        refusal = self._refusal(machine, command, at)
        if refusal:
            return [refusal, _acted("quarantine", 0, held)]
        if not machine.bad:
            return [_acted("quarantine", 0, held, nothing=held == 0)]
        return self._carry_out(machine, command, at, perform)

    def _carry_out(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        held = _held(machine)
        files, lines = self._unchanged(machine, command)
        before = next((len(kept.files) for kept in machine.kept if kept.intent == command.token), 0)
        if files:
            perform(
                Act(at=at, host=machine.host, act="quarantine", intent=command.token, files=files)
            )
        for number, variant in enumerate(files, before + 1):
            target = self._disk.held(command.token, number)
            lines.append(_moved(self._disk.path(variant), target, self._disk.sha256(variant)))
        return [*lines, _acted("quarantine", len(files), held)]

    def _refusal(self, machine: Machine, command: Command, at: float) -> bytes:
        """Why nothing may be moved; empty when something may, or when there is nothing."""
        if not machine.bad:
            return b""
        if machine.good:
            return _refused("not_bad", self._disk.directory)
        if self._clock_is_off(machine, command, at):
            return _refused("clock", "")
        return (
            _refused("permission", self._disk.directory)
            if "quarantine_fails" in machine.traits
            else b""
        )

    def _unchanged(self, machine: Machine, command: Command) -> tuple[tuple[int, ...], list[bytes]]:
        """The bad files that are as triage saw them, and refusals for the others."""
        disk = self._disk
        seen = dict(
            word.rpartition(":")[::2] for word in command.settings.get("EXPECT", "").split()
        )
        changed = [
            v for v in machine.bad if seen.get(_hex(disk.path(v)), disk.sha256(v)) != disk.sha256(v)
        ]
        return tuple(v for v in machine.bad if v not in changed), [
            _refused("changed", disk.path(v)) for v in changed
        ]

    def _undo(self, machine: Machine, command: Command, at: float, perform: Perform) -> list[bytes]:
        disk = self._disk
        back = sum(kept.restored for kept in machine.kept if kept.undone_by == command.token)
        known = [kept for kept in machine.kept if not kept.undone_by]
        lines: list[bytes] = []
        files: list[int] = []
        for kept in known:
            for number, variant in enumerate(kept.files, 1):
                if variant in machine.bad or variant in files:
                    lines.append(_refused("exists", disk.path(variant)))
                else:
                    files.append(variant)
                    lines.append(
                        _moved(
                            disk.held(kept.intent, number), disk.path(variant), disk.sha256(variant)
                        )
                    )
        if files:
            perform(
                Act(at=at, host=machine.host, act="undo", intent=command.token, files=tuple(files))
            )
        acted = _acted("undo", len(files), back, nothing=not known and back == 0)
        return [
            self._boot(machine, at),
            *lines,
            acted,
            self._system(machine),
            self._listing(machine),
            _mark(machine),
        ]

    def _reboot(
        self, machine: Machine, command: Command, at: float, perform: Perform
    ) -> list[bytes]:
        lines = [self._boot(machine, at), _mark(machine)]
        expected = command.settings.get("EXPECT_BOOT", "")
        if expected and expected != machine.boot_id:
            return [*lines, _refused("changed", "")]
        if machine.mark:
            return [*lines, _acted("reboot", 0, 1)]
        perform(Act(at=at, host=machine.host, act="reboot", intent=command.token))
        return [*lines, _acted("reboot", 1, 0)]

    def _run(self, machine: Machine, command: Command, at: float, perform: Perform) -> list[bytes]:
        perform(Act(at=at, host=machine.host, act="run", intent=command.token))
        fails = "command_fails" in machine.traits
        said = "mock: this command fails here\n" if fails else "mock: done\n"
        return [_line(records.Printed(exit=1 if fails else 0, stdout_hex=_hex(said)))]

    def _boot(self, machine: Machine, at: float) -> bytes:
        boot = records.Boot(
            boot_id=machine.boot_id,
            boot_time=float(round(machine.boot_at + machine.skew)),
            uptime=round(at - machine.boot_at, 2),
            clock=float(int(at + machine.skew)),
        )
        return _line(boot)

    def _system(self, machine: Machine) -> bytes:
        return b'{"record":"system","os":"%s","release_hex":"%s","hostname_hex":"%s"}\n' % (
            self._os.encode(),
            self._release.encode(),
            _hex(machine.host).encode(),
        )

    def _listing(self, machine: Machine) -> bytes:
        return self._disk.files(machine.bad, good=machine.good) + self._folder(machine)

    def _folder(self, machine: Machine) -> bytes:
        manifests = b"".join(
            _line(
                records.Manifest(
                    intent=kept.intent, files=len(kept.files), undone=bool(kept.undone_by)
                )
            )
            for kept in sorted(machine.kept, key=lambda kept: kept.intent)
        )
        folder = records.Folder(
            path_hex=_hex(self._disk.directory),
            exists=True,
            bad=machine.is_bad,
            quarantined=_held(machine),
        )
        return manifests + _line(folder)

    def _crash(self, machine: Machine) -> bytes:
        if not machine.crashed_at:
            return b""
        rule, is_other = self._incident.crash, machine.crashed_by == "other"
        at = float(int(machine.crashed_at + machine.skew))
        if self._os != "windows":
            text = (
                OTHER_TEXT
                if is_other
                else f"Kernel panic - not syncing: {next(iter(rule.texts), 'mock')}"
            )
            return _line(records.CrashSeen(source="pstore", at=at, text_hex=_hex(text)))
        code = OTHER_STOP_CODE if is_other else next(iter(rule.stop_codes), None)
        module = OTHER_MODULE if is_other else next(iter(rule.modules), "")
        return _line(
            records.CrashSeen(source="wer_1001", at=at, stop_code=code, module_hex=_hex(module))
        )

    def _clock_is_off(self, machine: Machine, command: Command, at: float) -> bool:
        controllers = command.settings.get("CONTROLLER_CLOCK", "")
        if not self._disk.has_times or not controllers:
            return False
        return abs(int(at + machine.skew) - int(controllers)) > int(self._disk.artifact.margin)


def unsupported(command: Command) -> bytes:
    """The reply to a command that a machine has no script for."""
    return _line(records.Trouble(reason="unsupported")) + _line(
        records.End(token=command.token, exit=1)
    )


def _held(machine: Machine) -> int:
    return sum(len(kept.files) for kept in machine.kept)


def _mark(machine: Machine) -> bytes:
    return _line(records.Mark(intent=machine.mark)) if machine.mark else b""


def _moved(source: str, target: str, sha256: str) -> bytes:
    return _line(
        records.Moved(from_hex=_hex(source), to_hex=_hex(target), sha256=sha256, size=_SIZE)
    )


def _refused(reason: str, path: str) -> bytes:
    return b'{"record":"refused","reason":"%s","path_hex":"%s"}\n' % (
        reason.encode(),
        _hex(path).encode(),
    )


def _acted(action: str, files: int, already: int, *, nothing: bool = False) -> bytes:
    return _line(records.Acted(action=action, files=files, already=already, nothing=nothing))


def _line(record: records.Record) -> bytes:
    return _encode(record) + b"\n"


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def _resolved(path: str) -> str:
    """The path with a leading environment name of Windows filled in."""
    if not path.startswith("%"):
        return path
    name, _, rest = path[1:].partition("%")
    return _ENVIRONMENT.get(name.upper(), "C:") + rest
