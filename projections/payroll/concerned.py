"""Which deals, and which payments, may have earned a rep anything?"""

from collections.abc import Collection

from domain.leads.events import LeadMerged
from projections.asking import View


def deals_of(view: View, reps: Collection[str]) -> list[str]:
    """Deals that one of the reps closed, has a share of, or may have had one of before it was reopened.

    And those won while nobody owned the lead, if one of the reps ever owned it, or it was ever merged.
    """
    rows = view.ask(
        """
        SELECT deal FROM deal_close WHERE owner = ANY(%(reps)s)
        UNION
        SELECT deal FROM deal_share WHERE rep = ANY(%(reps)s)
        UNION
        SELECT c.deal FROM deal_close c JOIN deal_share s ON s.deal = c.deal
        WHERE c.outcome = 'won' AND c.reopened_at IS NOT NULL
        UNION
        SELECT c.deal FROM deal_close c JOIN deal d ON d.deal = c.deal
        WHERE c.outcome = 'won' AND c.owner IS NULL AND EXISTS (
            SELECT FROM ownership o WHERE o.lead = d.lead
            AND (o.owner = ANY(%(reps)s) OR o.event = %(merged)s)
        )
        """,
        reps=list(reps),
        merged=LeadMerged.stored_name,
    )
    return [deal for (deal,) in rows]


def payments_of(view: View, deals: Collection[str]) -> list[str]:
    """Payments that belong to one of the deals, and refunds without a payment that do."""
    rows = view.ask("SELECT payment FROM payment WHERE deal = ANY(%(deals)s)", deals=list(deals))
    return [payment for (payment,) in rows]
