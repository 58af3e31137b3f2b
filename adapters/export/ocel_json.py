"""OCEL 2.0 as JSON, from its SQLite form. Every value is a string, as the standard's JSON schema has it."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from adapters.export.ocel_reading import Ocel

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_ocel_json(ocel: Ocel, path: Path) -> None:
    """One event or object a line, and one in memory at a time. Raises OSError."""
    parts = {
        "eventTypes": _types(ocel, "event"),
        "objectTypes": _types(ocel, "object"),
        "events": _events(ocel),
        "objects": _objects(ocel),
    }
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, (key, items) in enumerate(parts.items()):
            file.write(",\n" if number else "{")
            _write(file, key, items)
        file.write("}\n")


def _write(file: TextIO, key: str, items: Iterable[Any]) -> None:
    file.write(f'"{key}":[')
    for number, item in enumerate(items):
        file.write(",\n" if number else "\n")
        file.write(_encode(item))
    file.write("]")


def _types(ocel: Ocel, prefix: str) -> Iterator[Any]:
    for kind in ocel.types(prefix):
        columns = [{"name": name, "type": type_} for name, type_ in ocel.columns(prefix, kind)]
        yield {"name": kind, "attributes": columns}


def _events(ocel: Ocel) -> Iterator[Any]:
    for name, kind in ocel.named("event"):
        time, attributes = ocel.event(name, kind)
        yield {
            "id": name,
            "type": kind,
            "time": time,
            "attributes": [{"name": one.name, "value": one.text} for one in attributes],
            "relationships": _relations(ocel, "event", name),
        }


def _objects(ocel: Ocel) -> Iterator[Any]:
    for name, kind in ocel.named("object"):
        yield {
            "id": name,
            "type": kind,
            "attributes": [
                {"name": one.name, "time": time, "value": one.text}
                for time, attributes in ocel.object(name, kind)
                for one in attributes
            ],
            "relationships": _relations(ocel, "object", name),
        }


def _relations(ocel: Ocel, prefix: str, name: str) -> list[Any]:
    return [{"objectId": other, "qualifier": as_what} for other, as_what in ocel.relations(prefix, name)]
