"""One projection's fold of one batch: load the rows that it touches, fold, write back what changed."""

from collections.abc import Iterable, Sequence
from functools import cache

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres.projecting.rows import Batch
from adapters.postgres.projecting.tables import Key, Table, table_of
from adapters.postgres.wire import array_literal
from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row


def fold_batch(
    connection: Connection[TupleRow], projection: Projection, facts: Sequence[Recorded[Event]], schema: str
) -> None:
    """Fold `facts` into the projection's tables of `schema`, in the connection's transaction.

    Raises whatever the fold or the database has against it; the transaction is then of no use.
    """
    rows = Batch(projection.rows)
    _load(connection, rows, _begun_before(facts), schema)
    for fact in facts:
        rows.entity = fact.entity
        projection.apply(fact, rows)
    for kind in rows.kept:
        table = table_of(kind)
        if rows.gone[kind]:
            _delete(connection, table, rows.gone[kind], schema)
        if rows.changed[kind]:
            _write(connection, table, list(rows.changed[kind].values()), schema)


def _begun_before(facts: Iterable[Recorded[Event]]) -> list[str]:
    """Entities that may have rows already: those whose first event is not in the batch."""
    begun: set[str] = set()
    new: set[str] = set()
    for fact in facts:
        if fact.version == 1:
            new.add(fact.stream)
        elif fact.stream not in new:
            begun.add(fact.entity)
    return list(begun)


def _load(connection: Connection[TupleRow], rows: Batch, entities: list[str], schema: str) -> None:
    if not entities:
        return
    for kind, kept in rows.kept.items():
        if kind.written_once:
            continue
        table = table_of(kind)
        with connection.cursor(binary=True) as cursor:
            for values in cursor.execute(_select(table, schema), (entities,)):
                row = table.row(values)
                kept[table.key_of(row)] = row


@cache
def _select(table: Table, schema: str) -> Composed:
    return SQL("SELECT {} FROM {} WHERE {} = ANY(%s)").format(
        SQL(", ").join(map(Identifier, table.names)),
        Identifier(schema, table.name),
        Identifier(table.key[0]),
    )


def _write(connection: Connection[TupleRow], table: Table, rows: Sequence[Row], schema: str) -> None:
    columns = zip(table.turned(rows), table.renders, strict=True)
    connection.execute(_upsert(table, schema), [array_literal(*column) for column in columns])


@cache
def _upsert(table: Table, schema: str) -> Composed:
    names = SQL(", ").join(map(Identifier, table.names))
    arrays = SQL(", ").join([_unnested(column.sql) for column in table.columns])
    values = SQL(", ").join([_selected(column.name, column.sql) for column in table.columns])
    insert = SQL("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS changed ({})").format(
        Identifier(schema, table.name), names, values, arrays, names
    )
    if table.kind.written_once:
        return insert
    rest = [Identifier(name) for name in table.names if name not in table.key]
    key = SQL(", ").join(map(Identifier, table.key))
    if not rest:
        return insert + SQL(" ON CONFLICT ({}) DO NOTHING").format(key)
    news = SQL(", ").join([SQL("{0} = excluded.{0}").format(name) for name in rest])
    return insert + SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(key, news)


def _unnested(sql: str) -> SQL:
    # An array of arrays would be unnested to its last element: each inner one travels as text instead.
    return SQL("%s::text[]") if sql == "text[]" else SQL(f"%s::{sql}[]")


def _selected(name: str, sql: str) -> Composed:
    if sql == "text[]":
        return SQL("{}::text[]").format(Identifier(name))
    return Composed([Identifier(name)])


def _delete(connection: Connection[TupleRow], table: Table, keys: Iterable[Key], schema: str) -> None:
    columns = [table.columns[table.names.index(name)] for name in table.key]
    arrays = [
        array_literal(values, column.render)
        for values, column in zip(zip(*keys, strict=True), columns, strict=True)
    ]
    names = SQL(", ").join([Identifier(column.name) for column in columns])
    connection.execute(
        SQL("DELETE FROM {} WHERE ({}) IN (SELECT * FROM unnest({}) AS gone ({}))").format(
            Identifier(schema, table.name),
            names,
            SQL(", ").join([_unnested(column.sql) for column in columns]),
            names,
        ),
        arrays,
    )
