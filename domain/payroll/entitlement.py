"""E(P, n): what the first n events of the log say that a rep earned in the periods up to P. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from domain.payroll.earnings import Credited, Earnings
from domain.payroll.events import EntryKind
from domain.payroll.rating import Rated, plain, rate
from domain.payroll.records import Assignment, Concession, Published, Records
from domain.payroll.standing import WHOLE, ZERO, rounded
from domain.shared.periods import Period


@dataclass(frozen=True, slots=True)
class Key:
    """What an entry is about. Two cutoffs see the same entries with other figures, or other entries."""

    kind: EntryKind
    for_period: str
    deal: str | None
    earning: str
    credited: str
    plan: str | None
    plan_version: int | None
    rate: Decimal | None


@dataclass(slots=True)
class Entry:
    """What one rule gives a rep for one earning, or for one period, in the rep's currency."""

    basis: Decimal
    amount: Decimal
    rule: str
    events: frozenset[int]
    share: Decimal | None = None
    role: str | None = None


Entitlement = dict[Key, Entry]


def currency_of(records: Records, rep: str) -> str:
    """What the rep is paid in: the currency of their plans, which all have the same, else the company's."""
    assigned = records.assignments.get(rep)
    if not assigned:
        return records.currency
    return records.plans[assigned[-1].plan, assigned[-1].number].plan.currency


def entitlement(records: Records, earned: Earnings, rep: str, upto: Period) -> Entitlement:
    """What the rep earned in the periods up to `upto`, that one included, entry by entry.

    `earned` is `earnings(records)`; what can't be paid for want of a percent or a quota is noted there.
    """
    entries: Entitlement = {}
    credits = [one for one in earned.credits.get(rep, ()) if one.period <= upto]
    for rated in rate(credits, earned):
        _enter(entries, rated)
    currency = currency_of(records, rep)
    for key, entry in entries.items():
        entry.amount = rounded(entry.basis * (key.rate or ZERO) / WHOLE, currency)
    entries |= dict(_bounded(records, rep, upto, entries, credits))
    for concession in records.concessions:
        if concession.rep == rep and Period.parse(concession.for_period) <= upto:
            key, entry = _conceded(concession)
            if key in entries:  # The line was disputed again.
                entry.amount += entries[key].amount
                entry.events |= entries[key].events
            entries[key] = entry
    return entries


def _enter(entries: Entitlement, rated: Rated) -> None:
    """Parts of one earning at one percent are one entry: a rep may be on a split twice."""
    credit = rated.credit
    key = Key(
        kind=credit.kind,
        for_period=str(credit.period),
        deal=credit.deal,
        earning=credit.earning,
        credited=credit.credited,
        plan=credit.assignment.plan,
        plan_version=credit.assignment.number,
        rate=rated.percent,
    )
    entry = entries.get(key)
    if entry is None:
        entries[key] = Entry(rated.basis, ZERO, rated.rule, rated.events, credit.share, credit.role)
        return
    entry.basis += rated.basis
    entry.events |= rated.events
    if entry.role != credit.role:
        entry.share = (entry.share or ZERO) + credit.share
        entry.role = f"{entry.role}, {credit.role}"


def _bounded(
    records: Records, rep: str, upto: Period, entries: Entitlement, credits: Iterable[Credited]
) -> Iterator[tuple[Key, Entry]]:
    """What the plans' caps and draws change in each period as a whole."""
    held = [records.plans[one.plan, one.number].plan for one in records.assignments.get(rep, ())]
    if not any(plan.cap is not None or plan.draw for plan in held):
        return
    earned: defaultdict[str, Decimal] = defaultdict(Decimal)
    for key, entry in entries.items():
        earned[key.for_period] += entry.amount
    positions: defaultdict[Period, set[int]] = defaultdict(set)
    for credit in credits:
        positions[credit.period] |= credit.events
    advanced = ZERO
    for period in _periods(records.begin, upto):
        bound = _bound_in(records, rep, period)
        if bound is None:
            continue
        whole = _Whole(rep, period, *bound, frozenset(positions[period]))
        plan, amount = bound[1].plan, earned[str(period)]
        if plan.cap is not None and amount > plan.cap:
            rule = f"no more than {plain(plan.cap)} {plan.currency} in a period"
            yield whole.entry("cap", plan.cap - amount, rule)
            amount = plan.cap
        draw = plan.draw
        if draw is None or rep not in records.reps:
            continue
        if amount < draw.amount and records.reps[rep].employed_in(period, records.zone):
            rule = f"no less than {plain(draw.amount)} {plan.currency} in a period"
            yield whole.entry("draw", draw.amount - amount, rule)
            advanced += draw.amount - amount if draw.recoverable else ZERO
        elif advanced and amount > draw.amount:
            back = min(advanced, amount - draw.amount)
            yield whole.entry("recovery", -back, "what earlier draws added is taken back")
            advanced -= back


@dataclass(frozen=True, slots=True)
class _Whole:
    """A rep's period, the plan that bounds it, and the positions of what was earned in it."""

    rep: str
    period: Period
    assignment: Assignment
    published: Published
    positions: frozenset[int]

    def entry(self, kind: EntryKind, amount: Decimal, rule: str) -> tuple[Key, Entry]:
        """What the bound changes."""
        plan, version = self.assignment.plan, self.assignment.number
        key = Key(kind, str(self.period), None, "", self.rep, plan, version, None)
        return key, Entry(
            basis=rounded(ZERO, self.published.plan.currency),
            amount=amount,
            rule=f"{rule} ({plan} v{version})",
            events=self.positions | ({self.assignment.position, self.published.position} - {0}),
        )


def _bound_in(records: Records, rep: str, period: Period) -> tuple[Assignment, Published] | None:
    """The plan that binds the rep on the period's last day on which any does."""
    day = period.last_day
    while day >= period.first_day:
        bound = records.assigned(rep, day)
        if bound is not None:
            return bound
        day -= timedelta(days=1)
    return None


def _conceded(concession: Concession) -> tuple[Key, Entry]:
    period, line = concession.for_period, concession.line
    key = Key("dispute", period, concession.deal, line, concession.rep, None, None, None)
    nothing = concession.amount - concession.amount
    events = frozenset({concession.position})
    return key, Entry(nothing, concession.amount, f"the dispute of line {line} was accepted", events)


def _periods(first: Period, last: Period) -> Iterator[Period]:
    while first <= last:
        yield first
        first = first.next
