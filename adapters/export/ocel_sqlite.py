"""OCEL 2.0 as an SQLite database, in the tables and constraints of the standard's relational format."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.export.attributes import ENVELOPE, Kind, own, values
from adapters.export.concerns import OBJECT_TYPES
from adapters.export.objects import Seen, Values, World, bonds, columns_of
from domain.kernel import Event, Recorded

ALWAYS = "1970-01-01T00:00:00.000000Z"
"""The standard's time of values that an object has from the beginning."""

_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
CREATE TABLE event (
    ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL REFERENCES event_map_type (ocel_type));
CREATE TABLE object (
    ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL REFERENCES object_map_type (ocel_type));
CREATE TABLE event_object (
    ocel_event_id TEXT NOT NULL REFERENCES event (ocel_id),
    ocel_object_id TEXT NOT NULL REFERENCES object (ocel_id),
    ocel_qualifier TEXT NOT NULL,
    PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
CREATE TABLE object_object (
    ocel_source_id TEXT NOT NULL REFERENCES object (ocel_id),
    ocel_target_id TEXT NOT NULL REFERENCES object (ocel_id),
    ocel_qualifier TEXT NOT NULL,
    PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier));
CREATE TEMPORARY TABLE concern (event TEXT, object TEXT, qualifier TEXT);
CREATE TEMPORARY TABLE bond (source TEXT, target TEXT, qualifier TEXT);
"""

# What names an object that the log never made (a payment for a deal that nobody recorded) has no counterpart.
_RELATIONS = (
    "INSERT INTO event_object SELECT event, object, qualifier"
    " FROM concern JOIN object ON ocel_id = object ORDER BY concern.rowid",
    "INSERT OR IGNORE INTO object_object SELECT source, target, qualifier"
    " FROM bond JOIN object AS one ON one.ocel_id = source JOIN object AS other ON other.ocel_id = target"
    " ORDER BY bond.rowid",
)

_TYPES: dict[Kind, str] = {"string": "TEXT", "time": "TIMESTAMP", "integer": "INTEGER", "boolean": "BOOLEAN"}


def write_ocel_sqlite(pages: Iterable[list[Recorded[Event]]], path: Path) -> None:
    """Make the database at `path`, where nothing is yet. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        writer, world = _Writer(database), World()
        for page in pages:
            for fact in page:
                writer.write(fact, world.see(fact))
            writer.flush()
        for statement in _RELATIONS:
            database.execute(statement)
        database.execute("COMMIT")


def mapped(event_type: str) -> str:
    """The event type as its table is called: `leads_LeadClaimed` for event_leads_LeadClaimed."""
    return event_type.replace(".", "_")


class _Writer:
    """Gathers rows by statement and writes them together."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._rows: dict[str, list[Sequence[Any]]] = {}
        self._events: dict[str, str] = {}
        for kind in OBJECT_TYPES:
            self._create_object_table(kind)

    def write(self, fact: Recorded[Event], seen: Seen) -> None:
        name = str(fact.position)
        kind = fact.event.stored_name
        insert = self._events.get(kind) or self._create_event_table(type(fact.event))
        self._add("INSERT INTO event VALUES (?, ?)", (name, kind))
        self._add(insert, (name, stored(fact.occurred_at), *map(stored, values(fact))))
        if seen.born is not None:
            born_kind, born, lasting = seen.born
            self._add("INSERT INTO object VALUES (?, ?)", (born, born_kind))
            self._tell(born_kind, born, ALWAYS, None, lasting)
        for changed_kind, changed, news in seen.changes:
            for field, value in news.items():
                self._tell(changed_kind, changed, stored(fact.occurred_at), field, {field: value})
        concerns = [(name, concerned, qualifier) for concerned, qualifier in seen.concerns]
        self._rows.setdefault("INSERT INTO concern VALUES (?, ?, ?)", []).extend(concerns)
        self._rows.setdefault("INSERT INTO bond VALUES (?, ?, ?)", []).extend(bonds(seen))

    def flush(self) -> None:
        for insert, rows in self._rows.items():
            self._database.executemany(insert, rows)
        self._rows.clear()

    def _tell(self, kind: str, name: str, time: Any, field: str | None, news: Values) -> None:
        told = [stored(news.get(one)) for one in columns_of(kind)]
        marks = ", ".join("?" * (3 + len(told)))
        self._add(f"INSERT INTO object_{kind} VALUES ({marks})", (name, time, field, *told))

    def _add(self, insert: str, row: Sequence[Any]) -> None:
        self._rows.setdefault(insert, []).append(row)

    def _create_event_table(self, event: type[Event]) -> str:
        kind = event.stored_name
        fields = {**ENVELOPE, **own(event)}
        columns = "".join(f', "{name}" {_TYPES[type_]}' for name, type_ in fields.items())
        table = f"event_{mapped(kind)}"
        self._database.execute("INSERT INTO event_map_type VALUES (?, ?)", (kind, mapped(kind)))
        self._database.execute(
            f"CREATE TABLE {table} (ocel_id TEXT PRIMARY KEY REFERENCES event (ocel_id),"
            f" ocel_time TIMESTAMP NOT NULL{columns})"
        )
        self._events[kind] = f"INSERT INTO {table} VALUES ({', '.join('?' * (2 + len(fields)))})"
        return self._events[kind]

    def _create_object_table(self, kind: str) -> None:
        columns = "".join(f', "{name}" {_TYPES[type_]}' for name, type_ in columns_of(kind).items())
        self._database.execute("INSERT INTO object_map_type VALUES (?, ?)", (kind, kind))
        self._database.execute(
            f"CREATE TABLE object_{kind} (ocel_id TEXT NOT NULL REFERENCES object (ocel_id),"
            f" ocel_time TIMESTAMP NOT NULL, ocel_changed_field TEXT{columns})"
        )
        self._database.execute(f"CREATE INDEX object_{kind}_ocel_id ON object_{kind} (ocel_id)")


def stored(value: Any) -> Any:
    """A value as SQLite keeps it: times in UTC with Z, money as its digits."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value
