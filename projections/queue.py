"""What should a rep do next?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from projections.asking import STANDS_FOR, Listing, View
from projections.neglected import COVERED
from projections.team import must_know_rep


@dataclass(frozen=True, slots=True)
class Work:
    """A deal, a lead without one, or a step for somebody else's lead; with the next step planned, if any.

    `ordinal` is the stage's place in its pipeline of `stages` stages.
    """

    kind: str
    lead: str
    deal: str | None
    name: str | None
    stage: str | None
    ordinal: int | None
    stages: int | None
    amount: Decimal | None
    currency: str | None
    task: str | None
    task_kind: str | None
    due_at: datetime | None
    overdue: bool


def queue(view: View, *, rep: str) -> Listing:
    """Overdue steps first, then deals nearest the finish, then by due time. Raises UnknownRep."""
    must_know_rep(view, rep)
    rows = view.ask(
        STANDS_FOR
        + COVERED
        + """
        , work AS (
            SELECT 'deal' AS kind, offer.standing AS lead, offer.deal,
                   coalesce(offer.title, held.name) AS name, offer.stage, offer.pipeline, offer.amount,
                   offer.currency, next.task, next.kind AS task_kind, next.due_at
            FROM offer JOIN held ON held.lead = offer.standing LEFT JOIN LATERAL (
                SELECT * FROM step WHERE step.lead = offer.standing AND step.status = 'planned'
                  AND (step.deal IS NULL OR step.deal = offer.deal)
                ORDER BY step.due_at, step.task LIMIT 1
            ) next ON true
            WHERE held.rep = %(rep)s
            UNION ALL
            SELECT 'lead', held.lead, next.deal, held.name, NULL, NULL, NULL, NULL, next.task, next.kind,
                   next.due_at
            FROM held LEFT JOIN LATERAL (
                SELECT * FROM step WHERE step.lead = held.lead AND step.status = 'planned'
                ORDER BY step.due_at, step.task LIMIT 1
            ) next ON true
            WHERE held.rep = %(rep)s AND held.status = 'open'
              AND NOT EXISTS (SELECT FROM offer WHERE offer.standing = held.lead)
            UNION ALL
            SELECT 'task', step.lead, step.deal, held.name, NULL, NULL, NULL, NULL, step.task, step.kind,
                   step.due_at
            FROM step JOIN held USING (lead)
            WHERE step.assignee = %(rep)s AND step.status = 'planned' AND held.status <> 'disqualified'
              AND (held.rep IS DISTINCT FROM %(rep)s OR (
                  held.status = 'won' AND NOT EXISTS (SELECT FROM offer WHERE offer.standing = held.lead)))
        )
        SELECT work.kind, lead, deal, work.name, work.stage, stage.ordinal, pipeline.stages, amount, currency,
               task, task_kind, due_at, coalesce(due_at < %(moment)s, false) AS overdue
        FROM work LEFT JOIN pipeline USING (pipeline)
        LEFT JOIN stage ON stage.pipeline = work.pipeline AND stage.name = work.stage
        ORDER BY overdue DESC, stage.ordinal DESC NULLS LAST, due_at NULLS LAST, lead COLLATE "C",
                 deal COLLATE "C", task COLLATE "C"
        """,
        rep=rep,
    )
    return Listing.of([Work(*row) for row in rows])
