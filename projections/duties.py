"""What has to be seen to before and after actions: steps that a rep owes, claims that are over."""

from datetime import datetime

from projections.asking import OWNER_NOW, View

_THEIRS = f"""
WITH RECURSIVE mine AS MATERIALIZED (
    SELECT l.lead, l.status FROM lead l
    WHERE l.owner = %(rep)s AND ({OWNER_NOW}) IS NOT NULL
), member(lead, standing) AS (
    SELECT lead, lead FROM mine
    UNION
    SELECT pointer.lead, member.standing
    FROM member JOIN lead_pointer pointer ON pointer.points_to = member.lead
), planned AS MATERIALIZED (
    SELECT member.standing AS lead, task.deal
    FROM member JOIN task USING (lead) WHERE task.status = 'planned'
)"""
"""`mine`: the rep's leads; `member`: those and the merged ones they stand for; `planned`: steps with them."""


def owed(view: View, *, rep: str) -> tuple[int, int]:
    """How many steps of the rep are overdue, and how many of their open leads and deals have none planned.

    The same as the rep's `overdue` and `neglected`, counted from their own leads alone.
    """
    ((overdue, missing),) = view.ask(
        _THEIRS
        + """
        SELECT (
            SELECT count(*) FROM task LEFT JOIN lead l USING (lead)
            WHERE task.status = 'planned' AND task.due_at < %(moment)s
              AND l.status IS DISTINCT FROM 'disqualified'
              AND (task.assignee = %(rep)s
                   OR (task.assignee IS NULL AND task.lead IN (SELECT lead FROM member)))
        ), (
            SELECT count(*) FROM mine
            WHERE status = 'open' AND NOT EXISTS (SELECT FROM planned WHERE planned.lead = mine.lead)
        ) + (
            SELECT count(*) FROM deal JOIN member USING (lead)
            WHERE deal.status = 'open' AND NOT EXISTS (
                SELECT FROM planned
                WHERE planned.lead = member.standing AND (planned.deal IS NULL OR planned.deal = deal.deal)
            )
        )
        """,
        rep=rep,
    )
    return overdue, missing


def past_their_term(view: View, *, at: datetime, limit: int) -> list[str]:
    """Leads whose claim is past its term at that moment, but not written as lapsed; the longest first."""
    rows = view.ask(
        "SELECT lead FROM lead WHERE status IN ('open', 'won') AND owner IS NOT NULL AND expires_at <= %(at)s"
        " ORDER BY expires_at, registered_position LIMIT %(limit)s",
        at=at,
        limit=limit,
    )
    return [lead for (lead,) in rows]


def of_departed(view: View, *, limit: int) -> list[tuple[str, str | None]]:
    """Open leads owned by reps who left, each with the successor who was named then."""
    rows = view.ask(
        "SELECT lead.lead, rep.successor FROM lead JOIN rep ON rep.rep = lead.owner"
        " WHERE rep.status = 'left' AND lead.status = 'open'"
        " ORDER BY lead.registered_position LIMIT %(limit)s",
        limit=limit,
    )
    return [(lead, successor) for lead, successor in rows]
