"""The log as projections read it: only their categories, only what a scope lets through, decoded once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed

from adapters.postgres.codec import COLUMNS, Codec
from adapters.postgres.vault import MAY_OPEN, SECRETS, TextOpener, key_ids
from domain.kernel import Event, Recorded
from domain.shared.personal import Turn
from projections.kernel import Projection

Facts = dict[str, list[Recorded[Event]]]
"""Events by category, each list in the order of positions."""

_CODEC = Codec()
_SELECT = SQL(
    f"SELECT {COLUMNS} FROM log.event"
    " WHERE notification_id > %s AND notification_id <= %s"
    " AND split_part(originator_id, '-', 1) = ANY(%s)"
)
_PARTITION = SQL(" AND abs(hashtext(originator_id)::bigint) %% %s = %s")
_OCCURRED = SQL(" AND occurred_at <= %s")
_ORDER = SQL(" ORDER BY notification_id")


class Unreadable(Exception):  # noqa: N818 - named for what was met
    """An event that this version can't read: its name is unknown, or its state is not what the name says."""

    def __init__(self, category: str, position: int, name: str, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.category = category
        self.position = position
        self.name = name


@dataclass(frozen=True, slots=True)
class Scope:
    """Which events of the log are folded: streams of one hash partition, what occurred up to a moment."""

    partitions: int = 1
    partition: int = 0
    occurred_until: datetime | None = None


WHOLE = Scope()


def head(connection: Connection[TupleRow]) -> int:
    """The last position, 0 for an empty log."""
    row = connection.execute("SELECT max(notification_id) FROM log.event").fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def categories(projections: Iterable[Projection]) -> list[str]:
    return sorted({projection.category for projection in projections})


def read(
    connection: Connection[TupleRow], after: int, upto: int, of: Sequence[str], scope: Scope = WHOLE
) -> Facts:
    """Events of the categories `of` behind position `after` up to `upto`, inclusive.

    Raises Unreadable for the first one that this version can't read.
    """
    query: list[SQL | Composed] = [_SELECT]
    parameters: list[object] = [after, upto, list(of)]
    if scope.partitions > 1:
        query.append(_PARTITION)
        parameters += [scope.partitions, scope.partition]
    if scope.occurred_until is not None:
        query.append(_OCCURRED)
        parameters.append(scope.occurred_until)
    with connection.cursor(binary=True) as cursor:
        cursor.execute(Composed([*query, _ORDER]), parameters)
        return decoded(connection, cursor.fetchall(), of)


def decoded(connection: Connection[TupleRow], rows: Sequence[TupleRow], of: Sequence[str]) -> Facts:
    """Stored events of the categories `of`, their sealed texts opened with what keys there are now.

    Raises Unreadable for the first one that this version can't read.
    """
    facts: Facts = {category: [] for category in of}
    decode = cast(Callable[[TupleRow, Turn | None], Recorded[Event]], _CODEC.decode)
    ids = key_ids(row[5] for row in rows)
    opening = None
    if ids:
        with connection.cursor(binary=True) as cursor:
            if cursor.execute(MAY_OPEN).fetchall() == [(True,)]:
                opening = TextOpener(dict(cursor.execute(SECRETS, (ids,)).fetchall()))
    for row in rows:
        category = row[0].split("-", 1)[0]
        try:
            fact = decode(row, opening)
        except Exception as error:
            raise Unreadable(category, row[2], row[3], error) from error
        facts[category].append(fact)
    return facts
