"""Is the statement the one that was issued, and was it issued with the close of its period?"""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from adapters.audit.bundle.refusals import (
    CloseDiffers,
    StatementDiffers,
    UnreadableEvent,
    WrongEvent,
)
from adapters.postgres.upcasting import UPCASTING
from domain.audit.leaf import Leaf
from domain.kernel import Event
from domain.payroll.events import PeriodClosed, StatementIssued
from domain.payroll.model import PERIOD, STATEMENT
from projections.payroll.documents import canonical, statement_object

EventT = TypeVar("EventT", bound=Event)
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class IssuedStatement:
    """The event that froze a statement, and where it stands in the log."""

    leaf: Leaf
    event: StatementIssued

    @property
    def id(self) -> str:
        return f"{self.event.period}/{self.event.rep}"


def read_issued(leaf: Leaf) -> IssuedStatement:
    """The event of a statement, the first of its stream. Raises WrongEvent, UnreadableEvent."""
    if leaf.name != StatementIssued.stored_name:
        raise _wrong(leaf, StatementIssued, "a statement")
    issued = IssuedStatement(leaf, decoded(leaf, StatementIssued))
    _must_begin(leaf, StatementIssued, STATEMENT.stream(issued.id))
    return issued


def must_be_said(statement: dict[str, Any], issued: IssuedStatement, cutoff_checkpoint: str) -> None:
    """That the object says what was issued, key by key and line by line. Raises StatementDiffers."""
    recorded = statement_object(issued.event, cutoff_checkpoint)
    if canonical(statement) != canonical(recorded):
        raise StatementDiffers(position=issued.leaf.position, **_difference(statement, recorded))


def must_be_closed_with(issued: IssuedStatement, leaf: Leaf) -> None:
    """That the event closed the period with this statement among others. Raises WrongEvent, CloseDiffers."""
    statement = issued.event
    _must_begin(leaf, PeriodClosed, PERIOD.stream(statement.period))
    closed = decoded(leaf, PeriodClosed)
    place, total = issued.leaf.position - leaf.position, closed.totals.get(statement.currency)
    differences = {
        "cutoff_position": (closed.cutoff_position, statement.cutoff_position),
        "action": (_action(leaf), _action(issued.leaf)),
        "statements": (closed.statements, place if not 0 < place <= closed.statements else closed.statements),
        "totals": (total, statement.total if closed.statements == 1 or total is None else total),
    }
    for what, (recorded, said) in differences.items():
        if recorded != said:
            raise CloseDiffers(
                period=statement.period,
                position=leaf.position,
                place=what,
                recorded=recorded,
                statement=issued.id,
                said=said,
            )


def decoded(leaf: Leaf, kind: type[EventT]) -> EventT:
    """The event's data, brought up to date. Raises UnreadableEvent."""
    try:
        data = json.loads(leaf.state)
        data = UPCASTING.upcast(leaf.name, leaf.event_version, data, to=kind.stored_version)
        return kind.model_validate_json(json.dumps(data))
    except (LookupError, ValueError, RecursionError) as bad:
        problem = f"{bad.errors()[0]['msg']}" if isinstance(bad, ValidationError) else str(bad)
        raise UnreadableEvent(position=leaf.position, name=leaf.name, problem=problem) from bad


def _must_begin(leaf: Leaf, kind: type[Event], stream: str) -> None:
    if (leaf.name, leaf.stream, leaf.version) != (kind.stored_name, stream, 1):
        raise _wrong(leaf, kind, f"the first of {stream}")


def _wrong(leaf: Leaf, kind: type[Event], where: str) -> WrongEvent:
    found = f"{leaf.name}, number {leaf.version} of {leaf.stream}"
    return WrongEvent(position=leaf.position, found=found, expected=f"{kind.stored_name}, {where},")


def _action(leaf: Leaf) -> str:
    return f"{leaf.source} {leaf.action}"


def _difference(said: Any, recorded: Any, place: tuple[str, ...] = ()) -> dict[str, str]:
    """Where two values differ first, and what each has there."""
    if isinstance(said, list) and isinstance(recorded, list) and len(said) != len(recorded):
        return _differing(place, f"{len(said)} items", f"{len(recorded)} items")
    if isinstance(said, dict) and isinstance(recorded, dict):
        keys = sorted(said.keys() | recorded.keys())
        parts = [(key, said.get(key, _NOTHING), recorded.get(key, _NOTHING)) for key in keys]
    elif isinstance(said, list) and isinstance(recorded, list):
        parts = [(str(at), *pair) for at, pair in enumerate(zip(said, recorded, strict=True), start=1)]
    else:
        return _differing(place, _text(said), _text(recorded))
    key, left, right = next(part for part in parts if _text(part[1]) != _text(part[2]))
    return _difference(left, right, (*place, key))


def _differing(place: tuple[str, ...], said: str, recorded: str) -> dict[str, str]:
    return {"place": ".".join(place), "said": said, "recorded": recorded}


def _text(value: Any) -> str:
    return "nothing" if value is _NOTHING else json.dumps(value, ensure_ascii=False, sort_keys=True)
