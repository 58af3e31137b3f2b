"""What was paid to whom in which period, what is said to be wrong with it, and which periods are closed?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from domain.kernel import Event, Recorded
from domain.payroll.events import DisputeResolved, LineDisputed, PeriodClosed, StatementIssued
from projections.asking import Listing, View
from projections.kernel import Projection, Row, Rows
from projections.team import must_know_rep


@dataclass(slots=True)
class StatementRow(Row):
    """A frozen statement, `2026-10/rep-7`. `lines` is their number, `total` their sum."""

    table: ClassVar[str] = "statement"
    key: ClassVar[tuple[str, ...]] = ("statement",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("period",), ("rep",))

    statement: str
    period: str
    rep: str
    currency: str
    cutoff_position: int
    total: Decimal
    lines: int
    position: int
    recorded_at: datetime


@dataclass(slots=True)
class StatementLineRow(Row):
    """A line as domain.payroll.events.Line has it; `events` are positions. `disputes` counts its disputes."""

    table: ClassVar[str] = "statement_line"
    key: ClassVar[tuple[str, ...]] = ("statement", "line")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("deal",),)

    statement: str
    line: int
    kind: str
    of: str
    deal: str | None
    earning: str
    credited: str
    role: str | None
    for_period: str
    basis: Decimal
    rate: Decimal | None
    share: Decimal | None
    amount: Decimal
    rule: str
    plan: str | None
    plan_version: int | None
    events: tuple[str, ...]
    disputes: int = 0


@dataclass(slots=True)
class DisputeRow(Row):
    """A dispute, the `time`-th of that line; `status` is open, accepted or declined.

    `amount` is what was conceded, where the dispute was accepted with an amount.
    """

    table: ClassVar[str] = "dispute"
    key: ClassVar[tuple[str, ...]] = ("statement", "line", "time")

    statement: str
    line: int
    time: int
    reason: str
    disputed_at: datetime
    disputed_by: str
    position: int
    status: str = "open"
    note: str | None = None
    amount: Decimal | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    answer_position: int | None = None


class Statements(Projection):
    """What was paid to whom, line by line, and what is said to be wrong with it?"""

    name = "statements"
    category = "statement"
    rows = (StatementRow, StatementLineRow, DisputeRow)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case StatementIssued() as issued:
                _issue(issued, fact, rows)
            case LineDisputed(line=line, reason=reason):
                times = rows.get(StatementLineRow, fact.entity, line).disputes + 1
                rows.change(StatementLineRow, fact.entity, line, disputes=times)
                rows.put(
                    DisputeRow(fact.entity, line, times, reason, fact.recorded_at, fact.actor, fact.position)
                )
            case DisputeResolved(line=line) as answer:
                rows.change(
                    DisputeRow,
                    fact.entity,
                    line,
                    rows.get(StatementLineRow, fact.entity, line).disputes,
                    status="accepted" if answer.accepted else "declined",
                    note=answer.note,
                    amount=answer.amount,
                    answered_at=fact.recorded_at,
                    answered_by=fact.actor,
                    answer_position=fact.position,
                )


def _issue(issued: StatementIssued, fact: Recorded[Event], rows: Rows) -> None:
    rows.put(
        StatementRow(
            statement=fact.entity,
            period=issued.period,
            rep=issued.rep,
            currency=issued.currency,
            cutoff_position=issued.cutoff_position,
            total=issued.total,
            lines=len(issued.lines),
            position=fact.position,
            recorded_at=fact.recorded_at,
        )
    )
    for line in issued.lines:
        rows.put(
            StatementLineRow(
                statement=fact.entity,
                line=line.line,
                kind=line.kind,
                of=line.of,
                deal=line.deal,
                earning=line.earning,
                credited=line.credited,
                role=line.role,
                for_period=line.for_period,
                basis=line.basis,
                rate=line.rate,
                share=line.share,
                amount=line.amount,
                rule=line.rule,
                plan=line.plan,
                plan_version=line.plan_version,
                events=tuple(map(str, line.events)),
            )
        )


@dataclass(slots=True)
class ClosedPeriodRow(Row):
    """A closed period. `statements` is their number, `timezone` the one in which it was a month."""

    table: ClassVar[str] = "closed_period"
    key: ClassVar[tuple[str, ...]] = ("period",)

    period: str
    cutoff_position: int
    timezone: str
    statements: int
    closed_at: datetime
    closed_by: str
    position: int


class Periods(Projection):
    """Which periods are closed, and by what the log said up to where?"""

    name = "periods"
    category = "period"
    rows = (ClosedPeriodRow,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case PeriodClosed() as closed:
                rows.put(
                    ClosedPeriodRow(
                        period=fact.entity,
                        cutoff_position=closed.cutoff_position,
                        timezone=closed.timezone,
                        statements=closed.statements,
                        closed_at=fact.recorded_at,
                        closed_by=fact.actor,
                        position=fact.position,
                    )
                )


@dataclass(frozen=True, slots=True)
class Dispute:
    """A line said to be wrong, and payroll's answer. `paid` is the line's amount, `conceded` the answer's."""

    line: str
    statement: str
    period: str
    rep: str
    deal: str | None
    paid: Decimal
    currency: str
    reason: str
    disputed_at: datetime
    disputed_by: str
    position: int
    status: str
    note: str | None
    conceded: Decimal | None
    answered_at: datetime | None
    answered_by: str | None
    answer_position: int | None


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A closed period and how many statements it has."""

    period: str
    cutoff_position: int
    timezone: str
    statements: int
    closed_at: datetime
    closed_by: str
    position: int


def disputes(view: View, open_only: bool = False, rep: str | None = None) -> Listing:
    """Disputes in the order in which they were raised; with `rep`, of that rep's statements.

    Raises UnknownRep.
    """
    must_know_rep(view, rep)
    rows = view.ask(
        """
        SELECT d.statement || '/' || d.line, d.statement, s.period, s.rep, l.deal, l.amount, s.currency,
            d.reason, d.disputed_at, d.disputed_by, d.position, d.status, d.note, d.amount,
            d.answered_at, d.answered_by, d.answer_position
        FROM dispute d JOIN statement s USING (statement) JOIN statement_line l USING (statement, line)
        WHERE (NOT %(open_only)s OR d.status = 'open') AND (%(rep)s::text IS NULL OR s.rep = %(rep)s)
        ORDER BY d.position
        """,
        open_only=open_only,
        rep=rep,
    )
    return Listing.of([Dispute(*row) for row in rows])


def periods(view: View) -> Listing:
    """The closed periods, the first one first."""
    rows = view.ask(
        """
        SELECT period, cutoff_position, timezone, statements, closed_at, closed_by, position
        FROM closed_period ORDER BY period
        """
    )
    return Listing.of([ClosedPeriod(*row) for row in rows])
