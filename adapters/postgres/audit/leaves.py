"""Events as leaves: every stored column, and the leaf hash that was written with it."""

from collections.abc import Generator

from psycopg import Capabilities, Connection
from psycopg.rows import TupleRow

from domain.audit.leaf import Leaf, leaf_hash, line, stamp

HASHED_MAX = 200_000_000
"""Bytes that are hashed, twice at most, to find out where one event was recorded: a second's work."""
_AT_ONCE = 64 if Capabilities().has_stream_chunked() else 1
COLUMNS = (
    "notification_id, recorded_at, originator_id, originator_version, topic, event_version, action_seq,"
    " occurred_at, actor, action_source, action_id, correlation_id, causation_id, migrated, state, leaf_hash"
)
"""Of log.event: the fields of a `Leaf`, then the hash written with it."""

_RANGE = (
    f"SELECT {COLUMNS} FROM log.event"
    " WHERE notification_id >= %s AND notification_id <= %s ORDER BY notification_id"
)


def stored(connection: Connection[TupleRow], first: int, last: int) -> list[TupleRow]:
    """The rows of these positions, in order, each COLUMNS.

    Raises psycopg.DataError for a time that Python has not, such as infinity.
    """
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(_RANGE, (first, last)).fetchall()


def streamed(connection: Connection[TupleRow], first: int, last: int) -> Generator[TupleRow, None, None]:
    """The same, a few at a time, however long they are. To be closed; raises psycopg.DataError on the way."""
    with connection.cursor(binary=True) as cursor:
        yield from cursor.stream(_RANGE, (first, last), size=_AT_ONCE)


def computed(row: TupleRow) -> bytes | None:
    """The leaf hash of what the row says; none if a field is missing or can't be: it was changed."""
    try:
        return leaf_hash(_leaf(row).line())
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None


def made_for(row: TupleRow, near: int, reach: int) -> int | None:
    """The position that the row's hash was written for, if it is at most `reach` from `near`."""
    try:
        leaf = _leaf(row)
        recorded_at, end = stamp(leaf.recorded_at), _behind_place(leaf)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return None
    for distance in range(min(reach, HASHED_MAX // len(end)) + 1):
        for position in {near - distance, near + distance}:
            if position > 0 and leaf_hash(line(position, recorded_at, end)) == row[-1]:
                return position
    return None


def _leaf(row: TupleRow) -> Leaf:
    """Raises TypeError for what would be written as true or false, and is neither."""
    leaf = Leaf._make(row[:-1])
    if not isinstance(leaf.migrated, bool):
        raise TypeError("migrated is neither true nor false")
    return leaf


def _behind_place(leaf: Leaf) -> bytes:
    whole = leaf.line()
    return whole[len(line(leaf.position, stamp(leaf.recorded_at), b"")) :]
