"""What a source is read into: proposed actions and refused lines, each with its place in the source."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from domain.kernel import Rejected


@dataclass(slots=True)
class Place:
    """Where something was read: the file's name, the first line (counted from 1) and the text as it came."""

    file: str
    line: int
    raw: bytes | str


@dataclass(slots=True)
class Proposed:
    """An action that was read: an object, or its JSON as it came.

    Those of one row have the same `row` number in their source, None if alone.

    Of actions with the same id that say `once`, only the first goes on.
    """

    place: Place
    action: dict[str, Any] | bytes
    row: int | None = None
    once: bool = False


@dataclass(slots=True)
class Refused:
    """A line or row that could not become actions."""

    place: Place
    rejection: Rejected


Item = Proposed | Refused


class Source(Protocol):
    """Something that actions are read from, once."""

    @property
    def name(self) -> str:
        """What people call it: the file's path, or `stdin`."""

    @property
    def size(self) -> int | None:
        """Bytes in all, None if unknown."""

    @property
    def done(self) -> int:
        """Bytes read so far."""

    def items(self) -> Iterator[Item]:
        """Everything in it, in order."""
