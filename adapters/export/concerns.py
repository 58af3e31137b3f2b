"""Which objects an event is about, and as what. Their ids are the log's own: `lead-L-17`, `rep-ann`."""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from domain.deals.events import DealSplit
from domain.kernel import Event, Recorded
from domain.leads.events import LeadAbsorbed, LeadParted
from domain.payroll.events import StatementIssued
from domain.shared.actors import Actor
from projections.subject import REP_FIELDS

Concern = tuple[str, str]
"""An object's id, and what it is to the event: the qualifier."""

OBJECT_TYPES = ("lead", "deal", "rep", "task", "payment", "period")

NAMED: Mapping[str, str] = MappingProxyType(
    {
        "lead": "lead",
        "into": "lead",
        "parted_from": "lead",
        "deal": "deal",
        "deals": "deal",
        "open_deals": "deal",
        "won_deals": "deal",
        "period": "period",
        **dict.fromkeys(REP_FIELDS, "rep"),
    }
)
"""The fields of events that name objects, and of which type. The field's name is the qualifier."""


def task_id(lead: str, task: str) -> str:
    """Tasks are named within their lead: `task-L-17/t1`, with / and % of the lead's id percent-encoded."""
    return f"task-{lead.replace('%', '%25').replace('/', '%2F')}/{task}"


def concerns(fact: Recorded[Event]) -> Iterator[Concern]:
    """What the event says by itself, without looking at any other. One may come twice."""
    yield from _subject(fact)
    match fact.event:
        case LeadAbsorbed(lead=lead):
            yield f"lead-{lead}", "absorbed"
        case LeadParted(lead=lead):
            yield f"lead-{lead}", "parted"
        case DealSplit(shares=shares):
            yield from ((f"rep-{share.rep}", "share") for share in shares)
        case StatementIssued(lines=lines):
            yield from ((f"deal-{line.deal}", "line") for line in lines if line.deal is not None)
    yield from _named(fact.event)
    if (rep := Actor.of(fact.actor).rep) is not None:
        yield f"rep-{rep}", "actor"


def _subject(fact: Recorded[Event]) -> Iterator[Concern]:
    category, _, entity = fact.stream.partition("-")
    match category:
        case "lead" | "deal" | "rep" | "payment" | "period":
            yield fact.stream, category
        case "assignment":
            yield f"rep-{entity}", "rep"
        case "statement":
            period, _, rep = entity.partition("/")
            yield f"period-{period}", "period"
            yield f"rep-{rep}", "rep"
        case "activity":
            yield f"lead-{entity}", "lead"
            if (task := getattr(fact.event, "task", None)) is not None:
                yield task_id(entity, task), "task"


def _named(event: Event) -> Iterator[Concern]:
    for field, kind in _naming(type(event)):
        value = getattr(event, field)
        for name in (value,) if isinstance(value, str) else value or ():
            yield f"{kind}-{name}", field


@cache
def _naming(event: type[Event]) -> list[tuple[str, str]]:
    fields = [(field, NAMED[field]) for field in event.model_fields if field in NAMED]
    return [one for one in fields if one[0] != "lead" or event not in (LeadAbsorbed, LeadParted)]
