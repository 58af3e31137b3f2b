"""Projections built anew from the whole log beside the live tables, then put in their place."""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import structlog
from psycopg import Connection
from psycopg import Error as DatabaseError
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.postgres.database import Database
from adapters.postgres.projecting import log, partitions, standing
from adapters.postgres.projecting.batch import fold_batch
from adapters.postgres.projecting.failures import failed, is_folds_fault, report
from adapters.postgres.projecting.live import BATCH
from adapters.postgres.projecting.partitions import Work
from adapters.postgres.projecting.standing import Checkpoints, fingerprint
from adapters.postgres.projecting.swap import TablesBusy, pause, swap
from adapters.postgres.projecting.tables import Table, table_of
from projections.kernel import Failure, Progress, Projection

_logger = structlog.get_logger(__name__)

_LOCK = 0x72656275  # "rebu": one rebuild at a time; the next one waits.
_PREFIX = "read_build_"


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
            schema = _fresh_schema(connection, chosen)
            report_progress = progress if progress is not None else _silence
            build = _Build(connection, self._database, chosen, schema)
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

    def _swap(self, connection: Connection[TupleRow], build: "_Build") -> bool:
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


class _Build:
    """The tables in the making, and how far they are."""

    def __init__(
        self,
        connection: Connection[TupleRow],
        database: Database,
        projections: Sequence[Projection],
        schema: str,
    ) -> None:
        self._connection = connection
        self._database = database
        self.projections = list(projections)
        self.schema = schema
        self.position = log.head(connection)
        self.failures: list[Failure] = []
        self._unkept: set[str] = set()

    def fold(self, workers: int, progress: Progress) -> None:
        count = partitions.partitions(self.position, workers)
        work = Work(self._database.url, tuple(self.projections), self.schema, self.position, count)
        folded = partitions.fold_partitions(work, workers, progress)
        for failure in folded.failures:
            self._drop(failure)
        self._unkept.update(folded.unkept)
        progress(self.position, self.position)

    def complete(self, workers: int) -> None:
        """Keys, indexes, statistics. What the database refused to keep is folded again to find the place."""
        if self.position <= partitions.IN_PROCESS_EVENTS_MAX:
            workers = 1
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self._complete, self._tables()))
        for projection in [each for each in self.projections if each.name in self._unkept]:
            self._fold_anew(projection)

    def _tables(self) -> list[tuple[Projection, Table]]:
        return [(each, table_of(kind)) for each in self.projections for kind in each.rows]

    def _complete(self, part: tuple[Projection, Table]) -> None:
        projection, table = part
        if projection.name in self._unkept:
            return
        try:
            with self._database.connection() as connection, connection.transaction():
                connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
                for statement in table.complete(self.schema):
                    connection.execute(statement)
        except DatabaseError as error:
            if not is_folds_fault(error):
                raise
            self._unkept.add(projection.name)

    def _fold_anew(self, projection: Projection) -> None:
        """Row by row, which is slow and finds the event whose row is refused."""
        for kind in projection.rows:
            table = table_of(kind)
            self._connection.execute(SQL("DROP TABLE {}").format(Identifier(self.schema, table.name)))
            for statement in (table.create(self.schema), *table.complete(self.schema)):
                self._connection.execute(statement)
        for after in range(0, self.position, BATCH):
            if projection in self.projections:
                self._fold_batch(projection, after, min(after + BATCH, self.position))

    def catch_up(self) -> None:
        """Fold what was recorded since, row by row as the live tables do."""
        end = log.head(self._connection)
        while self.position < end:
            upto = min(self.position + BATCH, end)
            for projection in list(self.projections):
                self._fold_batch(projection, self.position, upto)
            self.position = upto

    def _fold_batch(self, projection: Projection, after: int, upto: int) -> None:
        try:
            with self._connection.transaction():
                facts = log.read(self._connection, after, upto, [projection.category])
                fold_batch(self._connection, projection, facts[projection.category], self.schema)
        except Exception as error:
            if not is_folds_fault(error):
                raise
            if upto - after == 1:
                self._drop(failed(self._connection, projection.name, upto, error))
                return
            middle = (after + upto) // 2
            self._fold_batch(projection, after, middle)
            if projection in self.projections:
                self._fold_batch(projection, middle, upto)

    def _drop(self, failure: Failure) -> None:
        self.failures.append(failure)
        self.projections = [each for each in self.projections if each.name != failure.projection]


@contextmanager
def _turn(connection: Connection[TupleRow]) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _fresh_schema(connection: Connection[TupleRow], projections: Sequence[Projection]) -> str:
    """Its name was never used: workers of a rebuild that was killed may still be writing to theirs."""
    left = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (_PREFIX,)
    ).fetchall()
    for (name,) in left:
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
    schema = f"{_PREFIX}{secrets.token_hex(8)}"
    with connection.transaction():
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        for projection in projections:
            for kind in projection.rows:
                connection.execute(table_of(kind).create(schema))
    return schema


def _silence(done: int, total: int) -> None:
    """Nobody asked how far it is."""
