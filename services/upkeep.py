"""What the engine does of its own accord: lapsed claims written down, leads of the departed handed over."""

from collections.abc import Sequence
from datetime import datetime

from domain.shared.actors import Actor
from services.actions import Action
from services.payloads import DepartLead, NoData

AT_ONCE = 500
ENGINE = "dealtrail"


def departures(
    departed: Sequence[tuple[str, str | None]], *, now: datetime, recorded_at: datetime | None = None
) -> list[Action]:
    """Actions that hand over leads of reps who left: pairs of a lead and the successor."""
    return [
        Action(
            source=ENGINE,
            id=f"depart/{lead}/{now.isoformat()}",
            type="lead.depart",
            subject=lead,
            occurred_at=now,
            actor=Actor.of(f"service:{ENGINE}"),
            data=DepartLead(successor=successor),
            recorded_at=recorded_at,
        )
        for lead, successor in departed
    ]


def lapses(leads: Sequence[str], *, now: datetime) -> list[Action]:
    """Actions that write down what everyone knows already: that these claims are past their term."""
    return [
        Action(
            source=ENGINE,
            id=f"lapse/{lead}/{now.isoformat()}",
            type="lead.lapse",
            subject=lead,
            occurred_at=now,
            actor=Actor.of(f"service:{ENGINE}"),
            data=NoData(),
        )
        for lead in leads
    ]
