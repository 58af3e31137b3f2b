"""Figures of statements, traced: totals to their lines, lines to what `payroll explain` says of them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from adapters.cli.asking import Request

if TYPE_CHECKING:
    from adapters.reading.ledger import Ledger
    from domain.payroll.events import StatementIssued
    from projections.asking import View
    from projections.payroll.previews import Pay
    from projections.tracing.places import Place
    from projections.tracing.trace import Trace


def trace_pay(
    report: str,
    request: Request,
    options: Mapping[str, Any],
    figure: str,
    tell: "Callable[[Request, View, Trace], None]",
) -> None:
    """The figure of `payroll statement`, or of `payroll statements`."""
    from adapters.cli.payroll.ledger import ledger
    from domain.shared.periods import Period
    from projections.payroll.previews import Pay
    from projections.tracing.places import find
    from projections.tracing.statements import trace_totals

    month = Period.parse(options["period"])
    with ledger(request) as book:
        if report == "payroll statement":
            pay = book.pay(options["rep"], month)
            place = find(report, pay.as_object(), figure)
            found = _of_statement(report, book, place, place.path, pay)
        else:
            payday = book.payday(month)
            place = find(report, payday.as_object(), figure)
            if place.path[0] == "statements":
                issued = next(one for one in payday.statements if one.rep == place.path[1])
                pay = Pay(issued, closed=payday.closed)
                found = _of_statement(report, book, place, place.path[2:], pay)
            else:
                found = trace_totals(book.view, book.source, place, payday.statements)
        tell(request, book.view, found)


def _of_statement(report: str, book: "Ledger", place: "Place", path: tuple[Any, ...], pay: "Pay") -> "Trace":
    from adapters.reading.explaining import background
    from projections.payroll.explaining import explain
    from projections.tracing.statements import trace_line, trace_total

    anew = _anew(book, pay)
    if path[0] != "lines":
        return trace_total(report, book.view, book.source, place, pay.issued, anew)
    line = pay.issued.lines[int(path[1].rpartition("/")[2]) - 1]
    return trace_line(report, place, explain(pay, line, background(book, pay, line)), anew)


def _anew(book: "Ledger", pay: "Pay") -> "StatementIssued":
    """The statement as the log gives it at its cutoff; one that isn't closed was computed just now."""
    from domain.payroll.earnings import earnings
    from domain.payroll.statement import statement
    from domain.shared.periods import Period

    issued = pay.issued
    if not pay.closed:
        return issued
    month = Period.parse(issued.period)
    *_, records = book.recomputed([one for one in book.closes() if one[0] <= month])
    return statement(records, earnings(records), issued.rep, month, issued.cutoff_position)
