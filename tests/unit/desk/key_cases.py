"""Recovery keys for tests: legal ones, of nobody."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

KEY = "000011-000022-000033-000044-000055-000066-000077-720885"
KEY_ID = "05A73B04-91CC-4183-9F71-6C2C52B4DC53"


def key_text(number: int) -> str:
    """The legal key with that number, dashed."""
    drawn = random.Random(number)  # noqa: S311 - keys of nobody
    return "-".join(f"{drawn.randrange(65_536) * 11:06d}" for _ in range(8))


def key_ids(count: int) -> list[str]:
    """Different ids."""
    return [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number))).upper() for number in range(count)]


def write_keys(path: Path, keys: dict[str, str], header: str = "KeyID,RecoveryKey") -> Path:
    """A table of keys that only its owner may read."""
    lines = [header, *(f"{key_id},{key}" for key_id, key in keys.items())]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path
