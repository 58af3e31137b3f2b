"""Closed statements, recomputed from the log."""

from adapters.reading.ledger import Ledger
from adapters.statements.frozen import PeriodOpen
from domain.shared.periods import Period
from projections.payroll.verifying import Difference, Verified, differences


def verified(book: Ledger, month: Period | None) -> Verified:
    """What is wrong with the month's statements, or any. Raises PeriodOpen for a month that isn't closed."""
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
