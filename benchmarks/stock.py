"""The peer: the eventsourcing library as its documentation uses it, on the same server."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier


class StockLead(Aggregate):
    """A lead with two claims: three events, as many as ours writes for it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @event("Claimed")
    def claim(self, key: str) -> None:
        self.key = key


class Counts(PostgresTrackingRecorder):
    """One upsert an event, with its tracking, in one transaction."""

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            SQL("CREATE TABLE IF NOT EXISTS {}.counts (id text PRIMARY KEY, n bigint)").format(
                Identifier(self.datastore.schema)
            )
        )

    def count(self, id: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                SQL(
                    "INSERT INTO {0}.counts AS c VALUES (%s, 1) ON CONFLICT (id) DO UPDATE SET n = c.n + 1"
                ).format(Identifier(self.datastore.schema)),
                (id,),
            )


class CountEvents(Projection[Counts]):
    """The smallest projection there is."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.count(str(domain_event.originator_id), tracking)


def environment(url: str, pool: int = 10) -> dict[str, str]:
    """The library's settings for the database of that URL (a Unix socket's)."""
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": parse_qs(parts.query)["host"][0],
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": parts.username or "postgres",
        "POSTGRES_PASSWORD": "none",
        "POSTGRES_POOL_SIZE": str(pool),
        "POSTGRES_MAX_OVERFLOW": str(pool),
        "POSTGRES_MAX_WAITING": "200",
    }


@contextmanager
def application(url: str, pool: int = 10) -> Iterator[Application[Any]]:
    """A stock application."""
    stock = Application[Any](environment(url, pool))
    try:
        yield stock
    finally:
        stock.close()


def save_lead(stock: Application[Any]) -> None:
    """Three events, saved at once."""
    lead = StockLead("Somebody")
    lead.claim("phone")
    lead.claim("email")
    stock.save(lead)


def projected_per_second(url: str, events: int) -> float:
    """Events a second of the stock runner with one upsert, over a log of about so many events."""
    with application(url) as stock:
        for _ in range(events // 100):
            lead = StockLead("Somebody")
            for number in range(99):
                lead.claim(str(number))
            stock.save(lead)
        last = stock.recorder.max_notification_id()
        assert last is not None
    began = perf_counter()
    with ProjectionRunner(
        application_class=Application,
        projection_class=CountEvents,
        view_class=Counts,
        env=environment(url),
    ) as runner:
        runner.wait(last, timeout=600)
        took = perf_counter() - began
        sleep(0.1)
    return last / took
