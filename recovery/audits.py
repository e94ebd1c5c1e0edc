"""Exposure audits, read back from the journal for the hosts of an inventory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

from recovery.inventory.loader import load
from recovery.inventory.selection import select
from recovery.journal.reader import Reader
from recovery.playbook.library import products
from recovery.report.exposure import Exposed, audits, exposed
from recovery.settings import Settings


def audited(
    settings: Settings, inventory: Sequence[str], limits: Sequence[str] = (), run: str = ""
) -> tuple[Exposed, ...]:
    """What the hosts of an inventory are exposed to, by their latest audits, or by those of one run.

    Raises `JournalError` when there is no journal, `InputError` and `EmptySelectionError` as a run does.
    """
    with closing(Reader.open(settings.journal)) as log:
        run = log.find_run(run) if run else ""
        known = audits(log.read(run=run, kinds=("step.finished",)))
    fleet = select(load(tuple(inventory)), tuple(limits), {}, datetime.now(UTC))  # noqa: TID251 - the query's "ago"
    return exposed(fleet, known, products())
