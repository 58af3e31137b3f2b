"""How far projections are partition by partition, where workers on Kafka are ahead of the checkpoint.

All events up to a projection's checkpoint are in its tables, and of a partition's streams all up to its
position.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres.projecting import standing
from adapters.postgres.projecting.placing import partition_of
from domain.kernel import Event, Recorded


@dataclass(frozen=True, slots=True)
class Spread:
    """One projection's positions, by partition, among so many partitions."""

    partitions: int
    positions: dict[int, int]

    def left(self, facts: Sequence[Recorded[Event]]) -> list[Recorded[Event]]:
        """Those that are not in the tables by some partition's position."""
        count, positions = self.partitions, self.positions
        return [fact for fact in facts if fact.position > positions.get(partition_of(fact.stream, count), 0)]


def spreads(connection: Connection[TupleRow], names: Sequence[str]) -> dict[str, Spread]:
    """Of those projections that workers on Kafka have to do with, by name."""
    found: dict[str, Spread] = {}
    rows = connection.execute(
        "SELECT projection, partitions, partition, position FROM read.partition WHERE projection = ANY(%s)",
        (list(names),),
    )
    for name, count, partition, position in rows:
        found.setdefault(name, Spread(count, {})).positions[partition] = position
    return found


def ahead(connection: Connection[TupleRow], names: Sequence[str], after: int) -> dict[str, Spread]:
    """Of those projections that have more in their tables than all up to the position `after`."""
    found = spreads(connection, names)
    return {name: each for name, each in found.items() if max(each.positions.values()) > after}


def lay_out(connection: Connection[TupleRow], names: Sequence[str], partitions: int) -> None:
    """Have these projections' positions counted among so many partitions, where the checkpoint allows it.

    It must have come up to what was counted otherwise.
    """
    with connection.transaction():
        stood = standing.lock(connection, names)
        known = spreads(connection, names)
        for name, stands in stood.items():
            spread = known.get(name, Spread(0, {}))
            if (
                spread.partitions != partitions
                and max(spread.positions.values(), default=0) <= stands.position
            ):
                connection.execute("DELETE FROM read.partition WHERE projection = %s", (name,))
                connection.execute(
                    "INSERT INTO read.partition SELECT %s, n, %s, 0 FROM generate_series(0, %s - 1) n",
                    (name, partitions, partitions),
                )


def level(connection: Connection[TupleRow], names: Sequence[str]) -> None:
    """Move these projections' checkpoints to where the last of their partitions is."""
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = off")
        standing.share(connection, names)
        connection.execute(
            "UPDATE read.checkpoint SET notification_id = reached FROM"
            " (SELECT projection, min(position) AS reached FROM read.partition"
            " WHERE projection = ANY(%s) GROUP BY projection) AS slowest"
            " WHERE application_name = projection AND notification_id < reached",
            (list(names),),
        )
