"""What explains a line of a statement."""

from zoneinfo import ZoneInfo

from adapters.reading.ledger import Ledger
from domain.deals.events import DealOpened
from domain.deals.model import DEAL
from domain.kernel import Event, Recorded
from domain.payroll.closing import UnknownLine
from domain.payroll.earnings import earnings
from domain.payroll.entitlement import entitlement
from domain.payroll.events import DisputeResolved, Line, LineDisputed
from domain.payroll.model import STATEMENT
from domain.payroll.records import Records
from domain.payroll.statement import paid_before
from domain.shared.periods import Period
from projections.payroll.explaining import Background, Explanation, explain
from projections.payroll.previews import Pay


def explained(book: Ledger, period: Period, rep: str, number: int) -> Explanation:
    """Why the line of that number, from 1, is what it is. Raises as `Ledger.pay` does, or UnknownLine."""
    pay = book.pay(rep, period)
    lines = pay.issued.lines
    if not 1 <= number <= len(lines):
        raise UnknownLine(statement=pay.id, line=number, lines=f"{len(lines)} in all")
    return explain(pay, lines[number - 1], background(book, pay, lines[number - 1]))


def background(book: Ledger, pay: Pay, line: Line) -> Background:
    """What the line is explained by."""
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


def _history(book: Ledger, records: Records, line: Line, *, upto: int) -> list[Recorded[Event]]:
    """What was recorded up to there of the line's deal, and of refunds to the customer."""
    if line.deal is None:
        return []
    paid = (one for one in records.payments.values() if one.deal == line.deal and one.linked_position <= upto)
    refunds = book.at(refund.position for one in paid for refund in one.refunds)
    facts = sorted([*book.load([DEAL.stream(line.deal)]), *refunds], key=lambda fact: fact.position)
    return [fact for fact in facts if fact.position <= upto]


def _facts(book: Ledger, pay: Pay, line: Line) -> list[Recorded[Event]]:
    """What the line rests on, how the deal began, and what was said of the line since."""
    facts = {fact.position: fact for fact in book.at(line.events)}
    if line.deal is not None:
        opened = (one for one in book.load([DEAL.stream(line.deal)]) if isinstance(one.event, DealOpened))
        facts |= {fact.position: fact for fact in opened}
    for fact in book.load([STATEMENT.stream(pay.id)]):
        if isinstance(fact.event, LineDisputed | DisputeResolved) and fact.event.line == line.line:
            facts[fact.position] = fact
    return [facts[position] for position in sorted(facts)]
