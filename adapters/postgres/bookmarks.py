"""Bookmarks of those who record what they read elsewhere, and the dead letters that go with a move."""

import base64
import json
from collections.abc import Collection, Iterable, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Literal

from services.ports import Bookmark, DeadLetter

Header = tuple[str, bytes | None]

_MOVE = SQL("UPDATE ingest.progress SET next_offset = {} WHERE reader = {}")
_KEEP = SQL(
    'INSERT INTO ingest.dead_letter (topic, partition, "offset", code, error, key, value, headers) VALUES {}'
)


def where(connection: Connection[TupleRow], readers: Collection[str]) -> dict[str, int]:
    """Where these readers read on; one that never began is left out."""
    rows = connection.execute(
        "SELECT reader, next_offset FROM ingest.progress WHERE reader = ANY(%s)", (list(readers),)
    )
    return dict(rows.fetchall())


def begin(connection: Connection[TupleRow], readers: Collection[str]) -> dict[str, int]:
    """Where each of these readers reads on: at 0 if it never began."""
    connection.execute(
        "INSERT INTO ingest.progress (reader, next_offset) SELECT unnest(%s::text[]), 0"
        " ON CONFLICT DO NOTHING",
        (list(readers),),
    )
    return where(connection, readers)


def moves(moved: Iterable[Bookmark]) -> list[Composed]:
    """Statements that move the bookmarks, and keep what was refused on the way."""
    found = []
    for bookmark in moved:
        found.append(_MOVE.format(Literal(bookmark.to), Literal(bookmark.reader)))
        if bookmark.refused:
            found.append(_KEEP.format(SQL(", ").join(map(_kept, bookmark.refused))))
    return found


def headers_of(told: str) -> list[Header]:
    """The headers as they came, from what a dead letter's row says."""
    return [(name, None if value is None else base64.b64decode(value)) for name, value in json.loads(told)]


def _told(headers: Sequence[Header]) -> str:
    """In ASCII: PostgreSQL takes no NUL, and not every text of Python's."""
    return json.dumps(
        [(name, None if value is None else base64.b64encode(value).decode()) for name, value in headers]
    )


def _kept(letter: DeadLetter) -> Composed:
    values = (
        letter.topic,
        letter.partition,
        letter.offset,
        letter.error["code"],
        json.dumps(letter.error),
        letter.key,
        letter.value,
        _told(letter.headers),
    )
    return SQL("({})").format(SQL(", ").join(map(Literal, values)))
