"""Checkpoints of the log: made, signed and stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.audit_keys import Keys
from adapters.postgres.audit.tree import LogIncomplete, Nodes, Tree, locked_size
from adapters.postgres.database import Database
from domain.audit.checkpoint import Checkpoint, open_checkpoint
from domain.audit.merkle import Frontier
from domain.audit.note import Verifier
from domain.kernel import Rejected
from projections.kernel import Progress

_SELECT = "SELECT number, size, root, note, made_at FROM audit.checkpoint"


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
        found = self._first("WHERE size = %s ORDER BY number DESC", size)
        if found is None:
            raise NotSealed(wanted=f"{size:,} events", known=self._known())
        return found

    def covering(self, position: int) -> Sealed:
        """The latest, if it is of so many events or more. Raises NotSealed."""
        found = self._first("WHERE size >= %s ORDER BY number DESC", position)
        if found is None:
            raise NotSealed(wanted=f"position {position:,} or later", known=self._known())
        return found

    def seal(self, keys: Keys, made_at: datetime, progress: Progress | None = None) -> Sealed:
        """Sign what the log is now, with every key; the same again gives the one that is there.

        Raises LogIncomplete, or LogForked if the log doesn't begin with what was sealed last.
        """
        Tree(self._database).catch_up(progress)
        with self._database.connection() as connection, connection.transaction():
            size = locked_size(connection)
            last = _last(connection)
            if last is not None:
                _must_continue(connection, last.opened(keys.verifiers), size)
            root = Frontier.read(size, Nodes(connection)).root()
            note = Checkpoint(keys.origin, size, root).sign(keys.signers).decode()
            if last is not None and last.note == note:
                return last
            sealed = Sealed(1 if last is None else last.number + 1, size, root, note, made_at)
            connection.execute(
                "INSERT INTO audit.checkpoint (number, size, root, note, made_at)"
                " VALUES (%s, %s, %s, %s, %s)",
                (sealed.number, sealed.size, sealed.root, sealed.note, sealed.made_at),
            )
            return sealed

    def _first(self, condition: str, size: int) -> Sealed | None:
        with self._database.connection() as connection:
            row = connection.execute(f"{_SELECT} {condition} LIMIT 1", (size,), binary=True).fetchone()
        return None if row is None else Sealed(*row)

    def _known(self) -> str:
        sizes = sorted({sealed.size for sealed in self.all()})
        return ", ".join(f"{size:,}" for size in sizes[-5:]) or "none"


def _last(connection: Connection[TupleRow]) -> Sealed | None:
    row = connection.execute(f"{_SELECT} ORDER BY number DESC LIMIT 1", binary=True).fetchone()
    return None if row is None else Sealed(*row)


def _must_continue(connection: Connection[TupleRow], last: Checkpoint, size: int) -> None:
    if size < last.size:
        raise LogIncomplete(position=size + 1, size=last.size)
    if Frontier.read(last.size, Nodes(connection)).root() != last.root:
        raise LogForked(size=last.size)
