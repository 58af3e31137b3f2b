"""The read tables folded anew from the log, and compared with those that reports read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres.database import Database
from adapters.postgres.projecting import as_of, log, spread, standing
from adapters.postgres.projecting.memory_fold import without_collecting
from adapters.postgres.projecting.standing import Standing, fingerprint
from adapters.postgres.projecting.tables import Table, table_of
from adapters.postgres.vault import MAY_OPEN
from domain.shared.personal import SEALED
from projections.kernel import Progress, Projection

ROWS_NAMED_MAX = 20
"""Rows of a table that are named when they differ; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A table as the log gives it. `differing` rows of the live one are not so; None: not compared.

    `digest` is SHA-256, in hex, over what `COPY (…) TO STDOUT` gives of the table in the order of its key.
    """

    table: str
    rows: int
    digest: str
    differing: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of a live table that the log doesn't give; for a row that is missing or extra no column."""

    table: str
    key: Mapping[str, str]
    problem: Literal["changed", "missing", "extra", "view"]
    column: str | None
    found: str | None
    expected: str | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """All tables as of a position; `count` rows of the live ones differ, the first of each are `items`.

    Without `opened` the vault is not for this login: personal texts stayed sealed, and weren't compared.
    """

    position: int
    moment: datetime
    opened: bool
    tables: tuple[Replica, ...]
    count: int
    items: tuple[Difference, ...]


def replay(
    database: Database, projections: Sequence[Projection], upto: int | None, progress: Progress | None = None
) -> Replayed:
    """Fold the log up to the position (default: where the live tables stand) into temporary tables.

    Live tables that stand there are compared row by row; not those that workers on Kafka have in part brought
    further. Raises FoldStopped.
    """
    with database.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET LOCAL TimeZone = 'UTC'")
        connection.execute("SET LOCAL DateStyle = 'ISO, MDY'")
        as_of.hold(connection, _built(database, projections))
        stood = standing.standings(connection)
        position = _position(connection, stood, projections) if upto is None else upto
        ahead = spread.ahead(connection, [each.name for each in projections], position)
        moment = as_of.recorded_at(connection, position)
        opened = connection.execute(MAY_OPEN).fetchall() == [(True,)]
        connection.execute("SET LOCAL search_path = pg_temp, pg_catalog")
        with without_collecting():
            as_of.fill(connection, projections, position, None, progress)
        replicas: list[Replica] = []
        items: list[Difference] = []
        for projection in projections:
            fits = projection.name not in ahead and _stands_at(projection, stood, position)
            for kind in projection.rows:
                table = table_of(kind)
                rows, digest = _digest(connection, table)
                differing = None
                if fits:
                    differing, found = _compare(connection, table, opened)
                    items += found
                replicas.append(Replica(table.name, rows, digest, differing))
            if fits:
                items += _changed_views(connection, projection)
        views = sum(item.problem == "view" for item in items)
        count = views + sum(replica.differing or 0 for replica in replicas)
        return Replayed(position, moment, opened, tuple(replicas), count, tuple(items))


def _built(database: Database, projections: Sequence[Projection]) -> list[Projection]:
    """Those with tables of their present form. Asked apart: the first query fixes what a transaction sees."""
    with database.connection() as connection:
        stood = standing.standings(connection)
    return [each for each in projections if _fits(each, stood)]


def _fits(projection: Projection, stood: Mapping[str, Standing]) -> bool:
    found = stood.get(projection.name)
    return found is not None and found.fingerprint == fingerprint(projection)


def _stands_at(projection: Projection, stood: Mapping[str, Standing], position: int) -> bool:
    return _fits(projection, stood) and stood[projection.name].position == position


def _position(
    connection: Connection[TupleRow], stood: Mapping[str, Standing], projections: Sequence[Projection]
) -> int:
    live = [stood[each.name].position for each in projections if _fits(each, stood)]
    return min(live, default=log.head(connection))


def _digest(connection: Connection[TupleRow], table: Table) -> tuple[int, str]:
    """How many rows, and the digest of their text: a line has no line end in it but its own."""
    rows, digest = 0, sha256()
    copy = SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
        SQL(", ").join(map(Identifier, table.names)), Identifier(table.name), _order(table)
    )
    with connection.cursor().copy(copy) as blocks:
        for block in blocks:
            digest.update(block)
            rows += bytes(block).count(b"\n")
    return rows, digest.hexdigest()


def _order(table: Table) -> Composed:
    """The key, texts by their bytes as in any database."""
    sql = {column.name: column.sql for column in table.columns}
    parts = [Identifier(name) + SQL(' COLLATE "C"' if sql[name] == "text" else "") for name in table.key]
    return SQL(", ").join(parts)


def _compare(connection: Connection[TupleRow], table: Table, opened: bool) -> tuple[int, list[Difference]]:
    """How many rows differ, and in what the first ones do."""
    rows = connection.execute(_compared(table, opened), [ROWS_NAMED_MAX]).fetchall()
    items = [item for row in rows for item in _differences(table, *row[1:])]
    return (rows[0][0] if rows else 0), items


def _compared(table: Table, opened: bool) -> Composed:
    """Values are compared as texts: 1.0 is not 1.00 here. What can't be opened is taken for what is there.

    Of rows with the same key, as there may be where somebody dropped a constraint, all but one are extra.
    """
    live = "r.{0}::text" if opened else "CASE f.{0}::text WHEN {1} THEN {1} ELSE r.{0}::text END"
    same = [SQL("f.{0} = r.{0}").format(Identifier(name)) for name in (*table.key, "nth_of_key")]
    keys = [SQL("coalesce(f.{0}, r.{0}) AS {0}").format(Identifier(name)) for name in table.key]
    return SQL(
        "SELECT count(*) OVER (), is_missing, is_extra, expected, found FROM ("
        " SELECT {keys}, r.nth_of_key IS NULL AS is_missing, f.nth_of_key IS NULL AS is_extra,"
        " ARRAY[{folded}] AS expected, ARRAY[{read}] AS found"
        " FROM (SELECT *, 1::bigint AS nth_of_key FROM {table}) f"
        " FULL JOIN (SELECT *, row_number() OVER (PARTITION BY {key}) AS nth_of_key FROM read.{table}) r"
        " ON {same}"
        ") AS both_sides WHERE is_missing OR is_extra OR expected IS DISTINCT FROM found"
        " ORDER BY {order} LIMIT %s"
    ).format(
        keys=SQL(", ").join(keys),
        key=SQL(", ").join(map(Identifier, table.key)),
        folded=SQL(", ").join(SQL("f.{}::text").format(Identifier(name)) for name in table.names),
        read=SQL(", ").join(SQL(live).format(Identifier(name), SEALED) for name in table.names),
        table=Identifier(table.name),
        same=SQL(" AND ").join(same),
        order=_order(table),
    )


def _differences(
    table: Table, is_missing: bool, is_extra: bool, expected: list[Any], found: list[Any]
) -> list[Difference]:
    values = dict(zip(table.names, found if is_extra else expected, strict=True))
    key = {name: values[name] for name in table.key}
    if is_missing or is_extra:
        return [Difference(table.name, key, "missing" if is_missing else "extra", None, None, None)]
    return [
        Difference(table.name, key, "changed", name, is_there, should_be)
        for name, is_there, should_be in zip(table.names, found, expected, strict=True)
        if is_there != should_be
    ]


def _changed_views(connection: Connection[TupleRow], projection: Projection) -> list[Difference]:
    """Views that were given another query: what is asked of them is not what the tables say."""
    found = []
    for name in projection.views:
        expected, live = _definition(connection, "pg_temp", name), _definition(connection, "read", name)
        if expected != live:
            found.append(Difference(name, {}, "view", None, live, expected))
    connection.execute("SET LOCAL search_path = pg_temp, pg_catalog")
    return found


def _definition(connection: Connection[TupleRow], schema: str, name: str) -> str | None:
    """The view's query as told to who looks from its schema, so without naming it; None if there is none."""
    # Temporary tables come first unless they are named: those of `read` would then be told with their schema.
    path = SQL("SET LOCAL search_path = {}, pg_catalog, pg_temp").format(Identifier(schema))
    connection.execute(path)
    row = connection.execute("SELECT pg_get_viewdef(to_regclass(%s))", (f"{schema}.{name}",)).fetchone()
    return None if row is None else row[0]
