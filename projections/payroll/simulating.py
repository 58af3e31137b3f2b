"""What would a draft plan have paid? Beside what was paid, and nothing is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.payroll.earnings import Earnings, earnings
from domain.payroll.entitlement import currency_of, entitlement
from domain.payroll.plans import Plan
from domain.payroll.records import Records
from domain.payroll.standing import ZERO, rounded
from domain.shared.periods import Period
from domain.shared.rejections import UnknownRep


@dataclass(frozen=True, slots=True)
class Simulated:
    """A rep's commission for the periods of the range.

    `paid` is what statements paid for them so far, `earned` what the log gives now under the rep's present
    plans, `simulated` under the draft; `difference` is how much more the draft gives than the present plans.
    These two are None for a rep who is paid in another currency than the draft's.
    """

    rep: str
    currency: str
    paid: Decimal
    earned: Decimal
    simulated: Decimal | None
    difference: Decimal | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """The draft's name, the days on which it would have bound the reps, and who has anything by it."""

    plan: str
    first_day: date
    last_day: date
    currency: str
    items: Sequence[Simulated]

    def as_object(self) -> dict[str, object]:
        """`from` and `to` are no names that a field can have."""
        return {
            "plan": self.plan,
            "from": self.first_day,
            "to": self.last_day,
            "currency": self.currency,
            "count": len(self.items),
            "items": self.items,
        }


def simulate(
    records: Records, plan: Plan, first_day: date, last_day: date, *, rep: str | None = None
) -> Simulation:
    """Had everybody, or the rep alone, been assigned the plan on these days. Raises UnknownRep."""
    if rep is not None and rep not in records.reps:
        raise UnknownRep(rep=rep)
    asked = sorted(records.reps) if rep is None else [rep]
    bound = [
        one for one in asked if not records.assignments.get(one) or currency_of(records, one) == plan.currency
    ]
    drafted = records.with_draft(plan, bound, first_day, last_day)
    now, then = earnings(records), earnings(drafted)
    first, last = Period.of(first_day), Period.of(last_day)
    items = []
    for one in asked:
        one_bound = one in bound
        currency = plan.currency if one_bound else currency_of(records, one)
        earned = _earned(records, now, one, first, last, currency)
        simulated = _earned(drafted, then, one, first, last, currency) if one_bound else None
        paid = _paid(records, one, first, last, currency)
        if rep is not None or paid or earned or simulated:
            difference = None if simulated is None else simulated - earned
            items.append(Simulated(one, currency, paid, earned, simulated, difference))
    return Simulation(plan.name, first_day, last_day, plan.currency, items)


def _earned(
    records: Records, earned: Earnings, rep: str, first: Period, last: Period, currency: str
) -> Decimal:
    entries = entitlement(records, earned, rep, last)
    amounts = (entry.amount for key, entry in entries.items() if str(first) <= key.for_period <= str(last))
    return sum(amounts, rounded(ZERO, currency))


def _paid(records: Records, rep: str, first: Period, last: Period, currency: str) -> Decimal:
    lines = (line for issued in records.statements.get(rep, ()) for line in issued.lines)
    amounts = (line.amount for line in lines if str(first) <= line.for_period <= str(last))
    return sum(amounts, rounded(ZERO, currency))
