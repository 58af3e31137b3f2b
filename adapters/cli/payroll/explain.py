"""The command `payroll explain`: from a line to the events behind it, and back."""

from shlex import quote
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import Request, report, tell
from projections.asking import View

if TYPE_CHECKING:
    from adapters.cli.payroll.ledger import Ledger
    from domain.kernel import Event, Recorded
    from domain.payroll.events import Line
    from domain.payroll.records import Records
    from projections.payroll.explaining import Background, Explanation, Step
    from projections.payroll.previews import Pay


@click.argument("line")
def _explain(request: Request, line: str) -> None:
    """Why a line, such as 2026-10/rep-7/3, is what it is: the events behind it, in words and figures."""
    from adapters.cli.payroll.acting import statement_of
    from adapters.cli.payroll.ledger import ledger
    from domain.payroll.closing import UnknownLine, read_statement_id
    from projections.payroll.explaining import explain as ask

    month, rep = read_statement_id(statement_of(line))
    number = int(line.rpartition("/")[2])
    with ledger(request) as book:
        pay = book.pay(rep, month)
        lines = pay.issued.lines
        if not 1 <= number <= len(lines):
            raise UnknownLine(statement=pay.id, line=number, lines=f"{len(lines)} in all")
        found = ask(pay, lines[number - 1], background(book, pay, lines[number - 1]))
        tell(request, book.source, found, draw_explanation)


def background(book: "Ledger", pay: "Pay", line: "Line") -> "Background":
    """What the line is explained by."""
    from zoneinfo import ZoneInfo

    from domain.payroll.earnings import earnings
    from domain.payroll.entitlement import entitlement
    from domain.payroll.statement import paid_before
    from domain.shared.periods import Period
    from projections.payroll.explaining import Background

    month, rep = Period.parse(pay.issued.period), pay.issued.rep
    closes = book.closes()
    earlier = [(period, closed) for period, closed in closes if period < month]
    before = book.frozen(rep, [period for period, _ in earlier])
    records = book.records_of(rep)
    if pay.closed:
        entries = paid_before([*(one.issued for one in before), pay.issued])
        zone = ZoneInfo(closes[0][1].timezone)
    else:
        entries, zone = entitlement(records, earnings(records), rep, month), records.zone
    cutoff = earlier[-1][1].cutoff_position if earlier else 0
    history = _history(book, records, line, upto=pay.issued.cutoff_position)
    return Background(_facts(book, pay, line), history, before, entries, cutoff, zone)


def _history(book: "Ledger", records: "Records", line: "Line", *, upto: int) -> "list[Recorded[Event]]":
    """What was recorded up to there of the line's deal, and of refunds to the customer."""
    from domain.deals.model import DEAL

    if line.deal is None:
        return []
    paid = (one for one in records.payments.values() if one.deal == line.deal and one.linked_position <= upto)
    refunds = book.at(refund.position for one in paid for refund in one.refunds)
    facts = sorted([*book.load([DEAL.stream(line.deal)]), *refunds], key=lambda fact: fact.position)
    return [fact for fact in facts if fact.position <= upto]


def _facts(book: "Ledger", pay: "Pay", line: "Line") -> "list[Recorded[Event]]":
    """What the line rests on, how the deal began, and what was said of the line since."""
    from domain.deals.events import DealOpened
    from domain.deals.model import DEAL
    from domain.payroll.events import DisputeResolved, LineDisputed
    from domain.payroll.model import STATEMENT

    facts = {fact.position: fact for fact in book.at(line.events)}
    if line.deal is not None:
        opened = (one for one in book.load([DEAL.stream(line.deal)]) if isinstance(one.event, DealOpened))
        facts |= {fact.position: fact for fact in opened}
    for fact in book.load([STATEMENT.stream(pay.id)]):
        if isinstance(fact.event, LineDisputed | DisputeResolved) and fact.event.line == line.line:
            facts[fact.position] = fact
    return [facts[position] for position in sorted(facts)]


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
