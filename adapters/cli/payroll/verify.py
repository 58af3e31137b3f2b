"""The command `payroll verify`: closed statements, recomputed from the log."""

from typing import TYPE_CHECKING

import click

from adapters.cli.asking import REFUSED, Request, report, tell
from adapters.cli.wording import counted
from projections.asking import View

if TYPE_CHECKING:
    from projections.payroll.verifying import Verified


@click.argument("period", required=False)
def _verify(request: Request, period: str | None) -> None:
    """Recompute the closed statements of a month, or all, from the log at their cutoff, and compare.

    Exit code 1 if any is not what the log gives, to the byte.
    """
    from adapters.cli.payroll.ledger import ledger
    from adapters.reading.verifying import verified
    from domain.shared.periods import Period

    if request.axis == "occurred":
        raise click.BadParameter("statements are frozen on the recorded axis")
    month = None if period is None else Period.parse(period)
    with ledger(request) as book:
        found = verified(book, month)
        tell(request, book.source, found, draw_verified)
    if found.count:
        raise click.exceptions.Exit(REFUSED)


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
