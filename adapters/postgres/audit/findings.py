"""What is wrong with a log, in words: from the first event that isn't right to what was done to it."""

from contextlib import closing
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres.audit.leaves import made_for, stored, streamed
from adapters.postgres.audit.scanning import Fault

REACH = 200_000
"""So far from its place an event is recognised by its hash: a quarter of a second's work."""
LOOKED_THROUGH = 20_000
"""So many events behind the place are asked whether they belong there."""

Problem = Literal[
    "changed", "removed", "inserted", "reordered", "truncated", "forked", "tree", "checkpoint", "replayed"
]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the events from `position` to `upto`, in a sentence."""

    position: int
    upto: int
    problem: Problem
    message: str


def diagnosed(connection: Connection[TupleRow], fault: Fault, head: int) -> Finding:
    """What was done to the log, as far as the events near the fault tell."""
    at = fault.position
    if fault.wrong == "missing":
        upto = _next_behind(connection, at, head) - 1
        return Finding(at, upto, "removed", f"There is no event at {_span(at, upto)}.")
    if fault.wrong == "twice":
        return _twice(at)
    if fault.wrong == "time":
        return Finding(at, at, "reordered", f"Event {at:,} was recorded before the one that precedes it.")
    return _by_hashes(connection, at, min(REACH, head))


def _twice(at: int) -> Finding:
    return Finding(at, at, "inserted", f"Position {at:,} is taken by more than one event.")


def _by_hashes(connection: Connection[TupleRow], at: int, reach: int) -> Finding:
    """For an event that isn't what its hash was written for."""
    if len(_at(connection, at)) > 1:
        return _twice(at)
    own, following = _origin(connection, at, reach), _origin(connection, at + 1, reach)
    if own is None:
        if following == at:
            return Finding(at, at, "inserted", f"Event {at:,} was put in: the next one was recorded there.")
        return Finding(at, at, "changed", f"Event {at:,} is not what was recorded: its hash is another.")
    if own < at:
        if following in (own + 1, None):
            said = f"Event {own:,} was put in: the one at {at:,} was recorded there."
            return Finding(own, at - 1, "inserted", said)
        said = f"Event {at:,} was changed: it is the one that was recorded at {own:,}."
        return Finding(at, at, "changed", said)
    if following == own + 1 and not _anyone_from(connection, at):
        said = f"What was recorded at {_span(at, own - 1)} is gone, and the later events were moved up."
        return Finding(at, own - 1, "removed", said)
    return Finding(at, at, "reordered", f"The event at {at:,} was recorded at {own:,}.")


def _origin(connection: Connection[TupleRow], at: int, reach: int) -> int | None:
    """The position that the event at this one was recorded at; none if that can't be told."""
    rows = _at(connection, at)
    return made_for(rows[0], at, reach) if rows else None


def _at(connection: Connection[TupleRow], at: int) -> list[TupleRow]:
    """What stands there, if it can be read."""
    try:
        return stored(connection, at, at)
    except psycopg.DataError:
        return []


def _anyone_from(connection: Connection[TupleRow], place: int) -> bool:
    """Whether one of the events behind was recorded at this place."""
    try:
        with closing(streamed(connection, place + 1, place + LOOKED_THROUGH)) as rows:
            return any(made_for(row, place, 0) == place for row in rows)
    except psycopg.DataError:
        return False


def _next_behind(connection: Connection[TupleRow], at: int, head: int) -> int:
    row = connection.execute(
        "SELECT min(notification_id) FROM log.event WHERE notification_id > %s", (at,)
    ).fetchone()
    return head + 1 if row is None or row[0] is None else int(row[0])


def _span(first: int, last: int) -> str:
    return f"position {first:,}" if first == last else f"positions {first:,} to {last:,}"
