"""A fold of the log wholly in memory, with nothing loaded: what a rebuild and a past moment are made of."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.postgres.projecting import log
from adapters.postgres.projecting.log import Scope
from adapters.postgres.projecting.rows import Memory, Undoable
from adapters.postgres.projecting.tables import table_of
from adapters.postgres.wire import copy_block
from domain.kernel import Event, Recorded
from projections.kernel import Failure, Projection, Row

PAGE = 5000
"""Events, about, that are read at once."""
_BLOCK = 5000
"""Rows that are rendered at once."""


@contextmanager
def without_collecting() -> Iterator[None]:
    """Rows refer to nothing that refers back: collecting garbage would only look at them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class MemoryFold:
    """Projections folded over a scope of the log. A failing one is dropped, and the others go on.

    Up to a moment of the occurred axis an event may lack what was recorded before it but occurred later, as
    with a stage entered before the deal was opened. There, and only there, an event that needs a row which is
    missing changes nothing in that projection; `left_out` are the positions of such events.
    """

    def __init__(self, projections: Iterable[Projection], scope: Scope) -> None:
        self._scope = scope
        kept = Undoable if scope.occurred_until is not None else Memory
        self.folded: dict[Projection, Memory] = {each: kept(each.rows) for each in projections}
        self.failures: list[Failure] = []
        self.left_out: set[int] = set()

    def run(self, connection: Connection[TupleRow], upto: int, at: Callable[[int], None]) -> None:
        """Fold up to position `upto`, calling `at` with the position reached now and then."""
        step = PAGE * self._scope.partitions
        for after in range(0, upto, step):
            until = min(after + step, upto)
            for category, facts in self._read(connection, after, until).items():
                for projection in [each for each in self.folded if each.category == category]:
                    self._apply(projection, facts)
            at(until)

    def _read(self, connection: Connection[TupleRow], after: int, until: int) -> log.Facts:
        while True:
            try:
                return log.read(connection, after, until, log.categories(self.folded), self._scope)
            except log.Unreadable as error:
                for projection in [each for each in self.folded if each.category == error.category]:
                    self._drop(projection, error.position, error.name, str(error))

    def _apply(self, projection: Projection, facts: Sequence[Recorded[Event]]) -> None:
        rows = self.folded[projection]
        for fact in facts:
            rows.entity = fact.entity
            try:
                if isinstance(rows, Undoable):
                    self._apply_if_it_fits(projection, fact, rows)
                else:
                    projection.apply(fact, rows)
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                self._drop(projection, fact.position, fact.event.stored_name, text)
                return

    def _drop(self, projection: Projection, position: int, event: str, error: str) -> None:
        del self.folded[projection]
        self.failures.append(Failure(projection.name, position, event, error))

    def _apply_if_it_fits(self, projection: Projection, fact: Recorded[Event], rows: Undoable) -> None:
        rows.begin()
        try:
            projection.apply(fact, rows)
        except LookupError:
            rows.undo()
            self.left_out.add(fact.position)


def copy_rows(connection: Connection[TupleRow], rows: Memory, schema: str | None) -> None:
    """COPY all rows to their tables in `schema`, or to temporary ones, letting go of them on the way."""
    for kind, kept in rows.kept.items():
        table = table_of(kind)
        name = Identifier(table.name) if schema is None else Identifier(schema, table.name)
        names = SQL(", ").join(map(Identifier, table.names))
        left: list[Row] = list(kept.values())
        kept.clear()
        with connection.cursor().copy(SQL("COPY {} ({}) FROM STDIN").format(name, names)) as copy:
            while left:
                block = left[-_BLOCK:]
                del left[-_BLOCK:]
                copy.write(copy_block(table.turned(block), table.renders))
