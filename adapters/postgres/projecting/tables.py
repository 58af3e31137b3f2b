"""A row model as a table: columns and DDL from the dataclass's annotations."""

import types
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres import wire
from projections.kernel import Row

Key = tuple[Hashable, ...]

RESERVED = frozenset({"projection", "checkpoint", "partition"})
"""Tables of the engine itself in the schema `read`."""
MY_VIEWS = "my_"
"""Views named so give each login its own rows: what a query adds is computed only on those."""

_SQL: dict[Any, tuple[str, wire.Render | None]] = {
    str: ("text", None),
    int: ("bigint", str),
    bool: ("boolean", wire.boolean),
    Decimal: ("numeric", str),
    datetime: ("timestamptz", wire.moment),
    date: ("date", wire.moment),
    tuple[str, ...]: ("text[]", wire.texts),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One annotation of a row model. `render` turns a value to PostgreSQL's text, None for text itself."""

    name: str
    sql: str
    nullable: bool
    render: wire.Render | None

    @property
    def ddl(self) -> Composed:
        null = SQL("") if self.nullable else SQL(" NOT NULL")
        return SQL("{} {}{}").format(Identifier(self.name), SQL(self.sql), null)


class Table:
    """Where the rows of one model are kept."""

    def __init__(self, kind: type[Row]) -> None:
        self.kind = kind
        self.name = kind.table
        self.columns = _columns(kind)
        self.names = tuple(column.name for column in self.columns)
        self.renders = tuple(column.render for column in self.columns)
        self.key = kind.key
        self._check()
        self._values = attrgetter(*self.names)
        self._arrays = [at for at, column in enumerate(self.columns) if column.sql == "text[]"]
        self._key = attrgetter(*self.key)

    def key_of(self, row: Row) -> Key:
        key = self._key(row)
        return key if len(self.key) > 1 else (key,)

    def turned(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        """The rows' values column by column."""
        if len(self.names) == 1:
            return [tuple(self._values(row) for row in rows)]
        return list(zip(*map(self._values, rows), strict=True))

    def row(self, values: Sequence[Any]) -> Row:
        """The row that a SELECT of all columns, in order, gave back."""
        if self._arrays:
            changed = list(values)
            for at in self._arrays:
                changed[at] = None if changed[at] is None else tuple(changed[at])
            values = changed
        return self.kind(*values)

    def create(self, schema: str | None) -> Composed:
        """The bare table, without its key; a temporary one that ends with the transaction for no schema."""
        columns = SQL(", ").join(column.ddl for column in self.columns)
        if schema is None:
            return SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(Identifier(self.name), columns)
        table = Identifier(schema, self.name)
        # The planner's statistics are samples of the values, and stay when a value is erased.
        unsampled = [
            SQL("; ALTER TABLE {} ALTER COLUMN {} SET STATISTICS 0").format(table, Identifier(name))
            for name in self.kind.personal
        ]
        return Composed([SQL("CREATE TABLE {} ({})").format(table, columns), *unsampled])

    def complete(self, schema: str | None) -> list[Composed]:
        """What a filled table still needs: primary key, indexes, statistics."""
        table = Identifier(self.name) if schema is None else Identifier(schema, self.name)
        key = SQL(", ").join(map(Identifier, self.key))
        indexes = [
            SQL("CREATE INDEX ON {} ({})").format(table, SQL(", ").join(map(Identifier, index)))
            for index in self.kind.indexes
        ]
        return [
            SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, key),
            *indexes,
            SQL("ANALYZE {}").format(table),
        ]

    def described(self) -> list[Any]:
        """All that a change of which makes the stored table unfit, as plain values."""
        columns = [[column.name, column.sql, column.nullable] for column in self.columns]
        return [self.name, columns, self.key, self.kind.indexes, self.kind.written_once, *self.kind.personal]

    def _check(self) -> None:
        missing = set(self.key).union(self.kind.personal, *self.kind.indexes) - set(self.names)
        if not self.key or missing:
            raise TypeError(
                f"{self.kind.__name__}: key and indexes must name columns; unknown: {sorted(missing)}"
            )
        entity = self.columns[self.names.index(self.key[0])]
        if entity.sql != "text" or entity.nullable:
            raise TypeError(f"{self.kind.__name__}: the first key column is the entity's id, a str")
        if self.name in RESERVED:
            raise TypeError(f"{self.kind.__name__}: the engine itself has a table named {self.name}")


_TABLES: dict[type[Row], Table] = {}


def table_of(kind: type[Row]) -> Table:
    """Raises TypeError, naming the model, for an annotation that has no column type."""
    if kind not in _TABLES:
        _TABLES[kind] = Table(kind)
    return _TABLES[kind]


def _columns(kind: type[Row]) -> tuple[Column, ...]:
    hints = get_type_hints(kind)
    return tuple(_column(kind, field.name, hints[field.name]) for field in fields(kind))  # type: ignore[arg-type]


def _column(kind: type[Row], name: str, hint: Any) -> Column:
    nullable = False
    if get_origin(hint) in (types.UnionType, Union):
        plain = [part for part in get_args(hint) if part is not type(None)]
        nullable, hint = True, plain[0] if len(plain) == 1 else hint
    if hint not in _SQL:
        raise TypeError(f"{kind.__name__}.{name}: no column type for {hint}")
    sql, render = _SQL[hint]
    return Column(name, sql, nullable, render)


def create_view(name: str, sql: str, *, temporary: bool = False) -> Composed:
    """The statement that makes a projection's view; its query finds tables by the search path."""
    head = SQL("CREATE TEMP VIEW {}{} AS ") if temporary else SQL("CREATE VIEW {}{} AS ")
    barrier = SQL(" WITH (security_barrier)" if name.startswith(MY_VIEWS) else "")
    return Composed([head.format(Identifier(name), barrier), SQL(sql)])
