"""How far the read tables and Kafka are behind the log, asked of the database whenever metrics are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.postgres.database import Database
from adapters.postgres.projecting import log, standing
from adapters.postgres.projecting.standing import Standing

WAIT_SECONDS_MAX = 3
"""For a database that doesn't answer: whoever asks for metrics has other things to hear of."""

_AGES = """
    SELECT asked.position, extract(epoch FROM now() - recorded_at)::float8
    FROM unnest(%s::bigint[]) AS asked (position) JOIN log.event ON notification_id = asked.position + 1
"""
# Of a topic that was made anew the row that was written last: the others are of what is there no more.
_PUBLISHED = """
    SELECT DISTINCT ON (topic) split_part(target, ' ', 1) AS topic, position
    FROM log.publication ORDER BY topic, age(xmin)
"""


@dataclass(frozen=True, slots=True)
class _Found:
    head: int
    standings: Sequence[Standing]
    published: Sequence[tuple[str, int]]
    ages: dict[int, float]

    def age(self, position: int) -> float:
        """How many seconds ago the event behind the position was recorded; 0 if there is none."""
        return max(self.ages.get(position, 0.0), 0.0)


class Positions(Collector):
    """Where the log, each projection and Kafka stand. Says only that the database is away if it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        try:
            found = self._ask()
        except psycopg.Error:
            yield _gauge("database_up", "Whether the database answers", 0)
            return
        yield _gauge("database_up", "Whether the database answers", 1)
        yield _gauge("log_position", "The last position of the log", found.head)
        yield from _of_projections(found)
        yield _gauges("published_position", "Up to where Kafka has the log", "topic", found.published)
        yield _gauges(
            "published_lag_seconds",
            "How long ago the first event was recorded that Kafka hasn't got",
            "topic",
            [(topic, found.age(position)) for topic, position in found.published],
        )

    def _ask(self) -> _Found:
        with self._database.apart(WAIT_SECONDS_MAX) as connection:
            connection.execute(f"SET statement_timeout = '{WAIT_SECONDS_MAX}s'")
            head = log.head(connection)
            standings = sorted(standing.standings(connection).values(), key=lambda each: each.name)
            published = connection.execute(_PUBLISHED).fetchall()
            asked = [*{each.position for each in standings}, *{position for _, position in published}]
            ages: dict[int, float] = dict(connection.execute(_AGES, (asked,)).fetchall())
            return _Found(head, standings, published, ages)


def _of_projections(found: _Found) -> Iterator[Metric]:
    standings = found.standings
    yield _gauges(
        "projection_position",
        "Where a projection stands",
        "projection",
        [(each.name, each.position) for each in standings],
    )
    yield _gauges(
        "projection_lag_events",
        "Positions of the log that a projection hasn't counted in",
        "projection",
        [(each.name, max(found.head - each.position, 0)) for each in standings],
    )
    yield _gauges(
        "projection_lag_seconds",
        "How long ago the first event was recorded that a projection hasn't counted in",
        "projection",
        [(each.name, found.age(each.position)) for each in standings],
    )
    yield _gauges(
        "projection_stopped",
        "Whether a projection stopped at an event that it can't take",
        "projection",
        [(each.name, int(each.failure is not None)) for each in standings],
    )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dealtrail_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, label: str, of: Sequence[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"dealtrail_{name}", meaning, labels=[label])
    for labelled, value in of:
        family.add_metric([labelled], value)
    return family
