"""The read tables brought up to the log's end, batch by batch, each batch in one transaction."""

from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.observing.work import Work
from adapters.postgres.database import Database
from adapters.postgres.projecting import log, spread, standing
from adapters.postgres.projecting.batch import fold_batch
from adapters.postgres.projecting.failures import failed, is_folds_fault, report
from adapters.postgres.projecting.standing import Checkpoints, Standing, fingerprint
from projections.kernel import Failure, Progress, Projection

BATCH = 5000
"""Positions per transaction."""


class Live:
    """Moves the live tables of projections that are built. A projection that fails stops at its place."""

    def __init__(self, database: Database, projections: Sequence[Projection], batch: int = BATCH) -> None:
        self._database = database
        self._projections = {projection.name: projection for projection in projections}
        self._fingerprints = {projection.name: fingerprint(projection) for projection in projections}
        self._batch = batch
        self._checkpoints = Checkpoints()

    def unfit(self) -> list[str]:
        """Projections that are not built, or from other row models or another version than ours."""
        with self._database.connection() as connection:
            stored = standing.standings(connection)
        return [name for name in self._projections if not self._fits(stored.get(name))]

    def catch_up(
        self, upto: int | None = None, progress: Progress | None = None, leave: frozenset[str] = frozenset()
    ) -> list[Failure]:
        """Bring all that are fit, but those to `leave`, to position `upto` (default: the log's end now).

        Gives back the failures met. Each failed projection was tried once, and stands before its place.
        """
        with self._database.connection() as connection:
            end = log.head(connection)
            end = end if upto is None else min(upto, end)
            failures: dict[str, Failure] = {}
            while behind := self._behind(connection, end, leave.union(failures)):
                if progress is not None:
                    progress(min(each.position for each in behind), end)
                for failure in self._advance(connection, behind, end):
                    failures[failure.projection] = failure
        if progress is not None:
            progress(end, end)
        return list(failures.values())

    def _fits(self, stored: Standing | None) -> bool:
        return stored is not None and stored.fingerprint == self._fingerprints[stored.name]

    def _behind(self, connection: Connection[TupleRow], end: int, leave: frozenset[str]) -> list[Standing]:
        stored = standing.standings(connection).values()
        ours = [each for each in stored if each.name in self._projections and each.name not in leave]
        return [each for each in ours if each.position < end and self._fits(each)]

    def _advance(
        self, connection: Connection[TupleRow], behind: Sequence[Standing], end: int
    ) -> list[Failure]:
        """One batch for those that are furthest behind, at most to where the next ones stand."""
        after = min(each.position for each in behind)
        ahead = [each.position for each in behind if each.position > after]
        upto = min([after + self._batch, end, *ahead])
        names = [each.name for each in behind if each.position == after]
        try:
            self._fold(connection, names, after, upto)
        except Exception as error:
            if not is_folds_fault(error):
                raise
            alone = [self._narrow(connection, name, after, upto) for name in names]
            return [failure for failure in alone if failure is not None]
        return []

    def _narrow(self, connection: Connection[TupleRow], name: str, after: int, upto: int) -> Failure | None:
        """Fold for one projection as far as it goes, halving what fails down to the event that does."""
        try:
            self._fold(connection, [name], after, upto)
        except Exception as error:
            if not is_folds_fault(error):
                raise
            if upto - after == 1:
                return self._stop(connection, name, upto, error)
            middle = (after + upto) // 2
            failure = self._narrow(connection, name, after, middle)
            return failure if failure is not None else self._narrow(connection, name, middle, upto)
        return None

    def _fold(self, connection: Connection[TupleRow], names: Sequence[str], after: int, upto: int) -> None:
        """One batch in one transaction. Those that another runner moved or rebuilt meanwhile are left out."""
        with Work("fold", positions=upto - after, upto=upto) as work, connection.transaction():
            # Lost in a crash of the server, rows and checkpoint go together and are folded again.
            connection.execute("SET LOCAL synchronous_commit = off")
            locked = standing.lock(connection, names).values()
            current = [each for each in locked if each.position == after and self._fits(each)]
            projections = [self._projections[each.name] for each in current]
            work.facts["projections"] = [each.name for each in current]
            facts = log.read(connection, after, upto, log.categories(projections))
            ahead = spread.ahead(connection, [each.name for each in current], after)
            for stored, projection in zip(current, projections, strict=True):
                of_category = facts[projection.category]
                if stored.name in ahead:
                    of_category = ahead[stored.name].left(of_category)
                if of_category:
                    fold_batch(connection, projection, of_category, "read")
                self._checkpoints.move(connection, projection.name, upto)
                if stored.failure is not None:
                    standing.clear_failure(connection, projection.name)

    def _stop(self, connection: Connection[TupleRow], name: str, position: int, error: Exception) -> Failure:
        failure = failed(connection, name, position, error)
        with connection.transaction():
            stored = standing.lock(connection, [name]).get(name)
            if stored is not None and stored.position == position - 1 and stored.failure != failure:
                standing.store_failure(connection, failure)
                report(failure)
        return failure
