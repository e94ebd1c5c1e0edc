"""What all events have in common."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True, gc=False
):
    """Something that happened, by the controller's clock in UTC."""

    at: datetime
    run: str = ""
    host: str = ""
