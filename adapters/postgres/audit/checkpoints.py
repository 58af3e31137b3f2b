"""Checkpoints of the log: made, signed and stored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.audit.keys import Keys
from adapters.postgres.audit.tree import LogIncomplete, Nodes, Tree, grow_anew, head_of, locked_size
from adapters.postgres.database import Database
from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.merkle import Frontier
from domain.audit.note import Verifier
from domain.kernel import Rejected
from domain.payroll.events import PeriodClosed
from projections.kernel import Progress

_SELECT = "SELECT number, size, root, note, made_at FROM audit.checkpoint"
_LONGEST = "ORDER BY size DESC, number DESC"
_INSERT = (
    "INSERT INTO audit.checkpoint (number, size, root, note, made_at)"
    " SELECT coalesce(max(number), 0) + 1, %s, %s, %s, %s FROM audit.checkpoint RETURNING number"
)
_CLOSES = """
SELECT notification_id, state FROM log.event
WHERE originator_id >= 'period-' AND originator_id < 'period.' AND topic = %(name)s
AND (%(size)s::bigint IS NULL OR notification_id <= %(size)s)
"""


class LogForked(Rejected):
    """The log doesn't continue what was sealed at {size} events, so nothing is signed: see audit verify."""

    code = "log_forked"


class NotSealed(Rejected):
    """There is no checkpoint of {wanted}; there are {known}. dealtrail audit seal makes one of all so far."""

    code = "not_sealed"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stored checkpoint: `size` events with that root, and the signed note that says so."""

    number: int
    size: int
    root: bytes
    note: str
    made_at: datetime

    def opened(self, trusted: Sequence[Verifier]) -> Checkpoint:
        """What the note says, if a trusted key signed it. Raises as `open_checkpoint` does."""
        return open_checkpoint(self.note.encode(), trusted)


class Checkpoints:
    """What audit.checkpoint holds, and may get."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Sealed]:
        """In the order in which they were made."""
        with self._database.connection() as connection:
            return [Sealed(*row) for row in connection.execute(f"{_SELECT} ORDER BY number", binary=True)]

    def of(self, size: int) -> Sealed:
        """The latest of so many events. Raises NotSealed."""
        found = self._one("WHERE size = %s ORDER BY number DESC", size)
        if found is None:
            raise NotSealed(wanted=f"{size:,} events", known=self._known())
        return found

    def first_of(self, size: int) -> Sealed | None:
        """The first of so many events: of a period's cutoff that which its statements show, for ever."""
        return self._one("WHERE size = %s ORDER BY number", size)

    def note_of(self, cutoff: int) -> str | None:
        """What a statement shows as its checkpoint; none until the cutoff is sealed."""
        sealed = self.first_of(cutoff)
        return None if sealed is None else sealed.note

    def covering(self, position: int) -> Sealed:
        """That of the most events, if it is of so many or more. Raises NotSealed."""
        found = self._one("WHERE size >= %s ORDER BY size DESC, number DESC", position)
        if found is None:
            raise NotSealed(wanted=f"position {position:,} or later", known=self._known())
        return found

    def longest(self) -> Sealed | None:
        """The one of the most events; none if nothing was ever sealed."""
        return self._one(_LONGEST)

    def cutoffs(self) -> list[int]:
        """Where each closed period's cutoff is, in order."""
        with self._database.connection() as connection:
            return _cutoffs(connection)

    def owed(self) -> list[int]:
        """The closed periods' cutoffs that have no checkpoint."""
        with self._database.connection() as connection:
            return _owed(connection, head_of(connection))

    def seal(self, keys: Keys, made_at: datetime, progress: Progress | None = None) -> Sealed:
        """Sign, with every key, each closed period's cutoff that has no checkpoint; then what the log is now.

        Gives the latter; the same again gives the one that is there. Raises as `Tree.catch_up` does,
        LogForked if the log doesn't begin with the most that was sealed, or as `open_checkpoint` does if
        nobody trusted signed that.
        """
        Tree(self._database).catch_up(progress)
        with self._database.connection() as connection, connection.transaction():
            size = locked_size(connection)
            nodes = Nodes(connection)
            _must_continue(connection, keys, size, nodes)
            for cutoff in _owed(connection, size):
                _seal(connection, keys, cutoff, nodes, made_at)
            return _seal(connection, keys, size, nodes, made_at)

    def _one(self, condition: str, *parameters: object) -> Sealed | None:
        with self._database.connection() as connection:
            return _one(connection, condition, *parameters)

    def _known(self) -> str:
        sizes = sorted({sealed.size for sealed in self.all()})
        return ", ".join(f"{size:,}" for size in sizes[-5:]) or "none"


def _one(connection: Connection[TupleRow], condition: str, *parameters: object) -> Sealed | None:
    row = connection.execute(f"{_SELECT} {condition} LIMIT 1", parameters, binary=True).fetchone()
    return None if row is None else Sealed(*row)


def _cutoffs(connection: Connection[TupleRow], size: int | None = None) -> list[int]:
    """Of the periods closed among the first `size` events. A cutoff is before its close, or it is none."""
    rows = connection.execute(_CLOSES, {"name": PeriodClosed.stored_name, "size": size}).fetchall()
    found = ((position, int(json.loads(state)["cutoff_position"])) for position, state in rows)
    return sorted(cutoff for position, cutoff in found if 0 < cutoff < position)


def _owed(connection: Connection[TupleRow], size: int) -> list[int]:
    wanted = set(_cutoffs(connection, size))
    rows = connection.execute("SELECT size FROM audit.checkpoint WHERE size = ANY(%s)", ([*wanted],))
    return sorted(wanted - {row[0] for row in rows})


def _must_continue(connection: Connection[TupleRow], keys: Keys, size: int, nodes: Nodes) -> None:
    """It is enough that the log begins with the most that was sealed: that began with all before it.

    What came since is hashed anew: whoever may keep the tree could have put in anything, and is not to be
    believed before it is signed.
    """
    most = _one(connection, _LONGEST)
    if most is None:
        grow_anew(connection, Frontier(), size)
        return
    kept = most.opened(keys.verifiers)
    if (kept.size, kept.root) != (most.size, most.root):
        raise LogForked(size=most.size)
    if size < kept.size:
        raise LogIncomplete(position=size + 1, size=kept.size)
    frontier = Frontier.read(kept.size, nodes)
    if frontier.root() != kept.root:
        raise LogForked(size=kept.size)
    grow_anew(connection, frontier, size)


def _seal(connection: Connection[TupleRow], keys: Keys, size: int, nodes: Nodes, made_at: datetime) -> Sealed:
    root = Frontier.read(size, nodes).root()
    note = Checkpoint(keys.origin, size, root).sign(keys.signers).decode()
    known = _one(connection, "WHERE size = %s AND note = %s", size, note)
    if known is not None:
        return known
    row = connection.execute(_INSERT, (size, root, note, made_at)).fetchone()
    assert row is not None
    return Sealed(row[0], size, root, note, made_at)
