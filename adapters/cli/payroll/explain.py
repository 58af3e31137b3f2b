"""The command `payroll explain`: from a line to the events behind it, and back."""

from shlex import quote
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import Request, report, tell
from projections.asking import View

if TYPE_CHECKING:
    from projections.payroll.explaining import Explanation, Step


@click.argument("line")
def _explain(request: Request, line: str) -> None:
    """Why a line, such as 2026-10/rep-7/3, is what it is: the events behind it, in words and figures."""
    from adapters.cli.payroll.acting import statement_of
    from adapters.cli.payroll.ledger import ledger
    from adapters.reading.explaining import explained
    from domain.payroll.closing import read_statement_id

    month, rep = read_statement_id(statement_of(line))
    number = int(line.rpartition("/")[2])
    with ledger(request) as book:
        found = explained(book, month, rep, number)
        tell(request, book.source, found, draw_explanation)


def draw_explanation(found: "Explanation", view: View) -> None:
    from adapters.cli.render import Column, count, draw, head, moment, money, say

    head(f"Line {found.line}{'' if found.closed else ' (not closed yet)'}", view)
    say(f"{money(found.amount, found.currency)} for {found.for_period}, paid with {found.period}.")
    for number, sentence in enumerate(found.story, start=1):
        say(f"{number}. {sentence}")
    draw(
        [
            Column("event", lambda one: count(one.position), number=True),
            Column("happened", lambda one: moment(one.occurred_at, view)),
            Column("recorded", lambda one: moment(one.recorded_at, view)),
            Column("by", lambda one: one.actor),
            Column("what", _what),
        ],
        found.events,
    )
    if found.closed:
        say(f"Wrong? dealtrail payroll dispute {quote(found.line)} --actor {quote(found.rep)} --reason …")


def _what(step: "Step") -> str:
    notes = [step.bearing] if step.bearing else []
    notes += ["since then"] if step.since else []
    return f"{step.told} ({', '.join(notes)})" if notes else step.told


explain = report("explain")(_explain)
