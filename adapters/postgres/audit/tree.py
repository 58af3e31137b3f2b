"""The Merkle tree over the log, kept in audit.node: the complete subtrees of every 8th level."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, cast

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres.audit.leaves import computed, streamed
from adapters.postgres.database import Database
from domain.audit.merkle import Frontier, Node, root
from domain.kernel import Rejected
from projections.kernel import Progress

LEVELS = 8
"""Levels from one that is kept to the next; those between are computed from at most 256 hashes."""
BATCH = 65_536
"""Events per transaction."""

_LEAVES = (
    "SELECT notification_id - 1, leaf_hash FROM log.event"
    " WHERE notification_id > %s AND notification_id <= %s"
)
_HASHES = (
    "SELECT notification_id, leaf_hash FROM log.event"
    " WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id"
)
_NODES = "SELECT number, hash FROM audit.node WHERE number >= %s AND number < %s AND level = %s"


class LogIncomplete(Rejected):
    """The log has no event {position}, but the tree is to be over {size}: audit verify tells more."""

    code = "log_incomplete"


class TreeChanged(Rejected):
    """The tree holds another hash for events {first} to {last} than theirs: audit verify tells more."""

    code = "tree_changed"


class EventChanged(Rejected):
    """Event {position} isn't what its hash was written for, so nothing is signed: audit verify tells more."""

    code = "event_changed"


class Nodes:
    """Hashes of complete subtrees, as proofs ask for them: kept ones, and what is computed from them.

    Called with a level and a number. Raises LogIncomplete for one that isn't there. What was read once is
    kept: make it anew for each question.
    """

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self._connection = connection
        self._blocks: dict[tuple[int, int], dict[int, bytes]] = {}

    def __call__(self, level: int, number: int) -> bytes:
        above = level % LEVELS
        first, count = number << above, 1 << above
        block = self._block(level - above, first >> LEVELS)
        try:
            return root(block[each] for each in range(first, first + count))
        except KeyError as missing:
            end = (number + 1) << level
            raise LogIncomplete(position=(missing.args[0] << level - above) + 1, size=end) from None

    def _block(self, level: int, number: int) -> dict[int, bytes]:
        """Up to 256 neighbours of a level that is kept, or leaf hashes, by their numbers."""
        block = self._blocks.get((level, number))
        if block is None:
            first, end = number << LEVELS, (number + 1) << LEVELS
            query, of = (_NODES, (first, end, level)) if level else (_LEAVES, (first, end))
            rows = self._connection.execute(query, of, binary=True).fetchall()
            block = self._blocks[level, number] = dict(cast("list[tuple[int, bytes]]", rows))
        return block


class Tree:
    """Keeps the nodes up with the log. Two at once wait for each other, and the later finds little to do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def catch_up(self, progress: Progress | None = None) -> int:
        """Write the nodes that the log has completed since; gives how many events the tree is over.

        Raises LogIncomplete if an event is missing, or events that were there are not any more; TreeChanged
        if somebody has put in another hash where one of these belongs.
        """
        with self._database.connection() as connection:
            while True:
                size, head = self._advance(connection)
                if progress is not None:
                    progress(size, head)
                if size == head:
                    return size

    def _advance(self, connection: Connection[TupleRow]) -> tuple[int, int]:
        """One batch; how many events the tree is over then, and how many there are."""
        with connection.transaction():
            size = locked_size(connection)
            head = head_of(connection)
            if size > head:
                raise LogIncomplete(position=head + 1, size=size)
            reached = min(size + BATCH, head)
            if reached > size:
                frontier = Frontier.read(size, Nodes(connection))
                rows = connection.execute(_HASHES, (size, reached), binary=True).fetchall()
                nodes = _grow(frontier, rows, reached)
                _keep(connection, nodes, reached)
            return reached, head


def grow_anew(connection: Connection[TupleRow], frontier: Frontier, upto: int) -> None:
    """By what the events up to there say, whatever the kept hashes and the kept tree say.

    Raises LogIncomplete, EventChanged, TreeChanged.
    """
    while frontier.size < upto:
        reached = min(frontier.size + BATCH, upto)
        try:
            with closing(streamed(connection, frontier.size + 1, reached)) as rows:
                nodes = _grow(frontier, map(_hashed_anew, rows), reached)
        except psycopg.DataError:
            raise EventChanged(position=frontier.size + 1) from None
        _must_be_kept(connection, nodes)


def _hashed_anew(row: TupleRow) -> tuple[int, bytes]:
    found = computed(row)
    if found is None or found != row[-1]:
        raise EventChanged(position=row[0])
    return row[0], found


def locked_size(connection: Connection[TupleRow]) -> int:
    """How many events the tree is over. Within a transaction it stays so until the transaction's end."""
    row = connection.execute("SELECT size FROM audit.tree FOR UPDATE").fetchone()
    return 0 if row is None else int(row[0])


def head_of(connection: Connection[TupleRow]) -> int:
    """The last position, 0 for an empty log."""
    row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM log.event").fetchone()
    return 0 if row is None else int(row[0])


def _grow(frontier: Frontier, rows: Iterable[tuple[Any, ...]], upto: int) -> list[Node]:
    """`rows` are positions and leaf hashes, in order."""
    nodes = []
    for position, leaf_hash in rows:
        if position != frontier.size + 1:
            raise LogIncomplete(position=frontier.size + 1, size=upto)
        nodes += [node for node in frontier.append(leaf_hash) if node.level % LEVELS == 0]
    if frontier.size != upto:
        raise LogIncomplete(position=frontier.size + 1, size=upto)
    return nodes


def _keep(connection: Connection[TupleRow], nodes: Sequence[Node], size: int) -> None:
    each = tuple(zip(*nodes, strict=True)) or ((), (), ())
    connection.execute(
        "INSERT INTO audit.node (level, number, hash)"
        " SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[]) ON CONFLICT DO NOTHING",
        [[*values] for values in each],
    )
    _must_be_kept(connection, nodes)
    connection.execute("UPDATE audit.tree SET size = %s", (size,))


def _must_be_kept(connection: Connection[TupleRow], nodes: Sequence[Node]) -> None:
    each = tuple(zip(*nodes, strict=True)) or ((), (), ())
    other = connection.execute(
        "SELECT level, number"
        " FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[]) AS ours (level, number, hash)"
        " JOIN audit.node AS kept USING (level, number) WHERE kept.hash IS DISTINCT FROM ours.hash"
        " ORDER BY level, number LIMIT 1",
        [[*values] for values in each],
    ).fetchone()
    if other is not None:
        level, number = other
        raise TreeChanged(first=(number << level) + 1, last=(number + 1) << level)
