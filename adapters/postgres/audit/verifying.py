"""The whole log against its own hashes, the kept tree, and every checkpoint that was signed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres.audit.findings import Finding, diagnosed
from adapters.postgres.audit.scanning import RANGE_EVENTS, RANGE_LEVEL, Fault, Range, Scanned
from adapters.postgres.audit.signed import Signed, signed_checkpoints
from adapters.postgres.audit.tree import LEVELS
from adapters.postgres.audit.workers import scans
from adapters.postgres.database import Database
from domain.audit.encoding import to_base64
from domain.audit.merkle import EMPTY_ROOT, Frontier, Node
from domain.audit.note import Verifier
from projections.kernel import Progress

_VERSIONS = """
SELECT notification_id, originator_id, nth, before > notification_id FROM (
    SELECT notification_id, originator_id, originator_version,
        row_number() OVER stream AS nth, lag(notification_id) OVER stream AS before
    FROM log.event WHERE notification_id <= %s
    WINDOW stream AS (PARTITION BY originator_id ORDER BY originator_version)
) AS numbered
WHERE originator_version <> nth OR before > notification_id ORDER BY notification_id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many events were read, the root of their tree (none if one isn't right), and what is wrong.

    `sealed` is how many events the latest checkpoint that holds is of; `checkpoints` how many were checked,
    and `published` how many were read back from where they are published.
    """

    position: int
    root: str | None
    sealed: int
    checkpoints: int
    published: int
    count: int
    items: tuple[Finding, ...]


def verify(
    database: Database,
    trusted: Sequence[Verifier],
    given: bytes | None = None,
    *,
    published: Callable[[], Sequence[bytes]] = tuple,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Read every event, hash it anew, and compare. `given` is a checkpoint that was kept elsewhere.

    `published` reads those that were published, by default none. In constant memory; what is recorded
    meanwhile is left out. Raises NoAuditKey if there is a checkpoint, but no key to check it with.
    """
    signed = signed_checkpoints(database, trusted, given, published)
    with database.connection() as connection:
        # After the checkpoints: what is sealed meanwhile is not to be missed in a log that was read before.
        kept = _tree_size(connection)
        log = _Log(connection, kept or 0, *_extent(connection))
        sizes = sorted({one.size for one in signed.good})
        ranges = list(_ranges(log.upto, sizes))
        with closing(scans(database, ranges, log.kept, workers)) as scanned:
            for each in scanned:
                log.take(each)
                if progress is not None:
                    progress(each.range.last, log.upto)
                if log.fault is not None:
                    break
        wrong = [*signed.findings, *_wrong(log, signed.good)]
        if kept is None:
            wrong.append(Finding(1, log.head, "tree", "How many events the tree is kept for is not said."))
        items = sorted(wrong, key=lambda one: one.position)
    held = [one.size for one in signed.good if log.holds(one)]
    root = log.roots.get(log.head)
    return Verified(
        log.head,
        None if root is None else to_base64(root),
        max(held, default=0),
        signed.count,
        signed.published,
        len(items),
        tuple(items),
    )


@dataclass(slots=True)
class _Log:
    """The log as far as it was read: the roots of its tree at each size wanted, and the first fault.

    Up to `upto` either every event is read, or one is found to be missing: before `head`, then.
    """

    connection: Connection[TupleRow]
    kept: int
    head: int
    upto: int
    placeless: int
    roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY_ROOT})
    fault: Fault | None = None
    strange: Node | None = None
    _ranges: Frontier = field(default_factory=Frontier)
    """The tree whose leaves are the subtrees over whole ranges."""
    _last: Scanned | None = None

    def take(self, scanned: Scanned) -> None:
        """The next range."""
        before = scanned.range.first - 1
        last, self._last = self._last, scanned
        if last and last.ended_at and scanned.began_at and scanned.began_at < last.ended_at:
            self.fault = Fault(scanned.range.first, "time")
            return
        for size, peaks in scanned.peaks.items():
            if size - before < RANGE_EVENTS:
                self.roots[size] = Frontier(size, self._ranges.peaks + peaks).root()
        if before + RANGE_EVENTS in scanned.peaks:
            self._append(scanned.peaks[before + RANGE_EVENTS][0])
        self.strange = self.strange or scanned.strange
        self.fault = scanned.fault

    def holds(self, one: Signed) -> bool:
        """Whether the log was read so far, and was then what the checkpoint says."""
        return self.roots.get(one.size) == one.root

    def _append(self, range_root: bytes) -> None:
        for node in self._ranges.append(range_root):
            level = RANGE_LEVEL + node.level
            if level % LEVELS == 0:
                row = self.connection.execute(
                    "SELECT hash FROM audit.node WHERE level = %s AND number = %s", (level, node.number)
                ).fetchone()
                due = (node.number + 1) << level <= self.kept
                if due if row is None else row[0] != node.hash:
                    self.strange = self.strange or Node(level, node.number, node.hash)
        self.roots[self._ranges.size * RANGE_EVENTS] = self._ranges.root()


def _wrong(log: _Log, signed: Sequence[Signed]) -> list[Finding]:
    found = []
    fault = _first_fault(log)
    if fault is not None:
        found.append(fault)
    if log.strange is not None:
        found.append(_strange(log.strange, max((one.size for one in signed if log.holds(one)), default=0)))
    longest = max([log.kept, *(one.size for one in signed)])
    if longest > log.head:
        said = f"The log had {longest:,} events, and has {log.head:,}."
        found.append(Finding(log.head + 1, longest, "truncated", said))
    found += _forks(log, signed)
    return found


def _first_fault(log: _Log) -> Finding | None:
    """The first event that isn't right, by its hash, its place, its time or its place in its stream."""
    ((first,),) = log.connection.execute("SELECT min(notification_id) FROM log.event").fetchall()
    if first is not None and first < 1:
        return Finding(first, first, "inserted", f"Positions begin with 1, but there is an event at {first}.")
    if log.placeless:
        said = f"Events without a position, which none can be recorded with: {log.placeless:,}."
        return Finding(0, 0, "inserted", said)
    if log.fault is not None:
        return diagnosed(log.connection, log.fault, log.head)
    for position, stream, version, late in log.connection.execute(_VERSIONS, (log.head,)):
        if late:
            said = f"Event {position:,} stands before what precedes it in {stream}."
            return Finding(position, position, "reordered", said)
        return Finding(position, position, "removed", f"Version {version} of {stream} is gone.")
    return None


def _strange(node: Node, sealed: int) -> Finding:
    """`sealed` events are as a checkpoint says."""
    first, last = (node.number << node.level) + 1, (node.number + 1) << node.level
    if last <= sealed:
        said = f"The tree kept for events {first:,} to {last:,} is not theirs; they are as they were sealed."
        return Finding(first, last, "tree", said)
    said = f"Events {first:,} to {last:,}, or some, are not those that the kept tree was made of."
    return Finding(first, last, "forked", said)


def _forks(log: _Log, signed: Sequence[Signed]) -> list[Finding]:
    """Of each source the smallest checkpoint that says otherwise than the events."""
    found = []
    for source in dict.fromkeys(one.source for one in signed):
        of = [one for one in signed if one.source == source]
        other = [one for one in of if one.size in log.roots and not log.holds(one)]
        for first in sorted(other, key=lambda one: one.size)[:1]:
            held = max((one.size for one in of if one.size < first.size and log.holds(one)), default=0)
            found.append(_fork(first, held))
    return found


def _fork(one: Signed, held: int) -> Finding:
    said = f"{one.name} was of other events, one or more of those from {held + 1:,} to {one.size:,}."
    return Finding(held + 1, one.size, "forked", said)


def _ranges(head: int, sizes: Sequence[int]) -> Iterator[Range]:
    for first in range(1, head + 1, RANGE_EVENTS):
        last = min(first + RANGE_EVENTS - 1, head)
        yield Range(first, last, tuple(size for size in sizes if first <= size <= last))


def _tree_size(connection: Connection[TupleRow]) -> int | None:
    """None if it isn't one number."""
    sizes = [size for (size,) in connection.execute("SELECT size FROM audit.tree LIMIT 2")]
    return sizes[0] if len(sizes) == 1 and sizes[0] is not None and sizes[0] >= 0 else None


def _extent(connection: Connection[TupleRow]) -> tuple[int, int, int]:
    """The last position; up to where to read; how many events have none.

    Of n events one that is missing is found among the first n + 1 positions, however far the last one is.
    """
    ((head, placed, all_),) = connection.execute(
        "SELECT coalesce(max(notification_id), 0), count(notification_id), count(*) FROM log.event"
    ).fetchall()
    return head, min(head, placed + 1), all_ - placed
