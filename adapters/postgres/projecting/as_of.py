"""What reports read from: the read tables as they are, or the same tables as of a past moment."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.postgres.database import Database
from adapters.postgres.projecting import log, standing
from adapters.postgres.projecting.failures import is_folds_fault
from adapters.postgres.projecting.log import Scope
from adapters.postgres.projecting.memory_fold import MemoryFold, copy_rows, without_collecting
from adapters.postgres.projecting.partitions import partitions
from adapters.postgres.projecting.rows import Memory
from adapters.postgres.projecting.standing import Standing, fingerprint
from adapters.postgres.projecting.tables import create_view, table_of
from projections.asking import Axis
from projections.kernel import Failure, Progress, Projection


@dataclass(frozen=True, slots=True)
class AsOf:
    """A past to look at: a moment on one of the axes of time, or a position, which is on the recorded one.

    With both, only what the log held up to the position is known at that moment.
    """

    moment: datetime | None = None
    position: int | None = None
    axis: Axis = "recorded"

    def __post_init__(self) -> None:
        if self.moment is None and self.position is None:
            raise ValueError("as of a moment or a position")
        if self.moment is None and self.axis != "recorded":
            raise ValueError("positions are on the recorded axis")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Tables that stand still for as long as it is open; `connection` finds them by their bare names.

    `position` is the last one counted in, `moment` when this was true: the present for live tables. On the
    occurred axis `left_out` events changed nothing somewhere, because what they build on occurred only later.
    """

    connection: Connection[TupleRow]
    position: int
    moment: datetime
    axis: Axis
    left_out: int = 0


class NotBuilt(Exception):  # noqa: N818 - named for what happened
    """A projection has no tables of its present form: it was never built, or its rebuild failed."""

    def __init__(self, name: str, failure: Failure | None) -> None:
        place = (
            "" if failure is None else f": stopped at {failure.position}, {failure.event}, {failure.error}"
        )
        super().__init__(f"projection {name} is not built{place}")
        self.name = name
        self.failure = failure


class FoldStopped(Exception):  # noqa: N818 - named for what happened
    """A projection can't be folded as of the past, for this reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.projection} at {failure.position} ({failure.event}): {failure.error}")
        self.failure = failure


@contextmanager
def live(database: Database, projections: Sequence[Projection]) -> Iterator[Snapshot]:
    """The read tables in one state, the same for every query. Raises NotBuilt."""
    with database.connection() as connection:
        before = standing.standings(connection)
        for projection in projections:
            _check(projection, before)
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL search_path = read, pg_catalog, pg_temp")
            hold(connection, projections)
            stored = standing.standings(connection)
            for projection in projections:
                _check(projection, stored)
            position = min([stored[each.name].position for each in projections], default=0)
            yield Snapshot(connection, position, _now(connection), "recorded")


@contextmanager
def past(
    database: Database, projections: Sequence[Projection], at: AsOf, progress: Progress | None = None
) -> Iterator[Snapshot]:
    """The same tables folded up to `at` in the session's temporary ones, gone when it closes.

    Only tables of `projections` are found, so that past and present never mix. Raises FoldStopped.
    """
    with database.connection() as connection, connection.transaction(force_rollback=True):
        end = log.head(connection)
        upto, moment = end, at.moment
        if at.position is not None:
            upto = min(at.position, end)
        elif at.axis == "recorded":
            upto = _one(connection, "SELECT log.position_at(%s)", at.moment)
        if moment is None:
            moment = recorded_at(connection, upto)
        until = moment if at.axis == "occurred" else None
        connection.execute("SET LOCAL search_path = pg_temp, pg_catalog")
        with without_collecting():
            left_out = fill(connection, projections, upto, until, progress)
        yield Snapshot(connection, upto, moment, at.axis, left_out)


def fill(
    connection: Connection[TupleRow],
    projections: Sequence[Projection],
    upto: int,
    occurred_until: datetime | None,
    progress: Progress | None,
) -> int:
    """Fold into temporary tables, to be found by the search path; how many events were left out.

    Raises FoldStopped.
    """
    tables = [table_of(kind) for projection in projections for kind in projection.rows]
    for table in tables:
        connection.execute(table.create(None))
    count = partitions(upto, 1)
    left_out = 0
    for partition in range(count):

        def at(position: int, before: int = partition * upto) -> None:
            if progress is not None:
                progress((before + position) // count, upto)

        fold = MemoryFold(projections, Scope(count, partition, occurred_until))
        fold.run(connection, upto, at)
        if fold.failures:
            raise FoldStopped(fold.failures[0])
        for projection, rows in fold.folded.items():
            _copy(connection, projection, rows, upto)
        left_out += len(fold.left_out)
    for table in tables:
        for statement in table.complete(None):
            connection.execute(statement)
    for projection in projections:
        for name, sql in projection.views.items():
            connection.execute(create_view(name, sql, temporary=True))
    return left_out


def _copy(connection: Connection[TupleRow], projection: Projection, rows: Memory, upto: int) -> None:
    try:
        copy_rows(connection, rows, None)
    except Exception as error:
        if not is_folds_fault(error):
            raise
        failure = Failure(projection.name, upto, "", f"{type(error).__name__}: {error}")
        raise FoldStopped(failure) from error


def hold(connection: Connection[TupleRow], projections: Sequence[Projection]) -> None:
    """Keep a rebuild from swapping the tables.

    To be called before the first query: what is swapped in after the state was fixed would look empty.
    """
    names = sorted(table_of(kind).name for each in projections for kind in each.rows)
    tables = [Identifier("read", name) for name in names]  # In the order in which a swap locks them.
    if tables:
        connection.execute(SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(SQL(", ").join(tables)))


def _check(projection: Projection, stored: Mapping[str, Standing]) -> None:
    found = stored.get(projection.name)
    if found is None or found.fingerprint != fingerprint(projection):
        raise NotBuilt(projection.name, None if found is None else found.failure)


def recorded_at(connection: Connection[TupleRow], position: int) -> datetime:
    """When the event at the position was recorded; for none, now."""
    if position == 0:
        return _now(connection)
    moment: datetime = _one(
        connection, "SELECT recorded_at FROM log.event WHERE notification_id = %s", position
    )
    return moment


def _now(connection: Connection[TupleRow]) -> datetime:
    moment: datetime = _one(connection, "SELECT now()")
    return moment


def _one(connection: Connection[TupleRow], query: LiteralString, *parameters: object) -> Any:
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise LookupError(query)
    return row[0]
