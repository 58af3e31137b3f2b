"""Whom does a lead or a deal concern, and what may reps read of it in SQL?"""

from typing import ClassVar

from domain.kernel import Event, Recorded
from projections.asking import OWNER_NOW, STANDS_FOR, View
from projections.kernel import Projection, Row, Rows
from projections.payroll.views import PayrollViews

_WHOSE = f"""
    SELECT d.deal, CASE WHEN d.status = 'open' THEN {OWNER_NOW} ELSE d.closed_owner END AS rep
    FROM deal d LEFT JOIN stands_for s ON s.lead = d.lead
    LEFT JOIN lead l ON l.lead = coalesce(s.target, d.lead)
    UNION
    SELECT deal, rep FROM deal_share"""
"""SQL, after STANDS_FOR: pairs of a deal and a rep whom it concerns.

That is the lead's owner, at the close or while the deal is open now, and whoever is on its split.
"""


def _meant(asked: str) -> str:
    """SQL: opens a statement with `meant`, the lead that stands for the one asked for.

    By the pointers of that one alone, where STANDS_FOR follows those of all leads.
    """
    return f"""
    WITH RECURSIVE up(lead) AS (
        {asked}
        UNION
        SELECT further.points_to FROM up JOIN lead_pointer further ON further.lead = up.lead
    ), meant AS (
        SELECT lead FROM up WHERE NOT EXISTS (SELECT FROM lead_pointer further WHERE further.lead = up.lead)
    )"""


def concerned_with_deal(view: View, deal: str) -> frozenset[str]:
    """Whose deal it is, and who is on its split; nobody for a deal that isn't there."""
    rows = view.ask(
        f"""{_meant("SELECT lead FROM deal WHERE deal = %(deal)s")}
        SELECT CASE WHEN d.status = 'open' THEN {OWNER_NOW} ELSE d.closed_owner END
        FROM deal d LEFT JOIN (meant JOIN lead l USING (lead)) ON true WHERE d.deal = %(deal)s
        UNION
        SELECT rep FROM deal_share WHERE deal = %(deal)s""",
        deal=deal,
    )
    return frozenset(rep for (rep,) in rows if rep is not None)


def concerned_with_lead(view: View, lead: str) -> dict[str | None, frozenset[str]]:
    """Under None whose the lead is now, or the one that stands for it; by its deals whom they concern."""
    rows = view.ask(
        f"""{_meant('SELECT %(lead)s::text COLLATE "C"')}, family AS (
            SELECT lead FROM meant
            UNION
            SELECT other.lead FROM family JOIN lead_pointer other ON other.points_to = family.lead
        ), asked AS (SELECT deal, status, closed_owner FROM family JOIN deal USING (lead)),
        held AS (SELECT {OWNER_NOW} AS owner FROM meant JOIN lead l USING (lead))
        SELECT NULL, owner FROM held
        UNION
        SELECT deal, CASE WHEN status = 'open' THEN owner ELSE closed_owner END
        FROM asked LEFT JOIN held ON true
        UNION
        SELECT deal, rep FROM deal_share JOIN asked USING (deal)""",
        lead=lead,
    )
    deals = {deal for deal, _ in rows}
    return {one: frozenset(rep for deal, rep in rows if deal == one and rep is not None) for one in deals}


_NOW = {"moment": "now()"}
_MY_LEAD = f"""
SELECT l.lead, l.status, l.name, l.channel, l.campaign, l.branch, l.owner, l.since, l.expires_at,
    l.registered_at, l.by_position
FROM lead l WHERE {OWNER_NOW % _NOW} IN (SELECT access.reps())
"""
_MY_DEAL = f"""
{STANDS_FOR}, concern AS ({_WHOSE % _NOW})
SELECT d.deal, d.lead, d.pipeline, d.status, d.stage, d.stage_since, d.title, d.product, d.amount, d.currency,
    d.opened_at, d.closed_at, d.loss_reason
FROM deal d WHERE d.deal IN (
    SELECT concern.deal FROM concern WHERE concern.rep IN (SELECT access.reps())
)
"""
_MY_SHARE = """
SELECT h.deal, h.rep, h.role, h.percent FROM deal_share h WHERE h.rep IN (SELECT access.reps())
"""
_MY_STATEMENT = """
SELECT s.statement, s.period, s.rep, s.currency, s.total, s.lines, s.cutoff_position,
    s.recorded_at AS issued_at
FROM statement s WHERE s.rep IN (SELECT access.reps())
"""
_MY_LINE = """
SELECT l.statement || '/' || l.line AS line_id, l.statement, l.line, s.period, s.rep, s.currency, l.amount,
    l.kind, l.of, l.for_period, l.deal, l.earning, l.credited, l.role, l.basis, l.rate, l.share, l.rule,
    l.plan, l.plan_version
FROM statement_line l JOIN statement s ON s.statement = l.statement
WHERE s.rep IN (SELECT access.reps())
"""
_FENCE = "OFFSET 0"
"""Conditions of the reader's are asked of the rows shown alone.

A barrier still lets harmless operators, such as < of texts, be asked of all rows, and EXPLAIN ANALYZE counts
how many they hold for: so the names of others' leads can be found letter by letter.
"""


def _as_payroll_has(view: str, *columns: str) -> dict[str, str]:
    return {column: PayrollViews.comments[f"{view}.{column}"] for column in columns}


_CURRENCY = "ISO 4217 code of the amount."
_COMMENTS: dict[str, dict[str, str]] = {
    "my_lead": {
        "": "The leads that are the login's rep's now (access.login), or of those below a head.",
        "lead": "Its id.",
        "status": "open or won.",
        "name": "What it is called.",
        "channel": "Where it came from.",
        "campaign": "By which campaign.",
        "branch": "Its branch.",
        "owner": "Whose it is.",
        "since": "Since when.",
        "expires_at": "When the claim ends unless the lead is worked.",
        "registered_at": "When the customer first showed interest.",
        "by_position": "The event in the log that made it theirs.",
    },
    "my_deal": {
        "": "The deals that are theirs, or were at the close, or on whose split they are.",
        "deal": "Its id.",
        "lead": "Of which lead.",
        "pipeline": "In which pipeline.",
        "status": "open, won or lost.",
        "stage": "In which stage, or in which it was closed.",
        "stage_since": "Since when.",
        "title": "What it is called.",
        "product": "What is sold.",
        "amount": "What it is worth; empty if nobody said.",
        "currency": _CURRENCY,
        "opened_at": "When it was opened.",
        "closed_at": "When it was won or lost.",
        "loss_reason": "Why it was lost.",
    },
    "my_share": {
        "": "Their shares of deals. Other reps' shares are not told.",
        "deal": "Of which deal.",
        "rep": "Whose share.",
        "role": "Their part in it.",
        "percent": "Of the credit.",
    },
    "my_statement": {
        "": "Their statements of closed periods, as in read.payroll_statement.",
        **_as_payroll_has(
            "payroll_statement",
            *("statement", "period", "rep", "currency", "total", "lines", "cutoff_position", "issued_at"),
        ),
    },
    "my_line": {
        "": "The lines of their statements, as in read.payroll_line.",
        **_as_payroll_has(
            "payroll_line",
            *("line_id", "statement", "line", "period", "rep", "currency", "amount", "kind", "of"),
            *("for_period", "deal", "earning", "credited", "role", "basis", "rate", "share", "rule"),
            *("plan", "plan_version"),
        ),
    },
}


class MyViews(Projection):
    """What a rep's own login may read in SQL: their rows alone. The views read the rows of others."""

    name = "my_views"
    category = "period"
    rows: ClassVar[tuple[type[Row], ...]] = ()
    views: ClassVar[dict[str, str]] = {
        "my_lead": _MY_LEAD + _FENCE,
        "my_deal": _MY_DEAL + _FENCE,
        "my_share": _MY_SHARE + _FENCE,
        "my_statement": _MY_STATEMENT + _FENCE,
        "my_line": _MY_LINE + _FENCE,
    }
    comments: ClassVar[dict[str, str]] = {
        f"{view}.{column}" if column else view: text
        for view, columns in _COMMENTS.items()
        for column, text in columns.items()
    }

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        """There is nothing to keep."""
