"""Which claims has the worker to see to: past their term, or of reps who left?"""

from collections.abc import Sequence

from projections.asking import OWNER_NOW, View


def past_their_term(view: View, *, limit: int) -> Sequence[str]:
    """Leads whose claim has passed its term, but isn't written as lapsed; the longest lapsed first."""
    rows = view.ask(
        """
        SELECT lead FROM lead
        WHERE owner IS NOT NULL AND status IN ('open', 'won') AND expires_at <= %(moment)s
        ORDER BY expires_at, lead LIMIT %(limit)s
        """,
        limit=limit,
    )
    return [lead for (lead,) in rows]


def of_departed(view: View, *, limit: int) -> Sequence[tuple[str, str | None]]:
    """Open leads owned by reps who left, each with the successor named then (None for the pool)."""
    rows = view.ask(
        f"""
        SELECT l.lead, r.successor FROM rep r JOIN lead l ON l.owner = r.rep
        WHERE r.status = 'left' AND l.status = 'open' AND ({OWNER_NOW}) IS NOT NULL
        ORDER BY l.registered_position LIMIT %(limit)s
        """,
        limit=limit,
    )
    return [(lead, successor) for lead, successor in rows]
