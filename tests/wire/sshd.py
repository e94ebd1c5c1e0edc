"""Machines with a real OpenSSH server, a restart and a boot identity of their own, on loopback.

Each machine is a set of Linux namespaces: its own processes, its own mounts, and a root folder that holds
`/CrowdStrike`, `/run` and everything else that may be written. Its first process boots it: a new boot id, an empty
`/run`, sshd, and again from the start when sshd dies. `reboot` there kills all that runs in the machine.

It cannot restart the computer that the tests run on, for five reasons, each of which would do: the stand-in is first
in the path (checked before sshd starts), the machine has no right to restart anything (CAP_SYS_BOOT is taken away),
a restart from within a process namespace ends that namespace alone, the computer's `/run` and `/dev` are not there,
so that no service manager can be asked, and `/proc/sysrq-trigger` is covered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from recovery.model.host import Host
from tests.needs import missing, need

PASSWORD = "correct horse"
_HASH = "$6$fleetrecovery$mCQFX5RIfcBHOJ9KdKvcjcHnn6ARMEW/UUF8axUNEmnIH1W/Aow6MWxUJ7d8syvTWZAyaWE0fzKBgQ9h0FkTm."
PORT = 2222
_READY_SECONDS = 20.0
_numbers = count()

_OUTSIDE = """set -e
fs=$1 shell=$2
mount --bind "$fs" "$fs"
for folder in usr bin sbin lib lib32 lib64 etc/alternatives; do
  if [ -L "/$folder" ]; then ln -sfn "$(readlink "/$folder")" "$fs/$folder"; continue; fi
  if [ ! -d "/$folder" ]; then continue; fi
  mkdir -p "$fs/$folder"
  mount --bind "/$folder" "$fs/$folder"
  mount -o remount,bind,ro "$fs/$folder"
done
if [ -n "$shell" ]; then mount --bind "$shell" "$(readlink -f "$fs/bin/sh")"; fi
mount -t proc proc "$fs/proc"
for device in null zero random urandom; do
  touch "$fs/dev/$device"
  mount --bind "/dev/$device" "$fs/dev/$device"
done
mount --bind "$fs/control/boot_id" "$fs/proc/sys/kernel/random/boot_id"
if [ -e "$fs/proc/sysrq-trigger" ]; then mount --bind /dev/null "$fs/proc/sysrq-trigger"; fi
exec chroot "$fs" /control/sh /control/boot
"""
"""Makes the machine's root and goes into it."""

_BOOT = """set -u
PATH=@PATH@
export PATH
if [ "$$" != 1 ] || [ "$(command -v reboot)" != /stand-in/reboot ] || [ ! -x /stand-in/reboot ]; then exit 97; fi
case $PATH in /stand-in:*) ;; *) exit 97 ;; esac
while :; do
  cat /proc/sys/kernel/random/uuid >/control/boot_id
  rm -rf /run/* /tmp/*
  mkdir -p /run/sshd
  read -r boot </control/boot_id
  echo "boot $boot" >>/control/ledger
  if [ -e /control/window ]; then /control/doom & fi
  read -r up rest </proc/uptime
  up=$((${up%%.*} - $(cat /control/uptime)))
  # A time namespace, where the kernel has them, lets the uptime begin at nothing.
  if unshare --time --boottime "$((0 - up))" --fork true 2>/dev/null; then
    unshare --time --boottime "$((0 - up))" --fork --kill-child \\
      /usr/sbin/sshd -D -e -f /control/sshd_config 2>>/control/log &
  else
    /usr/sbin/sshd -D -e -f /control/sshd_config 2>>/control/log &
  fi
  wait "$!"
  sleep "$(cat /control/down)"
done
"""

_DOOM = """#!/control/sh
# The crash of a boot loop: as long as a bad file is there, so many seconds after each boot.
read -r window </control/window
sleep "$window"
for file in /CrowdStrike/C-00000291*.sys; do
  if [ -e "$file" ]; then
    read -r boot </control/boot_id
    echo "crash $boot" >>/control/ledger
    kill -9 -1
  fi
done
"""

_REBOOT = """#!/control/sh
read -r boot </control/boot_id
echo "reboot $boot" >>/control/ledger
kill -9 -1
"""

_PATH = "/stand-in:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass
class SshdHost:
    """One machine."""

    name: str
    address: str
    root: Path
    """Its root folder, as seen from here."""
    key_file: Path
    """The private key that it lets in, as root; the password is `PASSWORD`."""
    host_key: str
    """Its public host key, without the comment."""
    port: int = PORT
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def ledger(self) -> list[str]:
        """What happened to it: `boot ID`, `reboot ID`, `crash ID`, in order."""
        return (self.root / "control" / "ledger").read_text().splitlines()

    @property
    def boot_id(self) -> str:
        """The identity of its present boot."""
        return (self.root / "control" / "boot_id").read_text().strip()

    @property
    def folder(self) -> Path:
        """Its artifact folder, `/CrowdStrike`."""
        return self.root / "CrowdStrike"

    @property
    def quarantine(self) -> Path:
        """Where the bundled profile keeps quarantined files."""
        return self.root / "var/lib/fleet-recovery/quarantine"

    @property
    def known_host(self) -> str:
        """Its line of a known_hosts file."""
        return f"[{self.address}]:{self.port} {self.host_key}"

    def host(self, *, credential: str = "", gateway: str = "") -> Host:
        """The machine as an inventory has it."""
        return Host(
            name=self.name,
            address=self.address,
            port=self.port,
            os="linux",
            user="root",
            credential=credential,
            gateway=gateway,
        )

    def log(self) -> str:
        """What sshd said."""
        return (self.root / "control" / "log").read_text()

    def answers(self) -> bool:
        """Whether an SSH server speaks there."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self.address, self.port), 1.0) as link,
        ):
            return link.recv(4) == b"SSH-"
        return False

    def stop(self) -> None:
        """End it, with all that runs in it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class SshdFleet(list[SshdHost]):
    """Machines that share a client key and a host key."""

    def __init__(self, folder: Path) -> None:
        """Prepare keys in `folder`; no machine is started."""
        super().__init__()
        self.folder = folder
        self.key_file = folder / "client_key"
        self.host_key_file = folder / "host_key"
        for key in (self.key_file, self.host_key_file):
            subprocess.run(
                [need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)],
                check=True,
            )

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file with all of them."""
        path = self.folder / "known_hosts"
        path.write_text("".join(f"{host.known_host}\n" for host in self))
        return path

    def add(
        self, *, shell: str = "", window: float | None = None, down: float = 0.2, uptime: int = 0
    ) -> SshdHost:
        """Start a machine; it is not waited for.

        `shell` is a program that stands in for /bin/sh. With `window` it crashes so many seconds after each boot for
        as long as it holds a bad file; `down` is the time that it is away between two boots; `uptime` is what it
        claims at its start.
        """
        number = next(_numbers)
        address = f"127.{64 + os.getpid() % 128}.{(os.getpid() >> 7) % 256}.{1 + number % 250}"
        name = f"m{number:03}"
        host = SshdHost(
            name, address, self.folder / name, self.key_file, _public(self.host_key_file)
        )
        _furnish(host, self, down)
        (host.root / "control" / "uptime").write_text(f"{uptime}\n")
        if window is not None:
            (host.root / "control" / "window").write_text(f"{window}\n")
        host.process = _start(host, shell)
        self.append(host)
        return host

    def waiting(self, among: list[SshdHost] | None = None) -> list[SshdHost]:
        """Those, `among` some or all, that do not answer yet. Raises when one has died."""
        hosts = self if among is None else among
        for host in hosts:
            if host.process is not None and host.process.poll() is not None:
                message = f"{host.name} did not start: {host.log()}"
                raise RuntimeError(message)
        return [host for host in hosts if not host.answers()]

    def stop(self) -> None:
        """End them all."""
        for host in self:
            host.stop()


def _start(host: SshdHost, shell: str) -> subprocess.Popen[bytes]:
    """The first process of a machine; it and all of the machine end with this process."""
    with (host.root / "control" / "log").open("ab") as log:
        return subprocess.Popen(
            [
                *(need("setpriv"), "--pdeathsig", "KILL"),
                *("--bounding-set=-sys_boot", "--inh-caps=-sys_boot"),
                *(
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "--pid",
                    "--fork",
                    "--kill-child",
                ),
                *("/bin/sh", "-c", _OUTSIDE, "machine", str(host.root), shell),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )


def check_machine() -> None:
    """Skip, or fail in CI, where the machines cannot be made."""
    need("linux")
    need("root")
    need("sshd")
    need("ssh-keygen")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False
    )
    if done.returncode:
        missing("needs to make mount and process namespaces")


@contextlib.contextmanager
def sshd_fleet_sync(folder: Path, hosts: int, **options: object) -> Iterator[SshdFleet]:
    """So many machines that answer; `options` as of `SshdFleet.add`. All are gone at the end."""
    check_machine()
    fleet = SshdFleet(folder)
    try:
        for _ in range(hosts):
            fleet.add(**options)  # type: ignore[arg-type]
        deadline = time.monotonic() + _READY_SECONDS
        waiting = list(fleet)
        while waiting := fleet.waiting(waiting):
            if time.monotonic() > deadline:
                message = f"not ready: {fleet[0].log()}"
                raise TimeoutError(message)
            time.sleep(0.02)  # noqa: TID251 - sshd tells nobody when it listens
        yield fleet
    finally:
        fleet.stop()


@contextlib.asynccontextmanager
async def sshd_fleet(folder: Path, hosts: int, **options: object) -> AsyncIterator[SshdFleet]:
    """As `sshd_fleet_sync`."""
    check_machine()
    fleet = SshdFleet(folder)
    try:
        for _ in range(hosts):
            fleet.add(**options)  # type: ignore[arg-type]
        waiting = list(fleet)
        async with asyncio.timeout(_READY_SECONDS):
            while waiting := await asyncio.to_thread(fleet.waiting, waiting):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        yield fleet
    finally:
        fleet.stop()


def _public(key: Path) -> str:
    kind, text = key.with_suffix(".pub").read_text().split()[:2]
    return f"{kind} {text}"


def _furnish(host: SshdHost, fleet: SshdFleet, down: float) -> None:
    """The machine's own files."""
    for folder in (
        *(
            "control",
            "stand-in",
            "CrowdStrike",
            "proc",
            "dev",
            "run",
            "tmp",
            "etc",
            "root",
            "var/lib",
        ),
        "sys/fs/pstore",
    ):
        (host.root / folder).mkdir(parents=True)
    control = host.root / "control"
    for name in ("boot_id", "ledger", "log"):
        (control / name).touch()
    (control / "down").write_text(f"{down}\n")
    (control / "boot").write_text(_BOOT.replace("@PATH@", _PATH))
    for path, text in ((control / "doom", _DOOM), (host.root / "stand-in" / "reboot", _REBOOT)):
        path.write_text(text)
        path.chmod(0o755)
    for name in ("systemctl", "shutdown", "halt", "poweroff"):
        (host.root / "stand-in" / name).symlink_to("reboot")
    shutil.copy(fleet.host_key_file, control / "host_key")
    # The machine's own affairs are not carried out by the shell that is tested, whose applets pass over the path.
    shutil.copy(need("dash"), control / "sh")
    (control / "authorized_keys").write_text(_public(fleet.key_file) + "\n")
    (control / "sshd_config").write_text(_config(host))
    etc = host.root / "etc"
    (etc / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nsshd:x:74:74::/run/sshd:/bin/false\n"
    )
    (etc / "group").write_text("root:x:0:\nsshd:x:74:\n")
    (etc / "shadow").write_text(f"root:{_HASH}:19000:0:99999:7:::\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\n")


def _config(host: SshdHost) -> str:
    lines = [
        f"ListenAddress {host.address}",
        f"Port {host.port}",
        "HostKey /control/host_key",
        "AuthorizedKeysFile /control/authorized_keys",
        "PidFile none",
        "UsePAM no",
        "UseDNS no",
        "StrictModes no",
        "PermitRootLogin yes",
        "PasswordAuthentication yes",
        "MaxStartups 1000",
        "MaxSessions 100",
        f"SetEnv PATH={_PATH}",
    ]
    if _version() >= (9, 8):
        lines.append("PerSourcePenalties no")
    return "\n".join(lines) + "\n"


def _version() -> tuple[int, int]:
    done = subprocess.run([need("ssh"), "-V"], capture_output=True, text=True, check=True)
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", done.stderr)
    return (int(found[1]), int(found[2])) if found else (0, 0)
