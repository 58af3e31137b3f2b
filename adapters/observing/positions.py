"""How far the read tables are behind the log, asked of the database whenever metrics are."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.postgres.database import ON_CONNECT, Database

WAIT_SECONDS_MAX = 3
"""For a database that doesn't answer: whoever asks for metrics has other things to hear of."""

_HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.event"
_STANDINGS = """
    SELECT p.name, c.notification_id, p.failed_position IS NOT NULL, coalesce(extract(epoch FROM now() - (
        SELECT recorded_at FROM log.event WHERE notification_id = c.notification_id + 1
    )), 0)
    FROM read.projection p JOIN read.checkpoint c ON c.application_name = p.name ORDER BY p.name
"""


class Positions(Collector):
    """Where the log and each projection stand. Says only that the database is away if it is."""

    def __init__(self, database: Database) -> None:
        self._url = database.url

    def collect(self) -> Iterator[Metric]:
        try:
            head, standings = self._ask()
        except psycopg.Error:
            yield _gauge("database_up", "Whether the database answers", 0)
            return
        yield _gauge("database_up", "Whether the database answers", 1)
        yield _gauge("log_position", "The last position of the log", head)
        yield _gauges(
            "projection_position",
            "Where a projection stands",
            [(name, position) for name, position, *_ in standings],
        )
        yield _gauges(
            "projection_lag_events",
            "Positions of the log that a projection hasn't counted in",
            [(name, max(head - position, 0)) for name, position, *_ in standings],
        )
        yield _gauges(
            "projection_lag_seconds",
            "How long ago the first event was recorded that a projection hasn't counted in",
            [(name, max(float(seconds), 0)) for name, _, _, seconds in standings],
        )
        yield _gauges(
            "projection_stopped",
            "Whether a projection stopped at an event that it can't take",
            [(name, int(stopped)) for name, _, stopped, _ in standings],
        )

    def _ask(self) -> tuple[int, Sequence[tuple[Any, ...]]]:
        """A connection of its own: those of the pool may all be waiting for the database to come back."""
        with psycopg.connect(self._url, connect_timeout=WAIT_SECONDS_MAX, autocommit=True) as connection:
            connection.execute(f"SET statement_timeout = '{WAIT_SECONDS_MAX}s'; {ON_CONNECT}")
            ((head,),) = connection.execute(_HEAD).fetchall()
            return head, connection.execute(_STANDINGS).fetchall()


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dealtrail_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, of: Sequence[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"dealtrail_{name}", meaning, labels=["projection"])
    for projection, value in of:
        family.add_metric([projection], value)
    return family
