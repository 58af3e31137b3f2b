"""Closing a period, and what is said about its statements afterwards."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.kernel import Rejected
from domain.payroll.earnings import earnings
from domain.payroll.events import DisputeResolved, Line, LineDisputed, PeriodClosed, StatementIssued
from domain.payroll.model import PayrollPeriod, Statement
from domain.payroll.records import Records
from domain.payroll.statement import statements
from domain.shared import money
from domain.shared.periods import Period
from domain.shared.rejections import InvalidData


class NothingRecorded(Rejected):
    """Nothing is recorded yet, so there is no period to close."""

    code = "nothing_recorded"


class PeriodNotEnded(Rejected):
    """The period {period} has not ended: in {timezone} it is {now}."""

    code = "period_not_ended"


class PeriodIsClosed(Rejected):
    """The period {period} was closed at {closed_at}, at position {cutoff_position}. It never opens again."""

    code = "period_closed"


class PeriodOrder(Rejected):
    """The period {period} can't be closed now: periods close in order, and {next} is next."""

    code = "period_order"


class TimezoneChanged(Rejected):
    """Payroll's months are in the time zone {recorded} since the first close: set it back from {timezone}."""

    code = "timezone_changed"


class UnknownStatement(Rejected):
    """There is no statement {statement}: {reason}."""

    code = "unknown_statement"


class UnknownLine(Rejected):
    """The statement {statement} has no line {line}: it has {lines}."""

    code = "unknown_line"


class NoOpenDispute(Rejected):
    """No dispute of {disputed} waits for an answer."""

    code = "no_open_dispute"


def close(
    period: PayrollPeriod, *, records: Records, cutoff_position: int, zone: ZoneInfo, now: datetime
) -> tuple[PeriodClosed, Sequence[StatementIssued]]:
    """Freeze what the records, which end at the cutoff, say for the period; `zone` is the company's.

    Raises PeriodIsClosed, TimezoneChanged, PeriodNotEnded or PeriodOrder.
    """
    asked = Period.parse(period.id)
    if period.closed is not None:
        raise PeriodIsClosed(
            period=period.id, closed_at=period.closed_at, cutoff_position=period.closed.cutoff_position
        )
    if zone.key != records.zone.key:
        raise TimezoneChanged(recorded=records.zone.key, timezone=zone.key)
    if asked >= Period.at(now, zone):
        told = now.astimezone(zone).isoformat(timespec="seconds")
        raise PeriodNotEnded(period=period.id, timezone=zone.key, now=told)
    if asked != records.first_open:
        raise PeriodOrder(period=period.id, next=str(records.first_open))
    issued = statements(records, earnings(records), asked, cutoff_position)
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in issued:
        totals[one.currency] += one.total
    closed = PeriodClosed(
        cutoff_position=cutoff_position,
        timezone=zone.key,
        currency=records.currency,
        statements=len(issued),
        totals=dict(sorted(totals.items())),
    )
    return closed, issued


def read_statement_id(text: str) -> tuple[Period, str]:
    """The period and the rep of `2026-10/rep-7`, or of `rep-7/2026-10`. Raises InvalidData for other text."""
    for period, _, rep in (text.partition("/"), text.rpartition("/")[::-1]):
        if rep:
            with suppress(InvalidData):
                return Period.parse(period), rep
    raise InvalidData(field="subject", problem=f"{text!r} is not a statement such as 2026-10/rep-7")


def statement_id(period: Period, rep: str) -> str:
    """`2026-10/rep-7`."""
    return f"{period}/{rep}"


def dispute(statement: Statement, *, line: str, reason: str) -> Sequence[LineDisputed]:
    """Somebody says that a line is wrong. `line` is its number, or its whole id. Raises UnknownLine."""
    number = _line(statement, line).line
    return [] if number in statement.open_disputes else [LineDisputed(line=number, reason=reason)]


def resolve(
    statement: Statement, *, line: str | None, accepted: bool, note: str, amount: Decimal | None
) -> Sequence[DisputeResolved]:
    """Answer the open dispute of the line, or the one that waits longest. `amount` in the statement's money.

    Raises UnknownLine, NoOpenDispute, or InvalidData for an amount that can't be paid.
    """
    if amount is not None and not accepted:
        raise InvalidData(field="amount", problem="nothing is paid for a dispute that is not accepted")
    waiting = statement.open_disputes
    number = _line(statement, line).line if line is not None else next(iter(waiting), None)
    if number is None or number not in waiting:
        disputed = statement.id if line is None else f"{statement.id}/{number}"
        raise NoOpenDispute(disputed=disputed)
    paid = None if amount is None else money.check(amount, statement.currency)
    return [DisputeResolved(line=number, accepted=accepted, note=note, amount=paid)]


def issued(statement: Statement, period: PayrollPeriod) -> Statement:
    """The statement, if it was issued. Raises UnknownStatement, saying why there is none."""
    if statement.lines is None:
        reason = "the period isn't closed" if period.closed is None else "the rep had none in that period"
        raise UnknownStatement(statement=statement.id, reason=reason)
    return statement


def _line(statement: Statement, asked: str) -> Line:
    whole, _, number = asked.rpartition("/")
    lines = {str(line.line): line for line in statement.lines or ()}
    if number not in lines or (whole and _canonical(whole) != statement.id):
        known = "none" if not lines else f"1 to {len(lines)}" if len(lines) > 1 else "line 1 only"
        raise UnknownLine(statement=statement.id, line=asked, lines=known)
    return lines[number]


def _canonical(text: str) -> str | None:
    with suppress(InvalidData):
        return statement_id(*read_statement_id(text))
    return None
