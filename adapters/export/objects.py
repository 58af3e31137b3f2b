"""The log as objects that come to be, change and belong together: what OCEL tells. Pure, event by event."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, cast

from adapters.export.attributes import Kind
from adapters.export.concerns import Concern, concerns, task_id
from domain.activities.events import TaskPlanned
from domain.activities.model import ACTIVITIES, Activities, Task
from domain.deals.events import DealOpened
from domain.deals.model import DEAL, Deal
from domain.kernel import Decider, Event, Recorded
from domain.leads.events import LeadRegistered
from domain.leads.model import LEAD, Lead
from domain.payments.events import PaymentRecorded, RefundRecorded
from domain.payments.model import PAYMENT, Payment
from domain.payroll.events import PeriodClosed
from domain.team.events import RepHired
from domain.team.model import REP, Rep

Values = dict[str, Any]

LASTING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lead": ("channel", "campaign", "branch"),
        "deal": ("pipeline", "product"),
        "rep": (),
        "task": ("kind",),
        "payment": ("amount", "currency"),
        "period": ("cutoff_position", "timezone", "currency"),
    }
)
"""What an object has from the event that made it, by the names of its fields. Nothing personal."""

CHANGING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lead": ("status", "owner"),
        "deal": ("status", "stage", "amount", "currency"),
        "rep": ("status", "manager", "branch"),
        "task": ("status", "due_at", "assignee"),
        "payment": ("deal",),
        "period": (),
    }
)
"""What events change of it."""

_TYPED: Mapping[str, Kind] = MappingProxyType({"due_at": "time", "cutoff_position": "integer"})
_DECIDERS: Mapping[str, Decider[Any]] = MappingProxyType(
    {decider.category: decider for decider in (LEAD, DEAL, REP, ACTIVITIES, PAYMENT)}
)


def columns_of(kind: str) -> dict[str, Kind]:
    """The attributes of an object type."""
    return {name: _TYPED.get(name, "string") for name in (*LASTING[kind], *CHANGING[kind])}


@dataclass(slots=True)
class Seen:
    """What one event adds: an object with its lasting values, changed values, what it is about."""

    born: tuple[str, str, Values] | None = None
    changes: list[tuple[str, str, Values]] = field(default_factory=list)
    concerns: dict[Concern, None] = field(default_factory=dict)


class World:
    """All objects as of the last event seen. Grows with the objects, not with the events."""

    def __init__(self) -> None:
        self._states: dict[str, Any] = {}
        self._told: dict[str, Values] = {}

    def see(self, fact: Recorded[Event]) -> Seen:
        """The next event of the log."""
        category, _, entity = fact.stream.partition("-")
        decider = _DECIDERS.get(category)
        if decider is not None:
            before = self._states.get(fact.stream) or decider.initial(entity)
            self._states[fact.stream] = decider.evolve(before, fact)
        seen = Seen()
        self._bear(fact, entity, seen)
        for kind, name, values in self._values(fact, category, entity):
            self._change(kind, name, values, seen)
        seen.concerns = dict.fromkeys(chain(concerns(fact), self._implied(fact, entity)))
        return seen

    def _bear(self, fact: Recorded[Event], entity: str, seen: Seen) -> None:
        made = _made(fact, entity)
        if made is not None and made[1] not in self._told:
            kind, name = made
            self._told[name] = {}
            seen.born = kind, name, {one: getattr(fact.event, one) for one in LASTING[kind]}

    def _values(self, fact: Recorded[Event], category: str, entity: str) -> Iterator[tuple[str, str, Values]]:
        """The changing values of the object that the event is about first."""
        match state := self._states.get(fact.stream):
            case Lead(status=status):
                yield category, fact.stream, {"status": status, "owner": state.owner_at(fact.recorded_at)}
            case Deal() | Rep():
                yield category, fact.stream, {one: _known(getattr(state, one)) for one in CHANGING[category]}
            case Payment(belongs_to=deal):
                yield category, fact.stream, {"deal": deal}
            case Activities() if (task := _task(state, fact)) is not None:
                due_at, assignee = task.planned.due_at, task.planned.assignee
                values = {"status": task.status, "due_at": due_at, "assignee": assignee}
                yield "task", task_id(entity, task.planned.task), values

    def _change(self, kind: str, name: str, values: Values, seen: Seen) -> None:
        told = self._told.get(name)
        if told is None:
            return  # No object: an alias of a lead, say.
        changed = {one: value for one, value in values.items() if told.get(one) != value}
        if changed:
            told |= changed
            seen.changes.append((kind, name, changed))

    def _implied(self, fact: Recorded[Event], entity: str) -> Iterator[Concern]:
        """What the event is about by what was said before it."""
        match state := self._states.get(fact.stream):
            case Deal(lead=lead) if lead:
                yield f"lead-{lead}", "lead"
                owner = self._standing(lead).owner_at(fact.recorded_at)
                if owner is not None and "owner" not in type(fact.event).model_fields:
                    yield f"rep-{owner}", "owner"
            case Payment(belongs_to=deal) if deal is not None:
                yield f"deal-{deal}", "deal"
            case Activities() if (task := _task(state, fact)) is not None:
                if task.planned.assignee is not None:
                    yield f"rep-{task.planned.assignee}", "assignee"
                if task.planned.deal is not None:
                    yield f"deal-{task.planned.deal}", "deal"

    def _standing(self, lead: str) -> Lead:
        """The lead that stands for this one after merges."""
        state = cast(Lead, self._states.get(f"lead-{lead}") or LEAD.initial(lead))
        return state if state.points_to is None else self._standing(state.points_to)


def bonds(seen: Seen) -> Iterator[tuple[str, str, str]]:
    """Which objects belong together: source, target, and what the target is to it. One may come twice."""
    for kind, name, _ in seen.changes:
        if kind in ("deal", "task", "payment"):
            for other, qualifier in seen.concerns:
                if qualifier in ("lead", "deal") and other != name:
                    yield name, other, qualifier


def _known(value: Any) -> Any:
    return None if value == "" else value  # A deal is in no stage before it enters one.


def _task(activities: Activities, fact: Recorded[Event]) -> Task | None:
    return activities.tasks.get(getattr(fact.event, "task", ""))


def _made(fact: Recorded[Event], entity: str) -> tuple[str, str] | None:
    """The object that the event brings into being, if it isn't there already: its type and id."""
    match fact.event:
        case (
            LeadRegistered()
            | DealOpened()
            | RepHired()
            | PaymentRecorded()
            | RefundRecorded()
            | PeriodClosed()
        ):
            return fact.stream.partition("-")[0], fact.stream
        case TaskPlanned(task=task):
            return "task", task_id(entity, task)
    return None
