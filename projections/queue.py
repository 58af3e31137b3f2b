"""What should a rep do next?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from projections.asking import STANDS_FOR, Listing, View
from projections.neglected import COVERED
from projections.team import must_know_rep


@dataclass(frozen=True, slots=True)
class Work:
    """A deal, a lead without one, or a step that neither stands for; with the next step planned, if any.

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
        , mine AS MATERIALIZED (SELECT * FROM held WHERE rep = %(rep)s),
        offered AS MATERIALIZED (
            SELECT offer.*, mine.name FROM offer JOIN mine ON mine.lead = offer.standing
        ), promised AS MATERIALIZED (
            SELECT step.*, mine.lead IS NOT NULL AS own,
                   mine.status = 'open' AS mine_open, offered.deal AS standing_for
            FROM step LEFT JOIN mine USING (lead) LEFT JOIN offered
              ON offered.standing = step.lead AND (step.deal IS NULL OR step.deal = offered.deal)
            WHERE step.status = 'planned' AND (mine.lead IS NOT NULL OR step.assignee = %(rep)s)
        ), work AS (
            SELECT 'deal' AS kind, offered.standing AS lead, offered.deal,
                   coalesce(offered.title, offered.name) AS name, offered.stage, offered.pipeline,
                   offered.amount, offered.currency, next.task, next.kind AS task_kind, next.due_at
            FROM offered LEFT JOIN (
                SELECT DISTINCT ON (standing_for) * FROM promised WHERE standing_for IS NOT NULL
                ORDER BY standing_for, due_at, task
            ) next ON next.standing_for = offered.deal
            UNION ALL
            SELECT 'lead', mine.lead, next.deal, mine.name, NULL, NULL, NULL, NULL, next.task, next.kind,
                   next.due_at
            FROM mine LEFT JOIN (
                SELECT DISTINCT ON (lead) * FROM promised WHERE own ORDER BY lead, due_at, task
            ) next ON next.lead = mine.lead
            WHERE mine.status = 'open' AND NOT EXISTS (SELECT FROM offered WHERE standing = mine.lead)
            UNION ALL
            SELECT 'task', promised.lead, promised.deal, held.name, NULL, NULL, NULL, NULL, task, kind, due_at
            FROM promised LEFT JOIN held USING (lead)
            WHERE standing_for IS NULL AND coalesce(assignee, held.rep) = %(rep)s
              AND held.status IS DISTINCT FROM 'disqualified'
              AND NOT (own AND mine_open
                       AND NOT EXISTS (SELECT FROM offered WHERE standing = promised.lead))
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
