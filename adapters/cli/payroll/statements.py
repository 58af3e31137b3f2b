"""The commands that show what is paid: statement, statements."""

from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from adapters.cli.asking import Request, report, tell
from projections.asking import View

if TYPE_CHECKING:
    from domain.payroll.events import Line, StatementIssued
    from projections.payroll.previews import Pay, Payday

PERIOD = click.option("--period", required=True, metavar="P", help="The month, as 2026-10.")


@click.option("--rep", required=True, metavar="R", help="Whose statement.")
@PERIOD
def _statement(request: Request, rep: str, period: str) -> None:
    """What a rep is paid for a period, line by line: frozen by its close, or as things stand so far."""
    from adapters.cli.payroll.ledger import ledger
    from domain.shared.periods import Period

    month = Period.parse(period)
    with ledger(request) as book:
        pay = book.pay(rep, month)
        tell(request, book.source, pay.as_object(), lambda _, view: draw_statement(pay, view))


def draw_statement(pay: "Pay", view: View) -> None:
    from adapters.cli.render import Column, draw, head, money, say, text
    from projections.payroll.documents import sealed_as

    issued = pay.issued
    head(f"Statement {pay.id}{'' if pay.closed else ' (not closed yet)'}", view)
    if pay.closed:
        say(f"Frozen by what was recorded up to position {issued.cutoff_position:,}.")
        if pay.checkpoint is not None:
            say(f"Checkpoint: {sealed_as(pay.checkpoint)}")
    else:
        say("What would be paid if the period were closed now, and all before it.")
    draw(
        [
            Column("", lambda one: str(one.line), number=True),
            Column("what", _what),
            Column("for", lambda one: one.for_period, whole=True),
            Column("basis", lambda one: money(one.basis, None), number=True),
            Column("%", lambda one: text(percent(one.rate)), number=True),
            Column(issued.currency, lambda one: money(one.amount, None), number=True),
        ],
        issued.lines,
        "No lines.",
    )
    say(f"Total {money(issued.total, issued.currency)}.")
    if issued.lines:
        say(f"Where a line comes from: dealtrail payroll explain {quote(f'{pay.id}/1')}")


def _what(line: "Line") -> str:
    from projections.payroll.wording import what

    return what(line)


def percent(value: Any) -> str | None:
    """`12.5` for a percent, None for none."""
    from domain.payroll.rating import plain

    return None if value is None else plain(value)


@PERIOD
def _statements(request: Request, period: str) -> None:
    """What everybody is paid for a period: frozen by its close, or as things stand so far."""
    from adapters.cli.payroll.ledger import ledger
    from domain.shared.periods import Period

    month = Period.parse(period)
    with ledger(request) as book:
        found = book.payday(month)
        tell(request, book.source, found.as_object(), lambda _, view: draw_statements(found, view))


def draw_statements(found: "Payday", view: View) -> None:
    from adapters.cli.render import Column, count, draw, head, money, purse, say
    from projections.payroll.documents import sealed_as

    head(f"Statements of {found.period}{'' if found.closed else ' (not closed yet)'}", view)

    def adjusted(issued: "StatementIssued") -> str:
        return count(sum(line.kind == "adjustment" for line in issued.lines))

    draw(
        [
            Column("rep", lambda one: one.rep),
            Column("lines", lambda one: count(len(one.lines)), number=True),
            Column("adjustments", adjusted, number=True),
            Column("total", lambda one: money(one.total, one.currency), number=True),
        ],
        found.statements,
        "Nobody has one.",
    )
    say(f"Totals {purse(found.totals)}.")
    if found.checkpoint is not None:
        say(f"Checkpoint: {sealed_as(found.checkpoint)}")


statement = report("statement")(_statement)
statements = report("statements")(_statements)
