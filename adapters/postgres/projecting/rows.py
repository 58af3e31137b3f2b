"""The rows that a fold sees, held in memory by key."""

import copy
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from adapters.postgres.projecting.tables import Key, table_of
from projections.kernel import Row

RowT = TypeVar("RowT", bound=Row)


class Memory:
    """Rows with nothing behind them: what a rebuild and a past moment are folded into.

    `entity` is whose event is being folded; a fold that asks for another's row is refused, because it would
    find it or not by the luck of the batch.
    """

    def __init__(self, kinds: Iterable[type[Row]]) -> None:
        self.kept: dict[type[Row], dict[Key, Row]] = {kind: {} for kind in kinds}
        self.entity = ""
        self._key_of: dict[type[Row], Callable[[Row], Key]] = {
            kind: table_of(kind).key_of for kind in self.kept
        }

    def put(self, row: Row) -> None:
        kind = type(row)
        key = self._key_of[kind](row)
        if key[0] != self.entity:
            raise self._foreign(kind, key)
        rows = self.kept[kind]
        if kind.written_once and key in rows:
            raise ValueError(f"{kind.table} {key} is written once, and there already")
        rows[key] = row

    def find(self, kind: type[RowT], *key: Hashable) -> RowT | None:
        if key[0] != self.entity:
            raise self._foreign(kind, key)
        return self.kept[kind].get(key)  # type: ignore[return-value]

    def get(self, kind: type[RowT], *key: Hashable) -> RowT:
        row = self.find(kind, *key)
        if row is None:
            raise LookupError(f"no row {key} in {kind.table}")
        return row

    def change(self, kind: type[RowT], *key: Hashable, **columns: Any) -> RowT:
        row = self.get(kind, *key)
        for name, value in columns.items():
            setattr(row, name, value)
        return row

    def delete(self, kind: type[Row], *key: Hashable) -> None:
        if key[0] != self.entity:
            raise self._foreign(kind, key)
        self.kept[kind].pop(key, None)

    def _foreign(self, kind: type[Row], key: Key) -> ValueError:
        return ValueError(f"{kind.table} {key} is not a row of {self.entity}, whose event is folded")


class Batch(Memory):
    """Rows of the entities in one batch, with what the fold changed of them, to be written back."""

    def __init__(self, kinds: Iterable[type[Row]]) -> None:
        super().__init__(kinds)
        self.changed: dict[type[Row], dict[Key, Row]] = {kind: {} for kind in self.kept}
        self.gone: dict[type[Row], set[Key]] = {kind: set() for kind in self.kept}

    def put(self, row: Row) -> None:
        super().put(row)
        kind = type(row)
        key = self._key_of[kind](row)
        self.changed[kind][key] = row
        self.gone[kind].discard(key)

    def change(self, kind: type[RowT], *key: Hashable, **columns: Any) -> RowT:
        row = super().change(kind, *key, **columns)
        self.changed[kind][key] = row
        return row

    def delete(self, kind: type[Row], *key: Hashable) -> None:
        super().delete(kind, *key)
        self.changed[kind].pop(key, None)
        self.gone[kind].add(key)


class Undoable(Memory):
    """Rows that can go back to where they stood when `begin` was last called."""

    def __init__(self, kinds: Iterable[type[Row]]) -> None:
        super().__init__(kinds)
        self._before: dict[tuple[type[Row], Key], Row | None] = {}

    def begin(self) -> None:
        self._before.clear()

    def undo(self) -> None:
        for (kind, key), row in self._before.items():
            if row is None:
                self.kept[kind].pop(key, None)
            else:
                self.kept[kind][key] = row
        self._before.clear()

    def put(self, row: Row) -> None:
        kind = type(row)
        self._keep(kind, self._key_of[kind](row))
        super().put(row)

    def change(self, kind: type[RowT], *key: Hashable, **columns: Any) -> RowT:
        self._keep(kind, key)
        return super().change(kind, *key, **columns)

    def delete(self, kind: type[Row], *key: Hashable) -> None:
        self._keep(kind, key)
        super().delete(kind, *key)

    def _keep(self, kind: type[Row], key: Key) -> None:
        if (kind, key) not in self._before:
            row = self.kept[kind].get(key)
            self._before[kind, key] = None if row is None else copy.copy(row)
