"""Builds what the lab's guests boot from, out of Debian packages alone; kept in a folder and used again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.archive import Cpio, load_order
from tests.lab.tools import LabUnavailableError, output

CHECKOUT = Path(__file__).resolve().parents[2]
GUEST = Path(__file__).parent / "guest"
KERNEL = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "pvpanic", "pvpanic_mmio")
_LIBRARIES = "lib/x86_64-linux-gnu"
_LOADER = "lib64/ld-linux-x86-64.so.2"
_FOLDERS = (
    *(
        "bin",
        "dev",
        "etc/dropbear",
        "lab",
        "lib64",
        "proc",
        "root/.ssh",
        "run",
        "sys",
        "tmp",
        "usr",
    ),
    *("var/lib", "var/log", "CrowdStrike"),
)
_LINKS = {"sbin": "bin", "usr/bin": "../bin", "usr/sbin": "../bin", "var/run": "../run"}
_BUILDER = "2"
"""Part of the image's identity: raise it when this file builds something else from the same inputs."""


@dataclass(frozen=True)
class Image:
    """What all guests share."""

    root: Path

    @property
    def kernel(self) -> Path:
        return self.root / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.root / "initrd"

    @property
    def tree(self) -> Path:
        """The files of a guest's disk, without what is its own."""
        return self.root / "tree"

    def new_host_key(self, path: Path) -> str:
        """Write a new Ed25519 host key in dropbear's form; return its public half, `ssh-ed25519 AAAA...`."""
        program = [str(self.tree / _LOADER), "--library-path", str(self.tree / _LIBRARIES)]
        program += [str(self.root / "dropbearkey"), "-t", "ed25519", "-f", str(path)]
        text = output(program).decode()
        return next(
            " ".join(line.split()[:2])
            for line in text.splitlines()
            if line.startswith("ssh-ed25519 ")
        )


def cache_folder() -> Path:
    """`RECOVERY_LAB_CACHE`, else `var/lab` of the checkout."""
    return Path(os.environ.get("RECOVERY_LAB_CACHE") or CHECKOUT / "var" / "lab")


def build(cache: Path) -> Image:
    """The image, built in `cache` unless it is there. Raises `LabUnavailableError` where packages cannot be had."""
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        debs = _packages(cache / "debs")
        root = cache / f"image-{_identity(debs)}"
        if not root.exists():
            partial = cache / "partial"
            shutil.rmtree(partial, ignore_errors=True)
            _build(partial, debs)
            shutil.rmtree(partial / "unpacked")
            partial.rename(root)
        return Image(root)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _identity(debs: list[Path]) -> str:
    digest = hashlib.sha256(_BUILDER.encode())
    for deb in debs:
        digest.update(deb.name.encode())
    for script in sorted(GUEST.iterdir()):
        digest.update(script.name.encode() + script.read_bytes())
    return digest.hexdigest()[:12]


def _packages(folder: Path) -> list[Path]:
    """The package files, fetched once."""
    listing = folder / "packages.json"
    if listing.exists():
        return [folder / name for name in json.loads(listing.read_text())]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    kernel = _depends(KERNEL, recurse=False)
    names = [*kernel, "busybox-static", *_depends("dropbear-bin", recurse=True)]
    # apt's own unprivileged user cannot write here.
    output(["apt-get", "-o", "APT::Sandbox::User=root", "--quiet", "download", *names], cwd=folder)
    debs = sorted(folder.glob("*.deb"))
    listing.write_text(json.dumps([deb.name for deb in debs]))
    return debs


def _depends(package: str, *, recurse: bool) -> list[str]:
    """The real packages behind a package: what its name stands for, or it and all that it needs."""
    kinds = ("pre-depends", "recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    options = [f"--no-{kind}" for kind in kinds]
    text = output(
        ["apt-cache", "depends", *(["--recurse"] if recurse else []), *options, package]
    ).decode()
    if recurse:
        return [line for line in text.splitlines() if line[:1].isalnum()]
    found = [line.split()[-1] for line in text.splitlines() if "Depends: linux-image" in line]
    if not found:
        raise LabUnavailableError(
            f"no package {package} in this machine's sources: the lab needs Debian's, after `apt-get update`"
        )
    return found


def _build(root: Path, debs: list[Path]) -> None:
    unpacked = root / "unpacked"
    unpacked.mkdir(parents=True)
    for deb in debs:
        output(["dpkg-deb", "-x", str(deb), str(unpacked)])
    _place(next(unpacked.glob("boot/vmlinuz-*")), root, "vmlinuz")
    _place(unpacked / "usr/bin/dropbearkey", root, "dropbearkey")
    busybox = next(
        path for path in (unpacked / "bin/busybox", unpacked / "usr/bin/busybox") if path.exists()
    )
    (root / "initrd").write_bytes(
        _initrd(next(unpacked.glob("**/lib/modules/*")), busybox.read_bytes())
    )
    _tree(root / "tree", unpacked, busybox)


def _initrd(modules: Path, busybox: bytes) -> bytes:
    archive = Cpio()
    for folder in ("bin", "dev", "disk", "modules"):
        archive.directory(folder)
    archive.file("bin/busybox", busybox, 0o755)
    for applet in ("sh", "mount", "insmod", "usleep", "switch_root"):
        archive.link(f"bin/{applet}", "busybox")
    archive.file("init", (GUEST / "init").read_bytes(), 0o755)
    order = load_order(modules, MODULES)
    for name, content in order:
        archive.file(f"modules/{name}", content)
    archive.file("modules/order", "".join(f"{name}\n" for name, _ in order).encode())
    return archive.finish()


def _tree(tree: Path, unpacked: Path, busybox: Path) -> None:
    for folder in (*_FOLDERS, _LIBRARIES):
        (tree / folder).mkdir(parents=True)
    for link, target in _LINKS.items():
        (tree / link).symlink_to(target)
    _place(busybox, tree, "bin/busybox")
    for applet in output([str(busybox), "--list"]).decode().split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    _dropbear(tree, unpacked)
    for script in ("boot", "content", "driver"):
        _place(GUEST / script, tree, f"lab/{script}")
    _place(GUEST / "inittab", tree, "etc/inittab")
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (tree / "etc/os-release").write_text('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    (tree / "etc/group").write_text("root:x:0:\n")
    (tree / "etc/shells").write_text("/bin/sh\n")
    (tree / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\n")
    (tree / "root/.ssh").chmod(0o700)
    (tree / "root").chmod(0o700)


def _dropbear(tree: Path, unpacked: Path) -> None:
    """The SSH server, the loader, and the libraries that the loader says it needs."""
    server = unpacked / "usr/sbin/dropbear"
    loader = next(
        path for path in unpacked.glob("**/ld-linux-x86-64.so.2") if not path.is_symlink()
    )
    folders = ":".join(str(unpacked / folder) for folder in (_LIBRARIES, f"usr/{_LIBRARIES}"))
    _place(server, tree, "bin/dropbear")
    _place(loader, tree, _LOADER)
    listing = output([str(loader), "--library-path", folders, "--list", str(server)]).decode()
    for name, source in _needed(listing):
        if not source.resolve().is_relative_to(unpacked.resolve()):
            raise LabUnavailableError(f"dropbear needs {name}, which the packages do not bring")
        _place(source, tree, f"{_LIBRARIES}/{name}")


def _needed(listing: str) -> Iterator[tuple[str, Path]]:
    """The libraries of a loader's `--list`.

    The loader lists itself too, by its absolute path on the machine: it is not one of them.
    """
    for line in listing.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and "/" not in name:
            yield name, Path(rest.rsplit(" (", 1)[0])


def _place(source: Path, tree: Path, name: str) -> None:
    """Copy a file to a new place in the tree. What lies outside the tree, or is there already, is never written."""
    target = tree / name
    if not target.parent.resolve().is_relative_to(tree.resolve()):
        raise ValueError(f"{name} is outside the tree")
    with target.open("xb") as handle:
        handle.write(source.read_bytes())
    target.chmod(source.stat().st_mode & 0o777)
