"""What does payroll software read? SQL views with documented columns, which stay as they are."""

from typing import ClassVar

from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row, Rows

_STATEMENT = """
SELECT s.statement, s.period, s.rep, r.name AS rep_name, s.currency, s.total, s.lines, s.cutoff_position,
    s.recorded_at AS issued_at, s.position
FROM statement s LEFT JOIN rep r ON r.rep = s.rep
"""
_LINE = """
SELECT l.statement || '/' || l.line AS line_id, l.statement, l.line, s.period, s.rep, s.currency, l.amount,
    l.kind, l.of, l.for_period, l.deal, l.earning, l.credited, l.role, l.basis, l.rate, l.share, l.rule,
    l.plan, l.plan_version, l.events::bigint[] AS events
FROM statement_line l JOIN statement s ON s.statement = l.statement
"""
_DISPUTE = """
SELECT d.statement || '/' || d.line AS line_id, d.statement, d.line, d.time, s.period, s.rep, d.status,
    d.reason, d.disputed_at, d.disputed_by, d.note, d.amount, s.currency, d.answered_at, d.answered_by
FROM dispute d JOIN statement s ON s.statement = d.statement
"""
_PERIOD = """
SELECT period, closed_at, closed_by, cutoff_position, timezone, statements, position
FROM closed_period
"""
_GHOST = """
SELECT p.payment, p.deal, p.amount, p.refunded, p.currency, p.reference, p.occurred_at, p.recorded_at,
    p.position
FROM payment p WHERE NOT EXISTS (SELECT FROM deal d WHERE d.deal = p.deal)
"""
_PLAN = """
SELECT plan, number AS version, name, currency, basis, document::jsonb AS document,
    recorded_at AS published_at, position
FROM plan_version
"""
_POSITION = "Of the event in the log that says so."
_CURRENCY = "ISO 4217 code of every amount in the row."


class PayrollViews(Projection):
    """The contract with payroll software. It has no rows of its own: the views read those of others."""

    name = "payroll_views"
    category = "period"
    rows: ClassVar[tuple[type[Row], ...]] = ()
    views: ClassVar[dict[str, str]] = {
        "payroll_statement": _STATEMENT,
        "payroll_line": _LINE,
        "payroll_dispute": _DISPUTE,
        "payroll_period": _PERIOD,
        "payroll_ghost": _GHOST,
        "payroll_plan": _PLAN,
    }
    comments: ClassVar[dict[str, str]] = {
        "payroll_statement": "What each rep is paid for each closed period. Frozen: a row never changes.",
        "payroll_statement.statement": "Its id: the period and the rep, 2026-10/rep-7.",
        "payroll_statement.period": "The month that is paid, 2026-10, in the company's time zone.",
        "payroll_statement.rep": "Whose pay it is.",
        "payroll_statement.rep_name": "The rep's name as last recorded.",
        "payroll_statement.currency": _CURRENCY,
        "payroll_statement.total": "The sum of its lines; negative if more is taken back than earned.",
        "payroll_statement.lines": "How many lines it has in payroll_line.",
        "payroll_statement.cutoff_position": "It rests on the events of the log up to here, and on no later.",
        "payroll_statement.issued_at": "When the period was closed.",
        "payroll_statement.position": _POSITION,
        "payroll_line": "The lines of the statements. Frozen: a row never changes.",
        "payroll_line.line_id": "The line's id, 2026-10/rep-7/3.",
        "payroll_line.statement": "The statement that it is on.",
        "payroll_line.line": "Its number on the statement, from 1.",
        "payroll_line.period": "The period whose statement it is on: when it is paid.",
        "payroll_line.rep": "Whose pay it is.",
        "payroll_line.currency": _CURRENCY,
        "payroll_line.amount": "What is paid, or if negative taken back; in full minor units.",
        "payroll_line.kind": "win, payment, override, cap, draw, recovery, dispute; or adjustment, of an"
        " earlier period.",
        "payroll_line.of": "What an adjustment adjusts; else the same as kind.",
        "payroll_line.for_period": "The period in which it was earned; for an adjustment an earlier one.",
        "payroll_line.deal": "The deal; empty for what concerns a whole period.",
        "payroll_line.earning": "The win's position, or the payment's id; of a dispute the line disputed.",
        "payroll_line.credited": "Whose credit it rests on: the rep's own, or that of somebody below them.",
        "payroll_line.role": "The part that they had in the deal, where a split names one.",
        "payroll_line.basis": "The part of the deal or payment that the rate is of.",
        "payroll_line.rate": "In percent; empty where none decides.",
        "payroll_line.share": "Their percent of the deal.",
        "payroll_line.rule": "The rule in words.",
        "payroll_line.plan": "The commission plan that the rule is in.",
        "payroll_line.plan_version": "Its version in payroll_plan.",
        "payroll_line.events": "The positions of the events in the log that the line rests on.",
        "payroll_dispute": "What is said to be wrong with lines, and payroll's answers.",
        "payroll_dispute.line_id": "The disputed line, 2026-10/rep-7/3.",
        "payroll_dispute.statement": "The statement that the line is on.",
        "payroll_dispute.line": "The line's number.",
        "payroll_dispute.time": "1 for the first dispute of the line, 2 for the next.",
        "payroll_dispute.period": "The period whose statement it is.",
        "payroll_dispute.rep": "Whose pay it is.",
        "payroll_dispute.status": "open, accepted or declined.",
        "payroll_dispute.reason": "What is wrong, in the words of who says so.",
        "payroll_dispute.disputed_at": "When that was recorded.",
        "payroll_dispute.disputed_by": "By whom.",
        "payroll_dispute.note": "Payroll's answer; empty while it is open.",
        "payroll_dispute.amount": "What the next statement pays for it; empty if the correction is recorded"
        " elsewhere.",
        "payroll_dispute.currency": _CURRENCY,
        "payroll_dispute.answered_at": "When it was answered.",
        "payroll_dispute.answered_by": "By whom.",
        "payroll_period": "The closed periods: closed in order, once, for ever.",
        "payroll_period.period": "The month, 2026-10.",
        "payroll_period.closed_at": "When it was closed.",
        "payroll_period.closed_by": "By whom.",
        "payroll_period.cutoff_position": "Its statements rest on the events of the log up to here.",
        "payroll_period.timezone": "The company's, in which it was a month.",
        "payroll_period.statements": "How many statements it has in payroll_statement.",
        "payroll_period.position": _POSITION,
        "payroll_ghost": "Money that nobody is paid for: it names no deal, or one that nobody opened.",
        "payroll_ghost.payment": "The payment's id, or a refund's own where no payment is recorded.",
        "payroll_ghost.deal": "The deal that it names; empty if none.",
        "payroll_ghost.amount": "What was paid; empty where only refunds are recorded.",
        "payroll_ghost.refunded": "What was given back of it.",
        "payroll_ghost.currency": _CURRENCY,
        "payroll_ghost.reference": "What the sender noted, such as an invoice.",
        "payroll_ghost.occurred_at": "When the money came.",
        "payroll_ghost.recorded_at": "When that was recorded.",
        "payroll_ghost.position": _POSITION,
        "payroll_plan": "The versions of the commission plans. A version never changes.",
        "payroll_plan.plan": "The plan's id.",
        "payroll_plan.version": "1, 2, 3 …",
        "payroll_plan.name": "Its name.",
        "payroll_plan.currency": "ISO 4217 code of what it pays in.",
        "payroll_plan.basis": "won: earned at the win on its amount; paid: at each payment, on that.",
        "payroll_plan.document": "All of it, by the keys of the plan document.",
        "payroll_plan.published_at": "When it was published.",
        "payroll_plan.position": _POSITION,
    }

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        """There is nothing to keep."""
