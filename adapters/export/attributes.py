"""What is told of an event beside its objects: its plain fields, typed, but nothing about a person."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from adapters.export.concerns import NAMED
from domain.kernel import Event, Recorded
from domain.shared.personal import personal_fields

Kind = Literal["string", "time", "integer", "boolean"]
"""OCEL's types. Money and percents are strings: the fourth, float, can't hold them."""

ENVELOPE: Mapping[str, Kind] = MappingProxyType(
    {
        "stream": "string",
        "version": "integer",
        "recorded_at": "time",
        "actor": "string",
        "action_source": "string",
        "action_id": "string",
        "migrated": "boolean",
    }
)
"""What every event has."""

_KINDS: Mapping[object, Kind] = MappingProxyType(
    {str: "string", Decimal: "string", date: "string", datetime: "time", int: "integer", bool: "boolean"}
)


@cache
def own(event: type[Event]) -> Mapping[str, Kind]:
    """The event's plain fields, without those that name objects (they are relations) or persons."""
    kinds = {name: _kind(field.annotation) for name, field in event.model_fields.items()}
    return {
        name: kind
        for name, kind in kinds.items()
        if kind is not None and name not in NAMED and name not in personal_fields(event)
    }


def values(fact: Recorded[Event]) -> list[Any]:
    """The values of ENVELOPE, then those of the event's `own` fields."""
    event = fact.event
    return [
        fact.stream,
        fact.version,
        fact.recorded_at,
        fact.actor,
        fact.source,
        fact.action,
        fact.migrated,
        *(getattr(event, name) for name in own(type(event))),
    ]


def _kind(annotation: Any) -> Kind | None:
    """Of a field's type, optional or not; None for what is not plain."""
    if annotation in _KINDS:
        return _KINDS[annotation]
    if get_origin(annotation) is Literal:
        return "string"
    options = [one for one in get_args(annotation) if one is not NoneType]
    return _kind(options[0]) if isinstance(annotation, UnionType) and len(options) == 1 else None
