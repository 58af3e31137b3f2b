"""The log's rows with all that is stored of them, page by page."""

from collections.abc import Iterator
from itertools import starmap

from psycopg.rows import TupleRow

from adapters.postgres.database import Database
from domain.audit.leaf import Leaf

PAGE = 5_000

COLUMNS = (
    "leaf_hash, notification_id, recorded_at, originator_id, originator_version, topic, event_version,"
    " action_seq, occurred_at, actor, action_source, action_id, correlation_id, causation_id, migrated, state"
)
"""Of log.event: the leaf hash, then the fields of a Leaf."""

_QUERY = (
    f"SELECT {COLUMNS} FROM log.event WHERE notification_id > %s AND notification_id <= %s"
    " ORDER BY notification_id"
)

Entry = tuple[Leaf, bytes]
"""An event, and the leaf hash stored beside it."""


def entries(database: Database, until: int) -> Iterator[list[Entry]]:
    """The events at positions 1 to `until`, in order, in pages of PAGE. Raises psycopg.Error."""
    with database.connection() as connection, connection.cursor(binary=True) as cursor:
        for after in range(0, until, PAGE):
            rows = cursor.execute(_QUERY.encode(), [after, min(after + PAGE, until)]).fetchall()
            yield list(starmap(_entry, rows))


def _entry(leaf_hash: bytes, *columns: TupleRow) -> Entry:
    return Leaf._make(columns), leaf_hash
