"""How far the read tables are behind the log, asked of the database whenever metrics are."""

from collections.abc import Iterator, Sequence

import psycopg
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.postgres.database import ON_CONNECT, Database
from adapters.postgres.projecting import log, standing
from adapters.postgres.projecting.standing import Standing

WAIT_SECONDS_MAX = 3
"""For a database that doesn't answer: whoever asks for metrics has other things to hear of."""

_AGES = """
    SELECT asked.position, extract(epoch FROM now() - recorded_at)::float8
    FROM unnest(%s::bigint[]) AS asked (position) JOIN log.event ON notification_id = asked.position + 1
"""


class Positions(Collector):
    """Where the log and each projection stand. Says only that the database is away if it is."""

    def __init__(self, database: Database) -> None:
        self._url = database.url

    def collect(self) -> Iterator[Metric]:
        try:
            head, standings, ages = self._ask()
        except psycopg.Error:
            yield _gauge("database_up", "Whether the database answers", 0)
            return
        yield _gauge("database_up", "Whether the database answers", 1)
        yield _gauge("log_position", "The last position of the log", head)
        yield _gauges(
            "projection_position",
            "Where a projection stands",
            [(each.name, each.position) for each in standings],
        )
        yield _gauges(
            "projection_lag_events",
            "Positions of the log that a projection hasn't counted in",
            [(each.name, max(head - each.position, 0)) for each in standings],
        )
        yield _gauges(
            "projection_lag_seconds",
            "How long ago the first event was recorded that a projection hasn't counted in",
            [(each.name, max(ages.get(each.position, 0.0), 0.0)) for each in standings],
        )
        yield _gauges(
            "projection_stopped",
            "Whether a projection stopped at an event that it can't take",
            [(each.name, int(each.failure is not None)) for each in standings],
        )

    def _ask(self) -> tuple[int, list[Standing], dict[int, float]]:
        """The log's end, the projections, and by position how many seconds ago the next event was recorded.

        On a connection of its own: those of the pool may all be waiting for the database to come back.
        """
        with psycopg.connect(self._url, connect_timeout=WAIT_SECONDS_MAX, autocommit=True) as connection:
            connection.execute(f"SET statement_timeout = '{WAIT_SECONDS_MAX}s'; {ON_CONNECT}")
            head = log.head(connection)
            standings = sorted(standing.standings(connection).values(), key=lambda each: each.name)
            asked = list({each.position for each in standings})
            return head, standings, dict(connection.execute(_AGES, (asked,)).fetchall())


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dealtrail_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, of: Sequence[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"dealtrail_{name}", meaning, labels=["projection"])
    for projection, value in of:
        family.add_metric([projection], value)
    return family
