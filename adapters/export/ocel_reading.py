"""An OCEL 2.0 database read back: what its JSON and XES forms are written from."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KINDS = {"TEXT": "string", "TIMESTAMP": "time", "INTEGER": "integer", "BOOLEAN": "boolean"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value that is there, with its OCEL type: `string`, `time`, `integer` or `boolean`."""

    name: str
    kind: str
    value: Any

    @property
    def text(self) -> str:
        """As JSON and XML write it."""
        return ("true" if self.value else "false") if self.kind == "boolean" else str(self.value)


class Ocel:
    """One event or object at a time. `prefix` is `event` or `object` throughout."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._tables = {
            prefix: dict(database.execute(f"SELECT * FROM {prefix}_map_type ORDER BY rowid"))
            for prefix in ("event", "object")
        }
        self._columns: dict[str, list[tuple[str, str]]] = {}

    def types(self, prefix: str) -> list[str]:
        """In the order in which they came up."""
        return list(self._tables[prefix])

    def columns(self, prefix: str, kind: str) -> list[tuple[str, str]]:
        """A type's attributes: names and OCEL types."""
        table = f"{prefix}_{self._tables[prefix][kind]}"
        if table not in self._columns:
            rows = self._database.execute(f"SELECT name, type FROM pragma_table_info('{table}')")
            self._columns[table] = [(name, _KINDS[type_]) for name, type_ in rows if name[:5] != "ocel_"]
        return self._columns[table]

    def named(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Every id with its type, in the order of the log."""
        yield from self._database.execute(f"SELECT ocel_id, ocel_type FROM {prefix} ORDER BY rowid")

    def event(self, name: str, kind: str) -> tuple[str, list[Attribute]]:
        """When it happened, and the attributes that it has."""
        table = f"event_{self._tables['event'][kind]}"
        row = self._database.execute(f"SELECT * FROM {table} WHERE ocel_id = ?", (name,)).fetchone()
        return row[1], self._present("event", kind, row[2:])

    def object(self, name: str, kind: str) -> Iterator[tuple[str, list[Attribute]]]:
        """What was told of it when; an attribute that it lost is told as an empty string."""
        table = f"object_{self._tables['object'][kind]}"
        for row in self._database.execute(f"SELECT * FROM {table} WHERE ocel_id = ? ORDER BY rowid", (name,)):
            told = self._present("object", kind, row[3:])
            yield row[1], told or [Attribute(row[2], "string", "")] if row[2] else told

    def relations(self, prefix: str, name: str) -> Iterator[tuple[str, str]]:
        """The objects that an event or object refers to, with their qualifiers."""
        source, target = ("event", "object") if prefix == "event" else ("source", "target")
        yield from self._database.execute(
            f"SELECT ocel_{target}_id, ocel_qualifier FROM {prefix}_object WHERE ocel_{source}_id = ?"
            " ORDER BY rowid",
            (name,),
        )

    def histories(self, kind: str) -> Iterator[tuple[str, str, str]]:
        """Object, event and its type, for events that have an object of this type as just that."""
        yield from self._database.execute(
            "SELECT object.ocel_id, event.ocel_id, event.ocel_type FROM object"
            " JOIN event_object ON ocel_object_id = object.ocel_id AND ocel_qualifier = object.ocel_type"
            " JOIN event ON event.ocel_id = ocel_event_id"
            " WHERE object.ocel_type = ? ORDER BY object.rowid, event.rowid",
            (kind,),
        )

    def _present(self, prefix: str, kind: str, values: tuple[Any, ...]) -> list[Attribute]:
        columns = self.columns(prefix, kind)
        return [
            Attribute(name, type_, value)
            for (name, type_), value in zip(columns, values, strict=True)
            if value is not None
        ]


@contextmanager
def reading(path: Path) -> Iterator[Ocel]:
    """The database at `path`. Raises sqlite3.Error."""
    database = sqlite3.connect(path)
    try:
        yield Ocel(database)
    finally:
        database.close()
