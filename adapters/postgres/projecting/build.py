"""Tables in the making, in a schema of their own beside the live ones."""

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from psycopg import Connection
from psycopg import Error as DatabaseError
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.postgres.database import Database
from adapters.postgres.projecting import log, partitions
from adapters.postgres.projecting.batch import fold_batch
from adapters.postgres.projecting.failures import failed, is_folds_fault
from adapters.postgres.projecting.live import BATCH
from adapters.postgres.projecting.partitions import Work
from adapters.postgres.projecting.tables import Table, table_of
from projections.kernel import Failure, Progress, Projection

_PREFIX = "read_build_"


class Build:
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


def fresh_schema(connection: Connection[TupleRow], projections: Sequence[Projection]) -> str:
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
