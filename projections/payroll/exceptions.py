"""Which earnings can't be paid until something is recorded?"""

from dataclasses import dataclass
from decimal import Decimal

from domain.payroll.earnings import Unpaid, earnings
from domain.payroll.rating import rate
from domain.payroll.records import Records
from domain.shared.periods import Period
from domain.shared.rejections import UnknownRep
from projections.asking import Listing


@dataclass(frozen=True, slots=True)
class PayrollException:
    """An earning that waits: `missing` says in words for what, `kind` for machines.

    `amount` is what waits, where known: the whole of a win or a payment, or the rep's part of it. `period` is
    the one that it belongs to. `rep` is whose it would be.
    """

    kind: str
    deal: str
    earning: str
    rep: str | None
    amount: Decimal | None
    currency: str | None
    period: str
    missing: str
    events: tuple[int, ...]


def exceptions(records: Records, *, rep: str | None = None, period: Period | None = None) -> Listing:
    """Everything that waits, or what of it is the rep's or the period's, by period and deal.

    Raises UnknownRep.
    """
    if rep is not None and rep not in records.reps:
        raise UnknownRep(rep=rep)
    earned = earnings(records)
    for credits in list(earned.credits.values()):
        for _ in rate(credits, earned):
            pass  # Rating notes what has no percent or quota.
    asked = [
        one
        for one in earned.unpaid.values()
        if (rep is None or one.rep == rep) and (period is None or one.period == period)
    ]
    asked.sort(key=lambda one: (one.period, one.deal, one.earning, one.kind, one.rep or ""))
    return Listing.of([_shown(one) for one in asked])


def _shown(one: Unpaid) -> PayrollException:
    return PayrollException(
        kind=one.kind,
        deal=one.deal,
        earning=one.earning,
        rep=one.rep,
        amount=one.amount,
        currency=one.currency,
        period=str(one.period),
        missing=one.missing,
        events=one.events,
    )
