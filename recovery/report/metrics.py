"""The figures of a report in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recovery.errors import UsageError
from recovery.report.page import Page
from recovery.report.tally import Row

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

Value = tuple[tuple[str, ...], float]
"""What the labels say, and the figure."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(found: Page) -> bytes:
    """What a scraper gets. Raises `UsageError` where the extra `metrics` is not installed."""
    try:
        from prometheus_client import CollectorRegistry  # noqa: PLC0415 - an extra
        from prometheus_client.exposition import generate_latest  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "Prometheus' format needs its library: pip install 'fleet-recovery[metrics]'"
        ) from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(found))
    return generate_latest(registry)


class _Figures:
    """A collector of one page."""

    def __init__(self, found: Page) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found, tally = self._found, self._found.tally
        standing = found.brief.standing
        yield _gauge("hosts", "Hosts by the group that they are in.", ["group"],
                     [((group,), count) for group, count in tally.whole.counts.items()])  # fmt: skip
        yield _gauge(
            "site_hosts", "Hosts of each site by group.", ["site", "group"], _rows(tally.sites)
        )
        about = "Hosts of each service by group."
        yield _gauge("service_hosts", about, ["service", "group"], _rows(tally.services))
        yield _gauge("verdict_hosts", "Hosts by verdict.", ["verdict"],
                     [((name,), count) for name, count in standing.verdicts.items()])  # fmt: skip
        losses: list[Value] = [((row.name,), row.loss_per_hour) for row in tally.services]
        yield _gauge(
            "service_loss_per_hour", "Loss of each service in an hour.", ["service"], losses
        )
        for name, about, value in (
            ("total_hosts", "Hosts of the fleet.", tally.whole.total),
            ("affected_hosts", "Hosts that were hit, as far as is known.", tally.whole.affected),
            ("loss_per_hour", "Loss in an hour, in the fleet's currency.", standing.loss_per_hour),
            ("lost", "Loss so far, in the fleet's currency.", standing.lost),
            ("proven_last_hour_hosts", "Hosts proven in the last hour.", found.proven_last_hour),
            ("open_questions", "Decisions that runs wait for.", len(found.brief.questions)),
            ("simulated", "1 when these are simulated hosts.", found.brief.mock),
            ("report_timestamp_seconds", "The moment of the figures.", found.brief.at.timestamp()),
        ):
            yield _gauge(name, about, [], [((), float(value))])


def _rows(rows: tuple[Row, ...]) -> list[Value]:
    return [((row.name, group), count) for row in rows for group, count in row.counts.items()]


def _gauge(name: str, about: str, labels: list[str], values: list[Value]) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - an extra

    family = GaugeMetricFamily(f"fleet_recovery_{name}", about, labels=labels)
    for given, value in values:
        clean = [label.encode("utf-8", "backslashreplace").decode() for label in given]
        family.add_metric(clean, value)
    return family
