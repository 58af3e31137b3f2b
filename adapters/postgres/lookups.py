"""What the use cases ask of the read tables, brought up to the log's end before each answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres.projecting.as_of import Snapshot
from adapters.postgres.projecting.projector import Projector
from projections import duties
from projections.asking import Query, View


class Lookups:
    """services.ports.Claims. `projector` needs the projections named in `READS` only."""

    READS = ("leads", "deals", "next_steps", "team")

    def __init__(self, projector: Projector) -> None:
        self._projector = projector

    def concerned(self) -> tuple[int, Sequence[tuple[str, str]]]:
        """See the port."""
        with self._view() as view:
            return view.position, duties.concerned(view)

    def past_their_term(self, at: datetime, limit: int) -> Sequence[str]:
        """See the port."""
        with self._view() as view:
            return duties.past_their_term(view, at=at, limit=limit)

    def deals_with(self, leads: Sequence[str]) -> Sequence[str]:
        """See the port."""
        with self._view() as view:
            return duties.deals_with(view, leads=leads)

    def of_departed(self, limit: int) -> Sequence[tuple[str, str | None]]:
        """See the port."""
        with self._view() as view:
            return duties.of_departed(view, limit=limit)

    @contextmanager
    def _view(self) -> Iterator[View]:
        self._projector.catch_up()
        with self._projector.snapshot(self.READS) as snapshot:
            yield view_of(snapshot)


_FOR_REPORTS = {
    "work_mem": "64MB",  # In each step of a query: percentiles over all deals need no disk then.
    "jit": "off",  # Compiling a report's query took longer than what it saved.
    "max_parallel_workers_per_gather": "0",  # The cores are for those who write; with few it's quicker, too.
}


def view_of(snapshot: Snapshot, timezone: str = "UTC") -> View:
    """The snapshot as reports ask it; `timezone` is the company's."""
    for name, value in _FOR_REPORTS.items():
        snapshot.connection.execute("SELECT set_config(%s, %s, true)", (name, value))
    return View(
        query=query_on(snapshot.connection),
        moment=snapshot.moment,
        axis=snapshot.axis,
        position=snapshot.position,
        timezone=timezone,
    )


def query_on(connection: Connection[TupleRow]) -> Query:
    """The connection as reports ask it."""

    def query(sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return connection.execute(sql.encode(), parameters).fetchall()

    return query
