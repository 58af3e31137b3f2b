"""The command `payroll verify`: closed statements, recomputed from the log."""

from typing import TYPE_CHECKING

import click

from adapters.cli.asking import REFUSED, Request, report, tell
from adapters.cli.wording import counted
from projections.asking import View

if TYPE_CHECKING:
    from adapters.cli.payroll.ledger import Ledger
    from domain.shared.periods import Period
    from projections.payroll.verifying import Difference, Verified


@click.argument("period", required=False)
def _verify(request: Request, period: str | None) -> None:
    """Recompute the closed statements of a month, or all, from the log at their cutoff, and compare.

    Exit code 1 if any is not what the log gives, to the byte.
    """
    from adapters.cli.payroll.ledger import ledger
    from domain.shared.periods import Period

    if request.axis == "occurred":
        raise click.BadParameter("statements are frozen on the recorded axis")
    month = None if period is None else Period.parse(period)
    with ledger(request) as book:
        found = verified(book, month)
        tell(request, book.source, found, draw_verified)
    if found.count:
        raise click.exceptions.Exit(REFUSED)


def verified(book: "Ledger", month: "Period | None") -> "Verified":
    """What is wrong with the month's statements, or any. Raises PeriodOpen for a month that isn't closed."""
    from adapters.statements.frozen import PeriodOpen
    from projections.payroll.verifying import Verified, differences

    closes = [(one, closed) for one, closed in book.closes() if month in (None, one)]
    if month is not None and not closes:
        raise PeriodOpen(period=str(month))
    items: list[Difference] = []
    statements = 0
    for (one, closed), records in zip(closes, book.recomputed(closes), strict=True):
        frozen = book.payday(one).statements
        statements += len(frozen)
        items += differences(one, closed, frozen, records)
    return Verified(tuple(str(one) for one, _ in closes), statements, len(items), tuple(items))


def draw_verified(found: "Verified", view: View) -> None:
    from adapters.cli.render import Column, draw, head, say

    head("Closed statements, recomputed from the log", view)
    looked_at = f"{counted(found.statements, 'statement')} of {counted(len(found.periods), 'period')}"
    if not found.count:
        say(f"{looked_at}: every one is what the log gives, to the byte.")
        return
    say(f"{looked_at}: {found.count:,} wrong.")
    draw(
        [
            Column("period", lambda one: one.period, whole=True),
            Column("statement", lambda one: one.statement or "all together"),
            Column("", lambda one: one.problem, whole=True),
            Column("frozen", lambda one: _total(one.frozen), number=True),
            Column("by the log", lambda one: _total(one.recomputed), number=True),
        ],
        found.items,
    )


def _total(told: "dict[str, object] | None") -> str:
    from adapters.cli.render import text

    if told is None:
        return text(None)
    return str(told["total"]) if "total" in told else counted(int(str(told["statements"])), "statement")


verify = report("verify")(_verify)
