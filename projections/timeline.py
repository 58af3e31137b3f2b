"""What happened with a deal or a lead, event by event, and where does it stand?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.kernel import Event, Recorded
from domain.shared.rejections import UnknownDeal
from projections.asking import STANDS_FOR, View
from projections.owner import Owner, owner, standing

History = Callable[[Sequence[str]], Mapping[str, Sequence[Recorded[Event]]]]
"""Every event of each stream asked for, as the log holds it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the log behind a state; `data` is what it says, personal texts opened."""

    position: int
    event: str
    stream: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DealStory:
    """A deal as it stands, whose it is now (or was at its close), and the events behind it."""

    deal: str
    lead: str
    rep: str | None
    pipeline: str
    status: str
    stage: str | None
    stage_since: datetime | None
    title: str | None
    product: str | None
    amount: Decimal | None
    currency: str | None
    opened_at: datetime
    closed_at: datetime | None
    loss_reason: str | None
    shares: Sequence[Mapping[str, Any]]
    timeline: Sequence[Happening]


@dataclass(frozen=True, slots=True)
class LeadStory:
    """A lead as it stands, and the events of its own, its steps, its deals and all that it stands for."""

    lead: str
    asked: str
    status: str
    name: str | None
    channel: str | None
    campaign: str | None
    branch: str | None
    registered_at: datetime
    ownership: Owner
    stands_for: Sequence[str]
    deals: Sequence[str]
    tasks: Sequence[Mapping[str, Any]]
    timeline: Sequence[Happening]


def deal_story(view: View, history: History, *, deal: str) -> DealStory:
    """Raises UnknownDeal."""
    rows = view.ask(
        f"""{STANDS_FOR}
        SELECT d.deal, coalesce(s.target, d.lead),
               CASE WHEN d.status <> 'open' THEN d.closed_owner
                    WHEN l.status IN ('open', 'won') AND l.expires_at > %(moment)s THEN l.owner END,
               d.pipeline, d.status, d.stage, d.stage_since, d.title, d.product, d.amount, d.currency,
               d.opened_at, d.closed_at, d.loss_reason
        FROM deal d LEFT JOIN stands_for s ON s.lead = d.lead
        LEFT JOIN lead l ON l.lead = coalesce(s.target, d.lead)
        WHERE d.deal = %(deal)s""",
        deal=deal,
    )
    if not rows:
        raise UnknownDeal(deal=deal)
    shares = view.ask(
        "SELECT rep, role, percent FROM deal_share WHERE deal = %(deal)s ORDER BY ordinal", deal=deal
    )
    named = [{"rep": rep, "role": role, "percent": percent} for rep, role, percent in shares]
    return DealStory(*(*rows[0], named, timeline(view, history, [f"deal-{deal}"])))


def lead_story(view: View, history: History, *, lead: str) -> LeadStory:
    """Raises UnknownLead. A merged lead or an alias is answered by the lead that stands for it."""
    meant = standing(view, lead)
    family = list(meant.family)
    (status, name, channel, campaign, branch, registered_at), *_ = view.ask(
        "SELECT status, name, channel, campaign, branch, registered_at FROM lead WHERE lead = %(lead)s",
        lead=meant.lead,
    )
    deals = [
        deal
        for (deal,) in view.ask(
            "SELECT deal FROM deal WHERE lead = ANY(%(family)s) ORDER BY opened_position", family=family
        )
    ]
    tasks = view.ask(
        """
        SELECT task, kind, status, due_at, assignee, deal FROM task WHERE lead = ANY(%(family)s)
        ORDER BY planned_position
        """,
        family=family,
    )
    streams = [f"{category}-{one}" for one in family for category in ("lead", "activity")]
    columns = ("task", "kind", "status", "due_at", "assignee", "deal")
    return LeadStory(
        lead=meant.lead,
        asked=lead,
        status=status,
        name=name,
        channel=channel,
        campaign=campaign,
        branch=branch,
        registered_at=registered_at,
        ownership=owner(view, lead=lead),
        stands_for=meant.family[1:],
        deals=deals,
        tasks=[dict(zip(columns, task, strict=True)) for task in tasks],
        timeline=timeline(view, history, [*streams, *(f"deal-{deal}" for deal in deals)]),
    )


def timeline(view: View, history: History, streams: Sequence[str]) -> list[Happening]:
    """The events of the streams that the view knows of, in the order in which they were recorded."""
    known = [happening(fact) for facts in history(streams).values() for fact in facts if view.knows(fact)]
    return sorted(known, key=lambda one: one.position)


def happening(fact: Recorded[Event]) -> Happening:
    return Happening(
        position=fact.position,
        event=fact.event.stored_name,
        stream=fact.stream,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        actor=fact.actor,
        data=fact.event.model_dump(mode="json"),
    )
