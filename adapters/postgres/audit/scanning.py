"""A range of the log read and hashed anew: what each event says against its hash, and the tree above."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres.audit.leaves import computed, streamed
from adapters.postgres.audit.tree import LEVELS
from domain.audit.merkle import Frontier, Node

RANGE_LEVEL = 16
RANGE_EVENTS = 1 << RANGE_LEVEL
"""Events of a range: the leaves of one subtree."""
PAGE = 4_096

Wrong = Literal["missing", "twice", "hash", "time"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first event of a range that isn't right."""

    position: int
    wrong: Wrong


@dataclass(frozen=True, slots=True)
class Range:
    """Positions from `first`, which begins a subtree, to `last`; `sizes` of checkpoints that end in it."""

    first: int
    last: int
    sizes: tuple[int, ...] = ()


@dataclass(slots=True)
class Scanned:
    """What a range is, up to its first fault.

    `peaks` are those of its own tree, at each of the `sizes` and at its end. `strange` is the first node
    that isn't kept as it is computed.
    """

    range: Range
    fault: Fault | None = None
    peaks: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    strange: Node | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None


def scan(connection: Connection[TupleRow], wanted: Range, kept: int) -> Scanned:
    """Read and hash the range; the tree's nodes are to be there for the first `kept` events."""
    scanning = _Scan(connection, Scanned(wanted))
    found = scanning.found
    for first in range(wanted.first, wanted.last + 1, PAGE):
        found.fault = scanning.page(first, min(first + PAGE - 1, wanted.last))
        if found.fault is not None:
            break
    found.peaks[wanted.first - 1 + scanning.tree.size] = scanning.tree.peaks
    found.strange = _strange(connection, wanted, scanning.nodes, kept)
    return found


@dataclass(slots=True)
class _Scan:
    connection: Connection[TupleRow]
    found: Scanned
    tree: Frontier = field(default_factory=Frontier)
    nodes: list[Node] = field(default_factory=list)

    def page(self, first: int, last: int) -> Fault | None:
        following = first
        try:
            with closing(streamed(self.connection, first, last)) as rows:
                for row in rows:
                    fault = self._event(following, row)
                    if fault is not None:
                        return fault
                    following += 1
        except psycopg.DataError:
            at = _timeless(self.connection, following, last)
            earlier = None if at == following else self.page(following, at - 1)
            return earlier or Fault(at, "hash")
        return Fault(following, "missing") if following <= last else None

    def _event(self, position: int, row: TupleRow) -> Fault | None:
        found = self.found
        if row[0] != position:
            return Fault(position, "missing") if row[0] > position else Fault(position - 1, "twice")
        leaf_hash = computed(row)
        if leaf_hash is None or leaf_hash != row[-1]:
            return Fault(position, "hash")
        if found.ended_at is not None and row[1] < found.ended_at:
            return Fault(position, "time")
        found.began_at = found.began_at or row[1]
        found.ended_at = row[1]
        self.nodes += [node for node in self.tree.append(leaf_hash) if node.level % LEVELS == 0]
        if position in found.range.sizes:
            found.peaks[position] = self.tree.peaks
        return None


def _timeless(connection: Connection[TupleRow], first: int, last: int) -> int:
    """The first event with a time that Python has not."""
    row = connection.execute(
        "SELECT min(notification_id) FROM log.event WHERE notification_id BETWEEN %s AND %s AND NOT ("
        "recorded_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999999Z'"
        " AND occurred_at BETWEEN '0001-01-01Z' AND '9999-12-31 23:59:59.999999Z')",
        (first, last),
    ).fetchone()
    return first if row is None or row[0] is None else int(row[0])


def _strange(
    connection: Connection[TupleRow], scanned: Range, nodes: Sequence[Node], kept: int
) -> Node | None:
    """The first node, by where it ends, that isn't kept as it is computed; in numbers of the whole tree."""
    for level in (LEVELS, RANGE_LEVEL):
        base = (scanned.first - 1) >> level
        ours = {base + node.number: node.hash for node in nodes if node.level == level}
        rows = connection.execute(
            "SELECT number, hash FROM audit.node WHERE level = %s AND number >= %s AND number < %s",
            (level, base, base + len(ours)),
            binary=True,
        ).fetchall()
        theirs = dict(cast("list[tuple[int, bytes]]", rows))
        for number, computed_hash in ours.items():
            if theirs.get(number) != computed_hash and (number in theirs or (number + 1) << level <= kept):
                return Node(level, number, computed_hash)
    return None
