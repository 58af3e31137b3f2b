"""What is paid: the total's lines, and the events that each line names."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from domain.payroll.events import Line, StatementIssued
from domain.payroll.model import STATEMENT
from projections.asking import View
from projections.payroll.documents import full, statement_object
from projections.payroll.explaining import Explanation
from projections.tracing.places import NotTraced, Place
from projections.tracing.trace import Cause, Counted, Item, Log, Trace, look_up, same, traced


def trace_total(
    report: str, view: View, log: Log, place: Place, issued: StatementIssued, anew: StatementIssued
) -> Trace:
    """The lines of a statement. `anew` is the statement as the log gives it at its cutoff."""
    if place.path[-1] != "total":
        raise NotTraced(report=report, figure=place.figure)
    looked_up = look_up(view, log, [_line(issued, line) for line in issued.lines])
    recomputed = sum((line.amount for line in anew.lines), Decimal(0))
    rule = "the sum of the lines, computed anew from the log"
    return traced(report, place, recomputed, rule, looked_up)


def trace_totals(view: View, log: Log, place: Place, issued: Sequence[StatementIssued]) -> Trace:
    """The statements behind the total of a currency."""
    if place.path[0] != "totals":
        raise NotTraced(report="payroll statements", figure=place.figure)
    paid = [one for one in issued if one.currency == place.path[1]]
    counted = [_statement(one) for one in paid]
    recomputed = sum((line.amount for one in paid for line in one.lines), Decimal(0))
    rule = "the sum of all lines of these statements"
    return traced("payroll statements", place, recomputed, rule, look_up(view, log, counted))


def trace_line(report: str, place: Place, explained: Explanation, anew: StatementIssued) -> Trace:
    """A line as `payroll explain` has it. `anew` is the statement as the log gives it at its cutoff."""
    number, name = int(explained.line.rpartition("/")[2]), place.path[-1]
    events = tuple(
        Cause(one.position, one.event, one.stream, one.occurred_at, one.recorded_at, one.actor)
        for one in explained.events
    )
    item = Item("line", explained.line, explained.rep, full(explained.amount, explained.currency), events)
    lines: list[dict[str, Any]] = statement_object(anew)["lines"]
    recomputed = lines[number - 1][name] if number <= len(lines) else None
    rule = "the same line, computed anew from the log"
    holds = same(place.value, recomputed)
    return Trace(report, place.figure, place.value, recomputed, holds, rule, explained.story, 1, (item,))


def _line(issued: StatementIssued, line: Line) -> Counted:
    name = f"{issued.period}/{issued.rep}/{line.line}"
    return Counted("line", name, line.amount, line.deal, positions=line.events)


def _statement(issued: StatementIssued) -> Counted:
    """It rests on the events of its lines; once closed, it is an event itself."""
    name = f"{issued.period}/{issued.rep}"
    positions = tuple(sorted({position for line in issued.lines for position in line.events}))
    own = (STATEMENT.stream(name),)
    return Counted("statement", name, issued.total, None, own, (StatementIssued,), positions=positions)
