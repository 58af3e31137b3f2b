"""What has to be seen to beside the reports: whom which leads concern, and claims that are over."""

from collections.abc import Sequence
from datetime import datetime

from projections.asking import View


def concerned(view: View) -> list[tuple[str, str]]:
    """Pairs of a rep and a lead that they own, or with which they have a step planned."""
    rows = view.ask(
        "SELECT owner, lead FROM lead WHERE status IN ('open', 'won') AND owner IS NOT NULL"
        " UNION SELECT assignee, lead FROM task WHERE status = 'planned' AND assignee IS NOT NULL"
    )
    return [(rep, lead) for rep, lead in rows]


def past_their_term(view: View, *, at: datetime, limit: int) -> list[str]:
    """Leads whose claim is past its term at that moment, but not written as lapsed; the longest first."""
    rows = view.ask(
        "SELECT lead FROM lead WHERE status IN ('open', 'won') AND owner IS NOT NULL AND expires_at <= %(at)s"
        " ORDER BY expires_at, registered_position LIMIT %(limit)s",
        at=at,
        limit=limit,
    )
    return [lead for (lead,) in rows]


def deals_with(view: View, *, leads: Sequence[str]) -> list[str]:
    """Every deal that was ever opened with one of these leads, in the order of their opening."""
    rows = view.ask(
        "SELECT deal FROM deal WHERE lead = ANY(%(leads)s) ORDER BY opened_position", leads=list(leads)
    )
    return [deal for (deal,) in rows]


def of_departed(view: View, *, limit: int) -> list[tuple[str, str | None]]:
    """Open leads owned by reps who left, each with the successor who was named then."""
    rows = view.ask(
        "SELECT lead.lead, rep.successor FROM lead JOIN rep ON rep.rep = lead.owner"
        " WHERE rep.status = 'left' AND lead.status = 'open'"
        " ORDER BY lead.registered_position LIMIT %(limit)s",
        limit=limit,
    )
    return [(lead, successor) for lead, successor in rows]
