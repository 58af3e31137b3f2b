"""Projections built anew from the whole log beside the live tables, then put in their place."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.logging import Logger
from adapters.postgres.database import Database
from adapters.postgres.projecting import standing
from adapters.postgres.projecting.build import Build, fresh_schema
from adapters.postgres.projecting.failures import report
from adapters.postgres.projecting.standing import Checkpoints, fingerprint
from adapters.postgres.projecting.swap import TablesBusy, pause, swap
from adapters.postgres.projecting.tables import table_of
from projections.kernel import Failure, Progress, Projection

_logger = Logger(__name__)

_LOCK = 0x72656275  # "rebu": one rebuild at a time; the next one waits.


class Rebuild:
    """Builds some of `projections`. Survives being killed at any moment: the next one clears up after it."""

    def __init__(self, database: Database, projections: Sequence[Projection]) -> None:
        self._database = database
        self._all = tuple(projections)
        self._checkpoints = Checkpoints()

    def run(
        self, names: Callable[[], Sequence[str]], workers: int | None, progress: Progress | None
    ) -> list[Failure]:
        """Rebuild what `names` gives once it is our turn, and give back what failed and stays as it was."""
        with self._database.connection() as connection, _turn(connection):
            wanted = set(names())
            chosen = [projection for projection in self._all if projection.name in wanted]
            if not chosen:
                return []
            schema = fresh_schema(connection, chosen)
            report_progress = progress if progress is not None else _silence
            build = Build(connection, self._database, chosen, schema)
            build.fold(workers or os.cpu_count() or 1, report_progress)
            build.complete(workers or os.cpu_count() or 1)
            build.catch_up()
            while build.projections and not self._swap(connection, build):
                pause()
                build.catch_up()
            for failure in build.failures:
                with connection.transaction():
                    standing.store_failure(connection, failure)
                report(failure)
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
            return build.failures

    def _swap(self, connection: Connection[TupleRow], build: Build) -> bool:
        """Whether it was done; otherwise readers were in the way."""
        names = [projection.name for projection in build.projections]
        position = build.position
        try:
            with connection.transaction():
                stored = standing.lock(connection, names)
                build.catch_up()  # Nobody moves the live tables now, and nobody sees these yet.
                if {projection.name for projection in build.projections} != set(names):
                    return False
                tables = [table for each in stored.values() for table in each.tables]
                swap(connection, build.projections, self._all, tables, build.schema)
                for projection in build.projections:
                    self._store(connection, projection, build.position)
        except TablesBusy:
            _logger.info("swap_waits_for_readers", projections=names)
            build.position = position  # What was folded since is undone with the transaction.
            return False
        return True

    def _store(self, connection: Connection[TupleRow], projection: Projection, position: int) -> None:
        tables = [table_of(kind).name for kind in projection.rows]
        connection.execute(
            "INSERT INTO read.projection (name, fingerprint, tables, views, built_at)"
            " VALUES (%s, %s, %s, %s, now()) ON CONFLICT (name) DO UPDATE SET"
            " fingerprint = excluded.fingerprint, tables = excluded.tables, views = excluded.views,"
            " built_at = excluded.built_at, failed_position = NULL, failed_event = NULL, failed_error = NULL",
            (projection.name, fingerprint(projection), tables, list(projection.views)),
        )
        # The library's checkpoints only go forward; this one begins anew.
        connection.execute("DELETE FROM read.checkpoint WHERE application_name = %s", (projection.name,))
        self._checkpoints.move(connection, projection.name, position)


@contextmanager
def _turn(connection: Connection[TupleRow]) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _silence(done: int, total: int) -> None:
    """Nobody asked how far it is."""
