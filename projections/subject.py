"""What is held on a person? Everything, as the law has it: their own data and what rests on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.deals.events import DealSplit
from domain.kernel import Event, Recorded
from domain.shared.rejections import UnknownRep
from projections.asking import View
from projections.owner import standing
from projections.payroll.concerned import payments_of
from projections.timeline import Happening, History, happening, timeline

REP_FIELDS = ("rep", "owner", "previous", "assignee", "encroached_on", "manager", "successor")
"""The fields of events that name a rep."""


@dataclass(frozen=True, slots=True)
class Held:
    """Every event that tells of the person `subject`, who goes by the ids `known_as`, up to `position`."""

    subject: str
    known_as: Sequence[str]
    position: int
    events: Sequence[Happening]


def held_on_lead(view: View, history: History, *, lead: str) -> Held:
    """On a customer: the leads that are one, their contacts and steps, deals and payments. UnknownLead."""
    family = list(standing(view, lead).family)
    deals = [
        deal for (deal,) in view.ask("SELECT deal FROM deal WHERE lead = ANY(%(family)s)", family=family)
    ]
    streams = [f"{category}-{one}" for one in family for category in ("lead", "activity")]
    streams += [f"deal-{deal}" for deal in deals]
    streams += [f"payment-{payment}" for payment in payments_of(view, deals)]
    return Held(lead, family, view.position, timeline(view, history, streams))


def held_on_rep(facts: Iterable[Recorded[Event]], *, rep: str) -> Held:
    """On a rep, given the whole log: what names them, what they did, what they were paid. UnknownRep."""
    own = {f"rep-{rep}", f"assignment-{rep}"}
    known, position, events = False, 0, []
    for fact in facts:
        position, known = fact.position, known or fact.stream == f"rep-{rep}"
        paid = fact.stream.startswith("statement-") and fact.entity.partition("/")[2] == rep
        if fact.actor == rep or fact.stream in own or paid or _names(fact.event, rep):
            events.append(happening(fact))
    if not known:
        raise UnknownRep(rep=rep)
    return Held(rep, [rep], position, events)


def _names(event: Event, rep: str) -> bool:
    shared = isinstance(event, DealSplit) and any(share.rep == rep for share in event.shares)
    return shared or any(getattr(event, name, None) == rep for name in REP_FIELDS)
