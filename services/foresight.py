"""Which streams a batch of actions will rest on, so that they are read together and not one by one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from domain.activities.model import ACTIVITIES
from domain.deals.model import DEAL, Deal
from domain.finance.model import COSTS, RATES
from domain.kernel import Decider, Rejected
from domain.leads.model import LEAD, Key, Lead
from domain.payments.model import PAYMENT
from domain.payroll.model import ASSIGNMENTS, PERIOD, PLAN, STATEMENT
from domain.pipelines.model import PIPELINE
from domain.shared.keys import IdentityKey, normalise
from domain.team.model import REP, Rep
from services.actions import Action
from services.payloads import Payload, RegisterLead
from services.recall import Recall

STEPS_MAX = 8
"""From a key to its lead, its owner, the owner's head … Whatever is further away is read when met."""

_SUBJECT: Mapping[str, tuple[Decider[Any], ...]] = {
    "lead": (LEAD,),
    "contact": (LEAD, ACTIVITIES),
    "task": (LEAD, ACTIVITIES),
    "deal": (DEAL,),
    "rep": (REP,),
    "pipeline": (PIPELINE,),
    "payment": (DEAL, PAYMENT),
    "refund": (DEAL,),
    "rate": (RATES,),
    "cost": (COSTS,),
    "plan": (PLAN, ASSIGNMENTS, REP),
    "period": (PERIOD,),
    "statement": (STATEMENT,),
}
_FIELDS: Mapping[str, Decider[Any]] = {
    "lead": LEAD,
    "into": LEAD,
    "deal": DEAL,
    "rep": REP,
    "owner": REP,
    "assignee": REP,
    "manager": REP,
    "successor": REP,
    "pipeline": PIPELINE,
    "payment": PAYMENT,
    "plan": PLAN,
}


def fetch_ahead(recall: Recall, actions: Iterable[Action], key_stream: Callable[[IdentityKey], str]) -> None:
    """Have the recall read what the actions name, then what that points to, a few steps deep."""
    frontier = {stream for action in actions for stream in _named(action, key_stream)}
    seen: set[str] = set()
    for _ in range(STEPS_MAX):
        if not frontier:
            return
        recall.fetch(frontier)
        seen |= frontier
        frontier = {to for stream in frontier for to in _pointed_to(recall.look(stream)[0])} - seen


def _named(action: Action, key_stream: Callable[[IdentityKey], str]) -> Iterator[str]:
    if action.actor.rep is not None:
        yield REP.stream(action.actor.rep)
    if action.subject is not None:
        for decider in _SUBJECT[action.type.split(".", 1)[0]]:
            yield decider.stream(action.subject)
    for field, decider in _fields_of(type(action.data)):
        named = getattr(action.data, field)
        if named is not None:
            yield decider.stream(named)
    if isinstance(action.data, RegisterLead):
        try:
            keys = normalise(action.data.keys.given(), source=action.source)
        except Rejected:
            return  # Deciding will say what is wrong with it.
        yield from map(key_stream, keys)


@cache
def _fields_of(payload: type[Payload]) -> tuple[tuple[str, Decider[Any]], ...]:
    return tuple((field, _FIELDS[field]) for field in payload.model_fields if field in _FIELDS)


def _pointed_to(state: Any) -> Iterator[str]:
    match state:
        case Lead(points_to=str() as target):
            yield LEAD.stream(target)
        case Lead(claim=claim) if claim is not None:
            yield REP.stream(claim.rep)
        case Key(lead=str() as lead):
            yield LEAD.stream(lead)
        case Deal(lead=lead, pipeline=pipeline) if lead:
            yield LEAD.stream(lead)
            yield PIPELINE.stream(pipeline)
        case Rep(manager=str() as manager):
            yield REP.stream(manager)
