"""What the use cases need from the world."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from domain.kernel import Event, Recorded
from domain.payroll.records import Records


@dataclass(frozen=True, slots=True)
class Unit:
    """One action's effect: its events are recorded all together or not at all.

    `expected` gives the version that each stream had when the decision was taken (0 = no events yet), for
    every stream that the decision rested on, read or written. The events of a stream follow its expected
    version in the order given. A unit without events only asks whether its expectations still hold.
    `decided_at` is the moment of the decision and becomes recorded_at, unless the log is already later.
    `migrated` marks an import from an older system: `decided_at` is then the original recording time.
    Personal texts are sealed so that they can be erased for the person whom they are about: for the stream
    that `about` names beside their own, without that for their own. What was ever sealed for the streams in
    `erases` can be read by nobody any more, as soon as the unit is in the log.
    """

    events: Sequence[tuple[str, Event]]
    expected: Mapping[str, int]
    occurred_at: datetime
    decided_at: datetime
    actor: str
    source: str
    action: str
    correlation_id: str | None = None
    causation_id: str | None = None
    migrated: bool = False
    about: Mapping[str, str] = field(default_factory=dict)
    erases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Appended:
    """The unit is in the log, durably; `facts` are its events as recorded; none for a unit without."""

    facts: Sequence[Recorded[Event]]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The action (source + id) was recorded before, with these facts. Nothing was written now."""

    facts: Sequence[Recorded[Event]]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Someone else wrote to `streams` since the decision: recall them and decide again."""

    streams: frozenset[str]


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """A migrated unit came after the log went live (`live`), or is earlier than the log's end."""

    live: bool
    recorded_at: datetime


Outcome = Appended | Duplicate | Conflict | OutOfOrder


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What was refused, as it came and from where, with the error object that says why."""

    error: Mapping[str, Any]
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far `reader` is in what they record: from `at` it moves to `to`, and `refused` is kept then.

    With `to` = `at` it stays, and only holds off whoever else believes to be the reader.
    """

    reader: str
    at: int
    to: int
    refused: Sequence[DeadLetter] = ()


class Superseded(Exception):  # noqa: N818 - named for what happened
    """The bookmark isn't where its reader thought: somebody else has read on from there."""


class Store(Protocol):
    """The log."""

    def append(self, units: Sequence[Unit], bookmark: Bookmark | None = None) -> list[Outcome]:
        """Record units in order, durably, in one transaction; each succeeds or fails alone.

        A unit may expect what an earlier one of the same call wrote. May be called by many threads at once:
        their units are committed together. With a bookmark none overtakes one that conflicts, and the
        bookmark is moved, in that transaction, once all are recorded. Raises Superseded, recording nothing.
        """

    def load(self, streams: Iterable[str]) -> dict[str, list[Recorded[Event]]]:
        """Every event of each stream, in order; a stream without events gives an empty list."""

    def recorded(self, actions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Recorded[Event]]]:
        """The facts recorded for each (source, action id); an action that is not in the log is left out."""

    def read(self, after: int, upto: int | None = None, page: int = 5000) -> Iterator[list[Recorded[Event]]]:
        """The log from behind position `after` to `upto` (inclusive; default: its end now), page by page."""

    def head(self) -> int:
        """The last position, 0 for an empty log."""

    def live(self) -> bool:
        """Whether anything was recorded that wasn't taken over from an older system."""


class Claims(Protocol):
    """Which leads have to be seen to, as of the end of the log."""

    def concerned(self) -> tuple[int, Sequence[tuple[str, str]]]:
        """A position, and which leads concerned whom then: pairs of a rep and a lead, owned or with steps."""

    def past_their_term(self, at: datetime, limit: int) -> Sequence[str]:
        """Leads whose claim has passed its term by then, but isn't written as lapsed."""

    def deals_with(self, leads: Sequence[str]) -> Sequence[str]:
        """Every deal that was ever opened with one of these leads."""

    def of_departed(self, limit: int) -> Sequence[tuple[str, str | None]]:
        """Open leads owned by reps who left, each with the successor named then (None for the pool)."""


class EmptyLog(LookupError):  # noqa: N818 - named for what was met
    """There is no event yet."""


class PayrollBooks(Protocol):
    """What payroll rests on, as of the end of the log."""

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone, as configured."""

    def records(self) -> tuple[int, Records]:
        """A position, and all that the log says up to it. Raises EmptyLog."""

    def products(self) -> frozenset[str]:
        """The products that any deal has named so far."""
