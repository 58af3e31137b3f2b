"""Which open leads and deals has nobody planned a step for, and which steps are overdue?"""

from dataclasses import dataclass
from datetime import datetime

from projections.asking import OWNER_NOW, STANDS_FOR, Listing, View
from projections.team import must_know_rep

COVERED = f"""
, held AS (
    SELECT l.lead, l.status, l.name, l.open_since, {OWNER_NOW} AS rep FROM lead l
), step AS MATERIALIZED (
    SELECT coalesce(s.target, t.lead) AS lead, t.task, t.kind, t.deal, t.status, t.due_at, t.ended_at,
           t.assignee, t.planned_at
    FROM task t LEFT JOIN stands_for s ON s.lead = t.lead
), offer AS (
    SELECT d.*, coalesce(s.target, d.lead) AS standing
    FROM deal d LEFT JOIN stands_for s ON s.lead = d.lead
    WHERE d.status = 'open'
)"""
"""Follows STANDS_FOR. `held`: leads with owner; `step`: tasks by standing lead; `offer`: open deals.

A planned step that names no deal covers the lead and all its deals, one that names a deal that one and the
lead.
"""

IDLE = """
, by_lead AS (
    SELECT lead, bool_or(status = 'planned') AS planned, max(ended_at) AS ended_at
    FROM step GROUP BY lead
), idle AS (
    SELECT 'lead' AS kind, held.lead, NULL AS deal, held.rep, held.name,
           greatest(held.open_since, by_lead.ended_at) AS since
    FROM held LEFT JOIN by_lead USING (lead)
    WHERE held.status = 'open' AND NOT coalesce(by_lead.planned, false)
    UNION ALL
    SELECT 'deal', offer.standing, offer.deal, held.rep, offer.title,
           greatest(offer.open_since, covering.ended_at)
    FROM offer LEFT JOIN held ON held.lead = offer.standing LEFT JOIN (
        SELECT one.deal, bool_or(step.status = 'planned') AS planned, max(step.ended_at) AS ended_at
        FROM offer one JOIN step
          ON step.lead = one.standing AND (step.deal IS NULL OR step.deal = one.deal)
        GROUP BY one.deal
    ) covering USING (deal)
    WHERE NOT coalesce(covering.planned, false)
)
"""
"""Follows COVERED: what is open and has no planned step, with its rep and since when."""


@dataclass(frozen=True, slots=True)
class Neglect:
    """An open lead or deal without a planned step since `since` (occurred), `days` before the moment."""

    kind: str
    lead: str
    deal: str | None
    rep: str | None
    name: str | None
    since: datetime
    days: float


def neglected(view: View, *, rep: str | None = None) -> Listing:
    """What is open without a planned step, the longest first; with `rep` theirs only, else the pool's too.

    Raises UnknownRep.
    """
    must_know_rep(view, rep)
    rows = view.ask(
        STANDS_FOR
        + COVERED
        + IDLE
        + """
        SELECT kind, lead, deal, rep, name, since,
               date_part('epoch', %(moment)s - since) / 86400
        FROM idle WHERE %(rep)s::text IS NULL OR rep = %(rep)s
        ORDER BY since, lead COLLATE "C", kind DESC, deal COLLATE "C"
        """,
        rep=rep,
    )
    return Listing.of([Neglect(*row) for row in rows])


@dataclass(frozen=True, slots=True)
class Overdue:
    """A planned step whose due time passed `days` before the moment; `rep` is to take it."""

    task: str
    kind: str
    lead: str
    deal: str | None
    rep: str | None
    owner: str | None
    name: str | None
    due_at: datetime
    since: datetime
    days: float


def overdue(view: View, *, rep: str | None = None) -> Listing:
    """Planned steps past due, of leads that haven't ended, the longest first.

    A step is its assignee's, else the lead's owner's; with `rep` theirs only. Raises UnknownRep.
    """
    must_know_rep(view, rep)
    rows = view.ask(
        STANDS_FOR
        + COVERED
        + """
        SELECT step.task, step.kind, step.lead, step.deal, coalesce(step.assignee, held.rep), held.rep,
               held.name, step.due_at, step.due_at,
               date_part('epoch', %(moment)s - step.due_at) / 86400
        FROM step LEFT JOIN held USING (lead)
        WHERE step.status = 'planned' AND step.due_at < %(moment)s
          AND held.status IS DISTINCT FROM 'disqualified'
          AND (%(rep)s::text IS NULL OR coalesce(step.assignee, held.rep) = %(rep)s)
        ORDER BY step.due_at, step.lead COLLATE "C", step.task COLLATE "C"
        """,
        rep=rep,
    )
    return Listing.of([Overdue(*row) for row in rows])
