"""The scripts in the shells that endpoints have, on a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from recovery.model.evidence import ArtifactListing
from recovery.model.host import Host
from recovery.model.incident import Artifact, Incident, Platform, Proof, Remedy
from recovery.ports import Command, Completed
from recovery.remote import catalog, replies
from recovery.remote.replies import Reply
from tests.needs import need

HEADER = bytes.fromhex("aaaaaaaa01002301")
BAD_TIME = 1721362140
GOOD_TIME = 1721366820
BEGAN = datetime(2024, 7, 19, 4, 9, tzinfo=UTC)
HOST = Host(name="h1", os="linux")


def profile(
    folder: Path | str,
    quarantine: Path | str,
    *,
    with_times: bool = True,
    proof: Proof | None = None,
) -> Incident:
    """The incident's profile with other folders."""
    artifact = Artifact(
        directory=str(folder),
        pattern="C-00000291*.sys",
        header=HEADER.hex(),
        bad_from=datetime.fromtimestamp(BAD_TIME, UTC) if with_times else None,
        good_from=datetime.fromtimestamp(GOOD_TIME, UTC) if with_times else None,
        margin=300.0 if with_times else 0.0,
    )
    remedies = {"full_system": Remedy(quarantine=str(quarantine))}
    linux = Platform(artifact=artifact, proof=proof or Proof(), remedies=remedies)  # type: ignore[arg-type]
    return Incident(name="test", title="Test", began=BEGAN, platforms={"linux": linux})


class Shell:
    """One kind of `sh` with its tools."""

    def __init__(self, name: str, tools: Path) -> None:
        """`dash` and `bash` with the system's tools, or `busybox` with nothing but its own."""
        self.name = name
        self.environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if name == "dash":
            self.argv = [need("dash"), "-s"]
            return
        if name == "bash":
            self.argv = [need("bash"), "--posix", "-s"]
            return
        busybox = need("busybox")
        tools.mkdir()
        subprocess.run([busybox, "--install", "-s", str(tools)], check=True)
        self.argv = [busybox, "sh", "-s"]
        self.environ["PATH"] = str(tools)

    def run(self, script: bytes, **environ: str) -> Completed:
        """What comes of the script on standard input."""
        done = subprocess.run(
            self.argv,
            input=script,
            capture_output=True,
            env={**self.environ, **environ},
            timeout=60,
            check=False,
            start_new_session=True,
        )
        return Completed(stdout=done.stdout, stderr=done.stderr, exit_status=done.returncode)


class Machine:
    """An artifact folder and a quarantine, and a shell to act on them."""

    def __init__(self, shell: Shell, root: Path, quarantine: Path | None = None) -> None:
        """Everything stands below `root`, unless `quarantine` says otherwise."""
        self.shell = shell
        self.folder = root / "drivers" / "CrowdStrike"
        self.folder.mkdir(parents=True)
        self.quarantine = quarantine or root / "state" / "quarantine"
        self.incident = profile(self.folder, self.quarantine)
        self.clock = datetime.now(UTC).timestamp()  # noqa: TID251 - the endpoint's own clock

    def file(
        self, name: str | bytes, *, at: int = BAD_TIME, content: bytes = b"\0\1payload"
    ) -> Path:
        """A file with the artifact's header."""
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.folder), os.fsencode(name))))  # noqa: PTH118
        path.write_bytes(HEADER + content)
        os.utime(path, (at, at))
        return path

    def command(
        self, action: str, token: str, settings: Mapping[str, str] | None = None
    ) -> Command:
        """The command with the controller's clock, as the engine makes it."""
        sent = {"CONTROLLER_CLOCK": f"{self.clock:.0f}", **(settings or {})}
        return catalog.command(
            action, HOST, self.incident, token=token, timeout=30.0, settings=sent
        )

    def completed(
        self, action: str, token: str, settings: Mapping[str, str] | None = None
    ) -> Completed:
        """What comes back, as it comes."""
        return self.shell.run(catalog.render(self.command(action, token, settings)))

    def ask(self, action: str, token: str = "i1", **settings: str) -> Reply:
        """The reply; nothing may have been said beside it."""
        completed = self.completed(action, token, settings)
        assert completed.stderr == b"", completed.stderr.decode(errors="replace")
        return replies.read(completed, token)

    def listing(self) -> ArtifactListing:
        """What a triage sees of the folder."""
        found = replies.evidence(self.ask("triage", "t1"), at=BEGAN, source="test")
        return next(item for item in found if isinstance(item, ArtifactListing))

    def expected(self) -> str:
        """The EXPECT setting after a triage, as the engine makes it."""
        bad = [file for file in self.listing().files if file.state == "bad"]
        return " ".join(
            f"{file.path.encode('utf-8', 'surrogateescape').hex()}:{file.sha256}" for file in bad
        )

    def held(self) -> list[Path]:
        """The files in quarantine."""
        return sorted(self.quarantine.glob("*/*.file"))

    def names(self) -> set[bytes]:
        """The names in the artifact's folder."""
        return {entry.name for entry in os.scandir(os.fsencode(self.folder))}

    def shape(self) -> dict[bytes, tuple[bytes, int, int, int, int]]:
        """Content, time, mode and owner of each file in the artifact's folder."""
        found = {}
        for entry in os.scandir(os.fsencode(self.folder)):
            state = entry.stat(follow_symlinks=False)
            content = Path(os.fsdecode(entry.path)).read_bytes()
            found[entry.name] = (
                content,
                int(state.st_mtime),
                state.st_mode,
                state.st_uid,
                state.st_gid,
            )
        return found


def with_artifact(incident: Incident, **changes: object) -> Incident:
    """The profile with another artifact rule."""
    linux = incident.platforms["linux"]
    artifact = msgspec.structs.replace(linux.artifact, **changes)
    return msgspec.structs.replace(
        incident, platforms={"linux": msgspec.structs.replace(linux, artifact=artifact)}
    )


def acted(reply: Reply, action: str = "quarantine") -> tuple[int, int, bool]:
    """Files, already, nothing."""
    done = reply.acted(action)
    assert done is not None
    return done.files, done.already, done.nothing


def reasons(reply: Reply) -> list[str]:
    """Why things were left alone."""
    return [refused.reason for refused in reply.refused]


def listing(reply: Reply) -> ArtifactListing:
    """The folder as the reply tells it."""
    found = replies.evidence(reply, at=BEGAN, source="test")
    return next(item for item in found if isinstance(item, ArtifactListing))
