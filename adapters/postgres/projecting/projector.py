"""The projections of a database: caught up, followed, rebuilt, and read from."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.logging import Logger
from adapters.outage import Outage
from adapters.postgres.database import Database
from adapters.postgres.projecting import as_of, standing
from adapters.postgres.projecting.as_of import AsOf, NotBuilt, Snapshot
from adapters.postgres.projecting.live import BATCH, Live
from adapters.postgres.projecting.rebuild import Rebuild
from adapters.postgres.projecting.resting import Resting
from adapters.postgres.projecting.standing import Standing
from projections.kernel import Failure, Progress, Projection

CHANNEL = "event"
"""What the store notifies after each commit: a hint only, so polling goes on beside it."""

_logger = Logger(__name__)


class _Stopped(Exception):  # noqa: N818 - named for what happened
    """The worker was told to stop while it had more to do."""


class Projector:
    """All projections of one database. Any number may run at once, in any number of processes."""

    def __init__(self, database: Database, projections: Sequence[Projection], *, batch: int = BATCH) -> None:
        self._database = database
        self._projections = tuple(projections)
        self._live = Live(database, projections, batch)
        self._rebuild = Rebuild(database, projections)
        self._fitted: set[str] = set()
        self._lost: set[str] = set()

    def catch_up(
        self,
        upto: int | None = None,
        progress: Progress | None = None,
        leave: frozenset[str] = frozenset(),
    ) -> list[Failure]:
        """Bring every projection but those to `leave` to `upto` (default: the log's end now).

        What is unfit is built first. Gives back where projections stopped; they were tried again, and the
        others went on.
        """
        failures = self._build_unfit(leave, progress)
        stopped = frozenset(failure.projection for failure in failures)
        return failures + self._live.catch_up(upto, progress, leave | stopped)

    def rebuild(
        self,
        names: Sequence[str] | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> list[Failure]:
        """Build anew, beside the live tables, with that many processes (default: one per core), and swap.

        Gives back what failed: its tables stay as they are. Raises LookupError for an unknown name.
        """
        known = [projection.name for projection in self._projections]
        if unknown := set(names or ()).difference(known):
            raise LookupError(
                f"no projection named {', '.join(sorted(unknown))}; there are {', '.join(known)}"
            )
        return self._rebuild.run(lambda: known if names is None else names, workers, progress)

    def standings(self) -> dict[str, Standing]:
        """Where each projection that was ever built stands, and its failure if it stopped."""
        with self._database.connection() as connection:
            return standing.standings(connection)

    def wait_for(self, position: int, timeout: float, names: Sequence[str] | None = None) -> None:
        """Return once the projections (default: all) have counted `position`, whoever moves them.

        Raises NotBuilt at once for one that stopped before it, TimeoutError after `timeout` seconds.
        """
        wanted = [each.name for each in self._projections] if names is None else names
        give_up_at = time.monotonic() + timeout
        pause = 0.002
        while behind := self._behind(wanted, position):
            if time.monotonic() >= give_up_at:
                raise TimeoutError(f"not at position {position} after {timeout} s: {', '.join(behind)}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    def snapshot(
        self,
        names: Sequence[str] | None = None,
        at: AsOf | None = None,
        progress: Progress | None = None,
    ) -> AbstractContextManager[Snapshot]:
        """The tables of these projections (default: all) standing still: as they are, or as of a past moment.

        Raises NotBuilt for the present, FoldStopped for the past.
        """
        chosen = [each for each in self._projections if names is None or each.name in names]
        if at is None:
            return as_of.live(self._database, chosen)
        return as_of.past(self._database, chosen, at, progress)

    def follow(self, stop: threading.Event, poll: float = 0.25) -> None:
        """Keep up with the log until `stop` is set: the worker. `poll` seconds pass at most between looks.

        Outlives a database that goes away and comes back. Stops between batches, however far it is behind.
        """
        resting, outage = Resting(), Outage()
        with suppress(_Stopped):
            while not stop.is_set():
                try:
                    with self._listening() as connection:
                        if outage.ends():
                            _logger.warning("database_back")
                        self._follow(connection, stop, poll, resting)
                except OperationalError as error:
                    if outage.is_news(why := str(error).strip()):
                        _logger.warning("database_away", error=why)
                    stop.wait(1.0)

    def _follow(
        self, connection: Connection[TupleRow], stop: threading.Event, poll: float, resting: Resting
    ) -> None:
        def heed(_done: int, _total: int) -> None:
            if stop.is_set():
                raise _Stopped

        while not stop.is_set():
            leave = resting.names()
            failures = self.catch_up(None, heed, leave)
            resting.note(failures, leave)
            for _ in connection.notifies(timeout=poll, stop_after=1):
                pass

    @contextmanager
    def _listening(self) -> Iterator[Connection[TupleRow]]:
        with self._database.connection() as connection:
            connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.execute("UNLISTEN *")

    def _build_unfit(self, leave: frozenset[str], progress: Progress | None) -> list[Failure]:
        names = [name for name in self._unfit() if name not in leave]
        if not names:
            return []
        failures = self._rebuild.run(
            lambda: [name for name in self._unfit() if name in names], None, progress
        )
        self._fitted.update(set(names).difference(failure.projection for failure in failures))
        return failures

    def _unfit(self) -> list[str]:
        """What fitted before and does no more was rebuilt by another version: it is theirs from then on.

        Two versions that run at once would otherwise rebuild each other's tables for ever.
        """
        unfit = self._live.unfit()
        for name in self._fitted.intersection(unfit):
            self._fitted.discard(name)
            self._lost.add(name)
            _logger.warning("projection_taken_over", projection=name)
        self._fitted.update(each.name for each in self._projections if each.name not in unfit)
        return [name for name in unfit if name not in self._lost]

    def _behind(self, wanted: Sequence[str], position: int) -> list[str]:
        stored = self.standings()
        behind = []
        for name in wanted:
            found = stored.get(name)
            if found is None or found.position < position:
                behind.append(name)
                if found is not None and found.failure is not None:
                    raise NotBuilt(name, found.failure)
        return behind
