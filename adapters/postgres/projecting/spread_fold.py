"""The read tables moved partition by partition, by any number of workers at once that have different ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.observing.work import Work
from adapters.postgres.codec import RawRow
from adapters.postgres.database import Database
from adapters.postgres.projecting import log, spread, standing
from adapters.postgres.projecting.batch import fold_batch
from adapters.postgres.projecting.failures import is_folds_fault
from adapters.postgres.projecting.placing import partition_of
from adapters.postgres.projecting.spread import Spread
from adapters.postgres.projecting.standing import Standing, fingerprint
from projections.kernel import Projection

_LOCK = 0x70617274  # "part": with a partition's number, its writers' lock.


@dataclass(slots=True)
class Stretch:
    """All events of one partition's streams behind position `after` up to `upto`, in their order."""

    after: int
    upto: int
    rows: list[RawRow]


Stretches = Mapping[int, Stretch]
"""By partition."""


class Strange(Exception):  # noqa: N818 - named for what was met
    """A record that can't be of this log, or is in another partition than its stream's."""


class SpreadFold:
    """Folds stretches of partitions into live tables. An event counts once, however often it is given."""

    def __init__(self, database: Database, projections: Sequence[Projection]) -> None:
        self._database = database
        self._projections = {projection.name: projection for projection in projections}
        self._fingerprints = {projection.name: fingerprint(projection) for projection in projections}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._projections)

    def fold(self, stretches: Stretches, partitions: int, leave: Collection[str]) -> set[str]:
        """Fold, but for the projections to `leave`, in one transaction. `partitions` is how many there are.

        Gives back the names of those that couldn't go on from where they are: not built, stopped, failing
        now, behind the stretches, or counted among another number of partitions. Raises Strange.
        """
        names = [name for name in self._projections if name not in leave]
        with self._database.connection() as connection:
            try:
                return self._fold(connection, names, stretches, partitions)
            except Exception as error:
                if isinstance(error, Strange) or not is_folds_fault(error):
                    raise
            return {name for name in names if self._fails(connection, name, stretches, partitions)}

    def elsewhere(self, partitions: int) -> set[str]:
        """Those that aren't counted among so many partitions."""
        with self._database.connection() as connection:
            known = spread.spreads(connection, sorted(self._projections))
        return {
            name for name in self._projections if name not in known or known[name].partitions != partitions
        }

    def lay_out(self, names: Collection[str], partitions: int) -> None:
        """Have them counted among so many partitions; they are caught up to the log's end."""
        with self._database.connection() as connection:
            spread.lay_out(connection, sorted(names), partitions)

    def level(self) -> None:
        """Move the checkpoints to where the last of their partitions is."""
        with self._database.connection() as connection:
            spread.level(connection, sorted(self._projections))

    def _fails(
        self, connection: Connection[TupleRow], name: str, stretches: Stretches, partitions: int
    ) -> bool:
        try:
            return bool(self._fold(connection, [name], stretches, partitions))
        except Exception as error:
            if isinstance(error, Strange) or not is_folds_fault(error):
                raise
            return True

    def _fold(
        self, connection: Connection[TupleRow], names: Sequence[str], stretches: Stretches, partitions: int
    ) -> set[str]:
        reached = {number: stretch.upto for number, stretch in stretches.items()}
        events = sum(len(stretch.rows) for stretch in stretches.values())
        with Work("fold", positions=events, upto=max(reached.values())) as work, connection.transaction():
            # As in the log's own order: rows and positions are lost together, and folded again.
            connection.execute("SET LOCAL synchronous_commit = off")
            stood = standing.share(connection, names)
            connection.execute(
                "SELECT pg_advisory_xact_lock(%s, x) FROM unnest(%s::integer[]) x", (_LOCK, sorted(reached))
            )
            known = spread.spreads(connection, names)
            floors = {
                name: floor
                for name, stands in stood.items()
                if (floor := self._floor(stands, known.get(name), stretches, partitions)) is not None
            }
            if floors:
                self._check(connection, stretches, partitions, min(stood[name].position for name in floors))
                self._write(connection, stretches, partitions, floors)
                _move(connection, sorted(floors), reached)
            work.facts["projections"] = sorted(floors)
        return set(names) - floors.keys()

    def _floor(
        self, stands: Standing, known: Spread | None, stretches: Stretches, partitions: int
    ) -> dict[int, int] | None:
        """Up to where it has each partition's events; None if it can't go on with the stretches."""
        fits = stands.fingerprint == self._fingerprints[stands.name] and stands.failure is None
        if not fits or known is None or known.partitions != partitions:
            return None
        floor = {number: max(stands.position, known.positions.get(number, 0)) for number in stretches}
        return floor if all(floor[number] >= stretches[number].after for number in stretches) else None

    def _check(
        self, connection: Connection[TupleRow], stretches: Stretches, partitions: int, counted: int
    ) -> None:
        end = log.head(connection)
        for number, stretch in stretches.items():
            if stretch.upto > end:
                raise Strange(f"there is an event {stretch.upto}, and the log ends at {end}")
            for row in stretch.rows:
                if row[2] > counted and partition_of(row[0], partitions) != number:
                    raise Strange(f"event {row[2]} is not in its stream's partition, but in {number}")

    def _write(
        self,
        connection: Connection[TupleRow],
        stretches: Stretches,
        partitions: int,
        floors: Mapping[str, dict[int, int]],
    ) -> None:
        """Each event to those projections that don't have it."""
        projections = [self._projections[name] for name in floors]
        categories = log.categories(projections)
        lowest = {number: min(floor[number] for floor in floors.values()) for number in stretches}
        rows = [
            row
            for number, stretch in stretches.items()
            for row in stretch.rows
            if row[2] > lowest[number] and row[0].partition("-")[0] in categories
        ]
        facts = log.decoded(connection, rows, categories)
        for projection in projections:
            of_category = facts[projection.category]
            if floors[projection.name] != lowest:
                of_category = Spread(partitions, floors[projection.name]).left(of_category)
            if of_category:
                fold_batch(connection, projection, of_category, "read")


def _move(connection: Connection[TupleRow], names: Sequence[str], reached: Mapping[int, int]) -> None:
    connection.execute(
        "UPDATE read.partition p SET position = reached.position"
        " FROM unnest(%s::integer[], %s::bigint[]) AS reached (partition, position)"
        " WHERE p.projection = ANY(%s) AND p.partition = reached.partition AND p.position < reached.position",
        (list(reached), list(reached.values()), list(names)),
    )
