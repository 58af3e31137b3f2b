"""What a projection is: a pure fold from recorded events to typed rows.

A row belongs to one entity, the one whose stream the event is in: the first column of a row's key is that
entity's id. So the streams of a log can be folded in any partition, on any number of workers, and the rows
that a batch touches are found by its entities alone. Figures across entities are SQL over the rows.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeVar

from domain.kernel import Event, Recorded

RowT = TypeVar("RowT", bound="Row")


class Row:
    """One line of a read table. Subclasses are `@dataclass(slots=True)`; the annotations are the columns.

    Types: str, int, bool, Decimal, datetime, date, tuple[str, ...], each or None. `table` is the table's name
    in the schema `read`, `key` its primary key, `indexes` further ones. A row that the fold only ever adds
    and never looks at again says `written_once`, and is never loaded back; adding its key twice is an error.
    `personal` columns say who somebody is: the database keeps no samples of them for its planner.
    """

    __slots__ = ()
    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    written_once: ClassVar[bool] = False
    personal: ClassVar[tuple[str, ...]] = ()


class Rows(Protocol):
    """The rows of the entity whose event is folded. To ask for another entity's row is a ValueError."""

    def put(self, row: Row) -> None:
        """Add the row, or replace the one with the same key."""

    def find(self, kind: type[RowT], *key: Hashable) -> RowT | None:
        """The row with that key, None if there is none. To change it, use `change`."""

    def get(self, kind: type[RowT], *key: Hashable) -> RowT:
        """The row with that key. Raises LookupError, naming the table and key, if there is none."""

    def change(self, kind: type[RowT], *key: Hashable, **columns: Any) -> RowT:
        """Set columns of the row with that key and give it back. Raises LookupError if there is none."""

    def delete(self, kind: type[Row], *key: Hashable) -> None:
        """Take the row away, if it is there."""


class Projection:
    """One question. `category` is the kind of stream it reads; raise `version` when the fold changes.

    `views` are SQL queries by the name that they get beside the tables; they may read the tables of any
    projection. `comments` say in the database what a view is, or a column of it: by the names `deal_owner`
    and `deal_owner.since`. A changed version, row model, view or comment makes the engine rebuild the
    projection by itself.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    category: ClassVar[str]
    rows: ClassVar[tuple[type[Row], ...]]
    views: ClassVar[Mapping[str, str]] = MappingProxyType({})
    comments: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        """Fold one event of the category into the rows. Events that it has nothing to say about pass by."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a projection stopped: it never skips an event."""

    projection: str
    position: int
    event: str
    error: str


Progress = Callable[[int, int], None]
"""Called with (events done, events in all) now and then during long work."""
