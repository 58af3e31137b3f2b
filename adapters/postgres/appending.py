"""One transaction that judges and records a group of calls, and is repeated when the connection is lost."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import cast

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed

from adapters.observing.work import Work
from adapters.postgres import bookmarks, vault
from adapters.postgres.codec import COPIED_COLUMNS, Prepared
from adapters.postgres.database import Database
from adapters.postgres.group_commit import Call
from adapters.postgres.judging import Judge, Placed, Verdict
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.wire import array_literal
from services.ports import Bookmark, Superseded

ATTEMPTS_MAX = 8
BACKOFF_SECONDS = 0.05
"""Before the second attempt; doubled each time: some six seconds in all."""

_PLANS = (
    "SET plan_cache_mode = force_generic_plan;"
    # Plans are kept while the table grows from nothing: what suits an empty one must not be chosen.
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"
)
_STATE = """
SELECT 0, NULL::text, NULL::text, coalesce(last.notification_id, 0), last.recorded_at, last.migrated,
    pg_current_xact_id()::text
FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
    SELECT notification_id, recorded_at, migrated FROM log.event ORDER BY notification_id DESC LIMIT 1
) AS last ON true
UNION ALL
SELECT 1, wanted.stream, NULL, last.originator_version, NULL, NULL, NULL
FROM unnest(%s::text[]) AS wanted (stream) CROSS JOIN LATERAL (
    SELECT originator_version FROM log.event WHERE originator_id = wanted.stream
    ORDER BY originator_version DESC LIMIT 1
) AS last
UNION ALL
SELECT 2, wanted.source, wanted.action, NULL, NULL, NULL, NULL
FROM unnest(%s::text[], %s::text[]) AS wanted (source, action) CROSS JOIN LATERAL (
    SELECT FROM log.event
    WHERE action_source = wanted.source AND action_id = wanted.action AND action_seq = 0 LIMIT 1
) AS first
"""


class Appending(Call):
    """A caller's units on their way into the log, with a bookmark or none, and what became of each."""

    __slots__ = ("bookmark", "prepared", "verdicts")

    def __init__(self, prepared: Sequence[Prepared], bookmark: Bookmark | None = None) -> None:
        super().__init__()
        self.prepared = prepared
        self.bookmark = bookmark
        self.verdicts: list[Verdict] = []


class Appender:
    """Owns the connection that appends. Not for two threads at once: group commit sees to that."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection[TupleRow] | None = None
        self._begin = ""
        self._unanswered: str | None = None

    def commit(self, calls: list[Appending]) -> None:
        """Judge and record the calls, leaving verdicts or an error in each.

        Raises psycopg.OperationalError after ATTEMPTS_MAX attempts to reach the database; the action ids
        then tell, when asked again, what was recorded.
        """
        try:
            self._commit_together(calls)
        except psycopg.Error as failed:
            if len(calls) == 1 or isinstance(failed, psycopg.OperationalError):
                raise
            for (
                call
            ) in calls:  # One of them holds what PostgreSQL will not take; the others shall not suffer.
                try:
                    self._commit_together([call])
                except psycopg.Error as its_own:
                    call.error = its_own

    def close(self) -> None:
        """Let the connection go; the next commit opens another."""
        if self._connection is not None:
            self._connection.close()  # Its settings are not what others expect of the pool's connections.
            self._database.datastore.pool.putconn(self._connection)  # type: ignore[arg-type]
            self._connection = None

    def _commit_together(self, calls: list[Appending]) -> None:
        self._unanswered = None
        for attempt in range(ATTEMPTS_MAX):
            try:
                with Work("commit", actions=sum(len(call.prepared) for call in calls)) as work:
                    work.facts["events"] = self._attempt(calls)
                return
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self.close()
                self._database.forget_broken()
                if attempt == ATTEMPTS_MAX - 1:
                    raise
                time.sleep(BACKOFF_SECONDS * 2**attempt)
            except BaseException:
                self.close()
                raise

    def _attempt(self, calls: list[Appending]) -> int:
        """How many events this wrote."""
        connection = self._connection or self._connect()
        connection.execute(self._begin)
        if self._unanswered is not None and self._was_committed(connection, self._unanswered):
            connection.execute("ROLLBACK")
            return 0  # The verdicts of the attempt that got no answer stand.
        self._unanswered = None
        judge, transaction = self._look(connection, calls)
        moved = self._judge(connection, judge, calls)
        if not judge.lines and not moved:
            connection.execute("ROLLBACK")
            return 0
        if judge.lines:
            self._copy(connection, judge.lines)
        self._unanswered = transaction
        self._finish(connection, *vault.changes(judge.erased, judge.keys), *bookmarks.moves(moved))
        return len(judge.lines)

    def _judge(
        self, connection: Connection[TupleRow], judge: Judge, calls: Sequence[Appending]
    ) -> list[Bookmark]:
        """Leave each call its verdicts, or Superseded; gives the bookmarks that move."""
        marked = [call.bookmark.reader for call in calls if call.bookmark is not None]
        stand = bookmarks.where(connection, marked) if marked else {}
        moved = []
        for call in calls:
            call.error, bookmark = None, call.bookmark
            if bookmark is not None and stand.get(bookmark.reader) != bookmark.at:
                call.error = Superseded(bookmark.reader)
                continue
            call.verdicts = judge.verdicts(call.prepared, in_order=bookmark is not None)
            if bookmark is None or bookmark.to == bookmark.at:
                continue
            if all(isinstance(verdict, Placed) for verdict in call.verdicts):
                stand[bookmark.reader] = bookmark.to
                moved.append(bookmark)
        return moved

    def _look(self, connection: Connection[TupleRow], calls: Sequence[Appending]) -> tuple[Judge, str]:
        """One query for all that the judge must know, and the transaction's own id."""
        units = [prepared.unit for call in calls for prepared in call.prepared]
        streams = {stream for unit in units for stream in unit.expected}
        wanted = (
            array_literal(list(streams), None),
            array_literal([unit.source for unit in units], None),
            array_literal([unit.action for unit in units], None),
        )
        rows = connection.execute(_STATE, wanted, prepare=True, binary=True).fetchall()
        versions: dict[str, int] = {}
        actions: set[tuple[str, str]] = set()
        for kind, first, second, number, recorded_at, migrated, transaction in rows:
            if kind == 0:
                last: tuple[int, datetime | None, bool | None, str] = (
                    number,
                    recorded_at,
                    migrated,
                    transaction,
                )
            elif kind == 1:
                versions[first] = number
            else:
                actions.add((first, second))
        return Judge(versions, actions, position=last[0], recorded_at=last[1], live=last[2] is False), last[3]

    def _copy(self, connection: Connection[TupleRow], lines: Iterable[bytes]) -> None:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY log.event ({COPIED_COLUMNS}) FROM STDIN") as copy,
        ):
            copy.write(b"".join(lines))

    def _finish(self, connection: Connection[TupleRow], *before: Composed) -> None:
        """The last statements and the end, in one round trip."""
        connection.execute(SQL("; ").join([*before, SQL("COMMIT")]))

    def _was_committed(self, connection: Connection[TupleRow], transaction: str) -> bool:
        """With the lock held no other appending transaction is under way, so the answer is final."""
        row = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
        return row == ("committed",)

    def _connect(self) -> Connection[TupleRow]:
        if not self._begin:
            self._begin = LogRecorder(self._database.datastore).begin()
        pool = self._database.datastore.pool
        pool.open(wait=False)
        connection = cast(Connection[TupleRow], pool.getconn())
        connection.row_factory = psycopg.rows.tuple_row
        self._connection = connection
        connection.execute(_PLANS)
        return connection
