"""The log's rows with all that is stored of them, page by page."""

from collections.abc import Iterator

from adapters.postgres.audit.leaves import stored
from adapters.postgres.database import Database
from domain.audit.leaf import Leaf

PAGE = 5_000

Entry = tuple[Leaf, bytes]
"""An event, and the leaf hash stored beside it."""


def entries(database: Database, until: int) -> Iterator[list[Entry]]:
    """The events at positions 1 to `until`, in order, in pages of PAGE. Raises psycopg.Error."""
    with database.connection() as connection:
        for first in range(1, until + 1, PAGE):
            rows = stored(connection, first, min(first + PAGE - 1, until))
            yield [(Leaf._make(fields), leaf_hash) for *fields, leaf_hash in rows]
