"""The log in PostgreSQL: services.ports.Store, and the cheap raw reading that projections want."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from logging import DEBUG
from typing import Any, cast

import psycopg

from adapters.logging import Logger, shows
from adapters.observing.work import Work
from adapters.postgres.appending import Appender, Appending
from adapters.postgres.codec import COLUMNS, Codec, Prepared, RawRow
from adapters.postgres.database import Database
from adapters.postgres.group_commit import GroupCommit
from adapters.postgres.judging import Known, Placed
from adapters.postgres.vault import MAY_OPEN, SECRETS, TextOpener, key_ids
from adapters.postgres.wire import array_literal
from domain.kernel import Event, Recorded
from services.ports import Appended, Bookmark, Duplicate, Outcome, Unit

_logger = Logger(__name__)

READ_ATTEMPTS_MAX = 5
EVENTS_MOSTLY_MAX = 6
"""Few actions have more events than this; those that do take another look."""

# LIMIT keeps the planner to one look into the index for each: what it knows of a growing log is out of
# date, and a join by ranges was a scan of the whole log for each batch.
_BEGINNINGS = """
    SELECT first.notification_id, wanted.source, wanted.action
    FROM unnest(%s::text[], %s::text[]) AS wanted (source, action)
    CROSS JOIN LATERAL (
        SELECT notification_id FROM log.event
        WHERE action_source = wanted.source AND action_id = wanted.action AND action_seq = 0 LIMIT 1
    ) AS first
"""
_AT_POSITIONS = f"SELECT {COLUMNS} FROM log.event WHERE notification_id = ANY(%s)"


class PostgresStore:
    """The log. One per process and database, for any number of threads; made anew after a fork."""

    def __init__(self, database: Database, codec: Codec | None = None) -> None:
        self._database = database
        self._codec = codec or Codec()
        self._appender = Appender(database)
        self._group: GroupCommit[Appending] = GroupCommit(self._appender.commit)
        self._secret: bytes | None = None
        self._may_open: bool | None = None
        self.decode = self._codec.decode

    def append(self, units: Sequence[Unit], bookmark: Bookmark | None = None) -> list[Outcome]:
        """See the port. Raises Unstorable before anything is written; psycopg.OperationalError if the
        database stays away: what was recorded is then found by the action ids, when asked again."""
        return self.append_prepared([Prepared(unit) for unit in units], bookmark)

    def append_prepared(self, units: list[Prepared], bookmark: Bookmark | None = None) -> list[Outcome]:
        """`append` of what is ready for it."""
        if not units and bookmark is None:
            return []
        call = Appending(units, bookmark)
        with Work("append", actions=len(units)):
            self._group.submit(call)
        return self._outcomes(call)

    def load(self, streams: Iterable[str]) -> dict[str, list[Recorded[Event]]]:
        """Every event of each stream, in order; a stream without events gives an empty list. One query."""
        found: dict[str, list[Recorded[Event]]] = {stream: [] for stream in streams}
        if found:
            query = (
                f"SELECT {COLUMNS} FROM log.event WHERE originator_id = ANY(%s::text[])"
                " ORDER BY originator_id, originator_version"
            )
            for fact in self._facts(query, [array_literal(list(found), None)]):
                found[fact.stream].append(fact)
        return found

    def load_beneath(self, *prefixes: str) -> list[Recorded[Event]]:
        """Every event of the streams whose names begin with one of these, in the order of the log."""
        query = f"SELECT {COLUMNS} FROM log.event WHERE originator_id >= %s AND originator_id < %s"
        found = [
            fact
            for prefix in prefixes
            for fact in self._facts(query, [prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)])
        ]
        return sorted(found, key=lambda fact: fact.position)

    def at(self, positions: Iterable[int]) -> list[Recorded[Event]]:
        """The events at these positions, in the order of the log."""
        return sorted(self._facts(_AT_POSITIONS, [list(positions)]), key=lambda fact: fact.position)

    def recorded(self, actions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Recorded[Event]]]:
        """The facts recorded for each (source, action id); an action that is not in the log is left out."""
        found: dict[tuple[str, str], list[Recorded[Event]]] = {}
        if not actions:
            return found
        wanted = [array_literal(column, None) for column in zip(*set(actions), strict=True)]
        pending = {(source, action): first for first, source, action in self._select(_BEGINNINGS, wanted)}
        while pending:
            # An action's events are neighbours in the log, and mostly few: no index has to name each.
            positions = {
                first + further for first in pending.values() for further in range(EVENTS_MOSTLY_MAX)
            }
            facts = {fact.position: fact for fact in self.at(positions)}
            pending = {
                key: first + EVENTS_MOSTLY_MAX
                for key, first in pending.items()
                if self._collect(facts, first, found.setdefault(key, []), key)
            }
        return found

    def _collect(
        self,
        known: Mapping[int, Recorded[Event]],
        first: int,
        facts: list[Recorded[Event]],
        key: tuple[str, str],
    ) -> bool:
        """Take the events of that action from `first` on; whether there may be more of them."""
        for position in range(first, first + EVENTS_MOSTLY_MAX):
            fact = known.get(position)
            if fact is None or (fact.source, fact.action) != key:
                return False
            facts.append(fact)
        return True

    def read(
        self,
        after: int,
        upto: int | None = None,
        page: int = 5000,
        *,
        names: Sequence[str] | None = None,
    ) -> Iterator[list[Recorded[Event]]]:
        """The log from behind position `after` to `upto` (inclusive; default: its end now), page by page.

        With `names` only events stored under these.
        """
        for _, rows in self.read_raw(after, upto, page, names=names):
            yield self.decoded(rows)

    def decoded(self, rows: Sequence[RawRow]) -> list[Recorded[Event]]:
        """The rows as facts, with the personal texts that the vault can still open, if the login may."""
        ids = key_ids(row[5] for row in rows)
        opening = TextOpener(dict(self._select(SECRETS, [ids]))) if ids and self._opens() else None
        return [self.decode(row, opening) for row in rows]

    def read_raw(
        self,
        after: int,
        upto: int | None = None,
        page: int = 5000,
        *,
        names: Sequence[str] | None = None,
        category: str | None = None,
        partition: tuple[int, int] | None = None,
    ) -> Iterator[tuple[int, list[RawRow]]]:
        """Undecoded rows for `decode`: (the position that the page reaches, its rows that match, in order).

        Filters, each optional: stored `names`; the stream's `category`, "deal" for streams "deal-…";
        `partition` (i, n): streams whose crc32 modulo n is i. Pages are of `page` positions, matching or not.
        """
        end = self.head() if upto is None else min(upto, self.head())
        query = f"SELECT {COLUMNS} FROM log.event WHERE notification_id > %s AND notification_id <= %s"
        filters: list[Any] = []
        if names is not None:
            query += " AND topic = ANY(%s)"
            filters.append(list(names))
        if category is not None:
            query += " AND starts_with(originator_id, %s)"
            filters.append(f"{category}-")
        query += " ORDER BY notification_id"
        while after < end:
            reached = min(after + page, end)
            rows = self._select(query, [after, reached, *filters])
            if partition is not None:
                part, parts = partition
                rows = [row for row in rows if zlib.crc32(row[0].encode()) % parts == part]
            yield reached, rows
            after = reached

    def head(self) -> int:
        """The last position, 0 for an empty log."""
        return cast(int, self._value("SELECT coalesce(max(notification_id), 0) FROM log.event"))

    def live(self) -> bool:
        """Whether anything was recorded that wasn't taken over from an older system."""
        query = "SELECT NOT migrated FROM log.event ORDER BY notification_id DESC LIMIT 1"
        return any(live for (live,) in self._select(query, ()))

    def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before the moment, 0 if none was."""
        return cast(int, self._value("SELECT log.position_at(%s)", [moment]))

    def secret(self) -> bytes:
        """32 random bytes of this database's own, the key of the HMACs that name identity-key streams."""
        if self._secret is None:
            self._secret = cast(
                bytes, self._value("SELECT value FROM vault.secret WHERE name = 'identity_keys'")
            )
        return self._secret

    def close(self) -> None:
        """Give the appending connection back; the database stays open."""
        self._appender.close()

    def _opens(self) -> bool:
        if self._may_open is None:
            self._may_open = bool(self._value(MAY_OPEN))
        return self._may_open

    def _outcomes(self, call: Appending) -> list[Outcome]:
        known = [
            p.key
            for p, verdict in zip(call.prepared, call.verdicts, strict=True)
            if verdict.__class__ is Known
        ]
        earlier = self.recorded(known) if known else {}
        outcomes: list[Outcome] = []
        for prepared, verdict in zip(call.prepared, call.verdicts, strict=True):
            if isinstance(verdict, Placed):
                _tell(prepared, verdict)
                outcomes.append(Appended(prepared.facts(verdict.position, verdict.recorded_at)))
            elif isinstance(verdict, Known):
                outcomes.append(Duplicate(earlier[prepared.key]))
            else:
                outcomes.append(verdict)
        return outcomes

    def _value(self, query: str, parameters: Sequence[Any] = ()) -> object:
        return self._select(query, parameters)[0][0]

    def _facts(self, query: str, parameters: Sequence[Any]) -> list[Recorded[Event]]:
        return self.decoded(cast(list[RawRow], self._select(query, parameters)))

    def _select(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Asked again on a fresh connection if one is lost. Planned each time: the table may have grown."""
        for attempt in range(1, READ_ATTEMPTS_MAX + 1):
            try:
                with self._database.connection() as connection, connection.cursor(binary=True) as cursor:
                    cursor.execute(query, parameters, prepare=False)
                    return cursor.fetchall()
            except psycopg.OperationalError:
                self._database.forget_broken()
                if attempt == READ_ATTEMPTS_MAX:
                    raise
        raise AssertionError("not reached")


def _tell(prepared: Prepared, placed: Placed) -> None:
    if shows(DEBUG):
        unit = prepared.unit
        _logger.debug(
            "recorded",
            source=unit.source,
            action=unit.action,
            correlation=unit.correlation_id,
            position=placed.position,
            events=len(unit.events),
        )
