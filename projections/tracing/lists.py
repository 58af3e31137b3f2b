"""Items of lists: the events behind each, which must bear out what the item says."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.activities.events import ContactRecorded, TaskCancelled, TaskCompleted, TaskPlanned
from domain.deals.events import DealAmended, DealOpened, DealReopened, StageEntered
from domain.kernel import Event
from domain.leads.events import ClaimRefused, LeadRegistered
from domain.payments.events import PaymentRecorded, RefundRecorded
from domain.payroll.events import LineDisputed, PeriodClosed, PlanAssigned, PlanPublished
from projections.asking import STANDS_FOR, Listing, View
from projections.neglected import Neglect, Overdue
from projections.queue import Work
from projections.tracing.grouped import Kinds
from projections.tracing.places import Place
from projections.tracing.trace import Counted, Fact, Log, Trace, look_up, traced

Families = Mapping[str, Sequence[str]]
"""The leads that one stands for, itself among them."""

STEPS: Kinds = (TaskPlanned, TaskCompleted, TaskCancelled)
DENIED = "not what the events say"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which events are behind an item, and whether they bear it out."""

    counted: Callable[[Any, Families], Counted]
    holds: Callable[[Any, Sequence[Fact]], bool]


def trace_list(report: str, view: View, log: Log, place: Place, found: Listing) -> Trace:
    """All items, or the one that the place is in."""
    evidence, relatives = EVIDENCE[report], families(view) if report in _BY_LEAD else {}
    one = place.path[:1] == ("items",)
    items = [found.items[place.path[1]]] if one else list(found.items)
    looked_up = look_up(view, log, [evidence.counted(item, relatives) for item in items])
    borne_out = [evidence.holds(item, known.facts) for item, known in zip(items, looked_up, strict=True)]
    if one:
        recomputed: Any = place.value if all(borne_out) else DENIED
        return traced(report, place, recomputed, "what the item says, as its events bear it out", looked_up)
    return traced(report, place, sum(borne_out), "the number of items that their events bear out", looked_up)


def families(view: View) -> Families:
    """By the lead that stands for others."""
    found = defaultdict(list)
    for target, lead in view.ask(f"{STANDS_FOR} SELECT target, lead FROM stands_for ORDER BY 1, 2"):
        found[target].append(lead)
    return {target: [target, *leads] for target, leads in found.items()}


def activities(lead: str, relatives: Families) -> tuple[str, ...]:
    return tuple(f"activity-{one}" for one in relatives.get(lead, [lead]))


def neglected(item: Neglect, relatives: Families) -> Counted:
    """What is open, what moved it into that state, and the steps that were planned for it."""
    stream = f"lead-{item.lead}" if item.deal is None else f"deal-{item.deal}"

    def bears(fact: Fact) -> bool:
        opening = isinstance(fact.event, (LeadRegistered, DealOpened, *STEPS))
        return opening or fact.occurred_at == item.since

    def says(facts: Sequence[Fact]) -> Neglect | None:
        return item if _is_neglected(item, facts) else None

    streams = (stream, *activities(item.lead, relatives))
    name = item.deal or item.lead
    return Counted(item.kind, name, item, item.rep, streams, (Event,), bears, says=says)


def _is_neglected(item: Neglect, facts: Sequence[Fact]) -> bool:
    covering = [fact.event for fact in _planned(facts)]
    covering = [step for step in covering if item.deal is None or step.deal in (None, item.deal)]
    return not covering and any(fact.occurred_at == item.since for fact in facts)


def _planned(facts: Sequence[Fact]) -> list[Any]:
    """The steps still planned: of each the last event is its planning."""
    last: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        if isinstance(fact.event, STEPS):
            last[fact.stream, fact.event.task] = fact  # type: ignore[attr-defined]
    return [fact for fact in last.values() if isinstance(fact.event, TaskPlanned)]


def overdue(item: Overdue, relatives: Families) -> Counted:
    """The step."""

    def says(facts: Sequence[Fact]) -> Overdue | None:
        return item if _is_planned(item, facts) else None

    streams = activities(item.lead, relatives)
    return Counted("step", item.task, item, item.rep, streams, STEPS, _of_step(item.task), says=says)


def _of_step(task: str | None) -> Callable[[Fact], bool]:
    return lambda fact: not isinstance(fact.event, STEPS) or getattr(fact.event, "task", None) == task


def _is_planned(item: Overdue | Work, facts: Sequence[Fact]) -> bool:
    return any(fact.event.due_at == item.due_at for fact in _planned(facts))


def _queued(item: Work, relatives: Families) -> Counted:
    what = f"lead-{item.lead}" if item.deal is None else f"deal-{item.deal}"
    kinds: Kinds = (LeadRegistered, DealOpened, DealReopened, StageEntered, DealAmended, *STEPS)
    streams = (what, *activities(item.lead, relatives)) if item.task else (what,)
    name = item.task if item.kind == "task" else item.deal or item.lead
    return Counted(item.kind, name or item.lead, item, None, streams, kinds, _of_step(item.task))


def _is_queued(item: Work, facts: Sequence[Fact]) -> bool:
    stages = [None, *(fact.event.stage for fact in facts if isinstance(fact.event, StageEntered))]
    stands = item.kind != "deal" or stages[-1] == item.stage
    return bool(facts) and stands and (item.task is None or _is_planned(item, facts))


def _at(kind: str, name: str, position: str, *events: type[Event]) -> Evidence:
    """A list whose items name their event."""

    def counted(item: Any, _: Families) -> Counted:
        return Counted(kind, getattr(item, name), item, positions=(getattr(item, position),))

    def holds(item: Any, facts: Sequence[Fact]) -> bool:
        said = [
            (getattr(item, column), getattr(fact, column))
            for fact in facts
            for column in ("occurred_at", "recorded_at", "actor")
            if hasattr(item, column)
        ]
        kinds = [isinstance(fact.event, events or Event) for fact in facts]
        return kinds == [True] and all(told == recorded for told, recorded in said)

    return Evidence(counted, holds)


def _waiting(item: Any, _: Families) -> Counted:
    return Counted("earning", f"{item.deal}/{item.earning}", item, item.rep, positions=item.events)


def _waits(item: Any, facts: Sequence[Fact]) -> bool:
    return {fact.position for fact in facts} == set(item.events)


EVIDENCE: Mapping[str, Evidence] = {
    "neglected": Evidence(neglected, _is_neglected),
    "overdue": Evidence(overdue, _is_planned),
    "queue": Evidence(_queued, _is_queued),
    "encroachments": _at("contact", "lead", "position", ContactRecorded),
    "refusals": _at("attempt", "lead", "position", ClaimRefused),
    "pool": _at("lead", "lead", "by_position"),
    "payroll ghosts": _at("payment", "payment", "position", PaymentRecorded, RefundRecorded),
    "payroll exceptions": Evidence(_waiting, _waits),
    "payroll disputes": _at("dispute", "line", "position", LineDisputed),
    "payroll plans": _at("plan", "plan", "position", PlanPublished),
    "payroll assignments": _at("assignment", "rep", "position", PlanAssigned),
    "payroll periods": _at("period", "period", "position", PeriodClosed),
}
"""Every list."""
_BY_LEAD = frozenset({"neglected", "overdue", "queue"})
