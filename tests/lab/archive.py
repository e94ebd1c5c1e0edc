"""The kernel's own formats: an initial RAM file system, and what a module says it depends on."""

from __future__ import annotations

import lzma
import re
from pathlib import Path

_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_REGULAR, _DIRECTORY, _LINK = 0o100000, 0o040000, 0o120000


class Cpio:
    """Writes a cpio archive in the "newc" form, everything owned by root (kernel: initramfs buffer format)."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._inode = 0

    def directory(self, name: str) -> None:
        self._add(name, _DIRECTORY | 0o755, b"")

    def file(self, name: str, content: bytes, mode: int = 0o644) -> None:
        self._add(name, _REGULAR | mode, content)

    def link(self, name: str, target: str) -> None:
        self._add(name, _LINK | 0o777, target.encode())

    def finish(self) -> bytes:
        """The whole archive."""
        self._add("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _add(self, name: str, mode: int, content: bytes) -> None:
        self._inode += 1
        raw = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
        self._parts += [_padded(head), _padded(content)]


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def load_order(modules: Path, wanted: tuple[str, ...]) -> list[tuple[str, bytes]]:
    """The wanted modules and what they depend on, each after its dependencies, as (name, plain content).

    `modules` is a kernel's `lib/modules/VERSION` folder. What is built into the kernel has no file and is left out.
    """
    files = {_plain(path.name): path for path in modules.glob("kernel/**/*.ko*")}
    order: dict[str, bytes] = {}

    def visit(name: str) -> None:
        if name in order or name not in files:
            return
        content = _unpacked(files[name])
        found = _DEPENDS.search(content)
        for needed in found[1].decode().split(",") if found else ():
            visit(needed.replace("-", "_"))
        order[name] = content

    for name in wanted:
        visit(name)
    return list(order.items())


def _plain(name: str) -> str:
    return name.partition(".ko")[0].replace("-", "_")


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data
