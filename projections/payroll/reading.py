"""What payroll rests on, read from the log: events in, `Records` out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.deals.events import DealAmended, DealOpened, DealReopened, DealSplit, DealWon
from domain.finance.events import RateRecorded
from domain.kernel import Event, Recorded
from domain.leads.events import LeadAbsorbed, LeadAssigned, LeadClaimed, LeadUnmerged
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payroll.events import (
    DisputeResolved,
    PeriodClosed,
    PlanAssigned,
    PlanPublished,
    StatementIssued,
)
from domain.payroll.records import (
    Assignment,
    Change,
    Closed,
    Concession,
    DealRecord,
    Employment,
    Moment,
    Money,
    Part,
    PaymentRecord,
    Published,
    Records,
    RepRecord,
    Split,
    Win,
)
from domain.shared.periods import Period
from domain.team.events import RepHired, RepLeft, RepTransferred


def read_records(
    facts: Iterable[Recorded[Event]],
    *,
    began_at: datetime,
    zone: ZoneInfo,
    currency: str,
    gaps: bool = False,
) -> Records:
    """Fold facts, in the order of the log. `began_at` is when the log's first event was recorded.

    `zone` and `currency` are the company's; the zone gives way to that of the first close. With `gaps`,
    as on the occurred axis, facts may lack what they build on, and then change nothing.
    """
    reading = Reading(Records(zone, Period.at(began_at, zone), currency), began_at)
    for fact in facts:
        with suppress(LookupError) if gaps else nullcontext():
            reading.note(fact)
    return reading.records


@dataclass(slots=True)
class Reading:
    """Records in the making. `ownerless` are wins that nobody has the credit of, by lead, with their deal."""

    records: Records
    began_at: datetime
    ownerless: defaultdict[str, list[tuple[str, Win]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, fact: Recorded[Event]) -> None:
        """Take in the next fact of the log."""
        take = _TAKERS.get(type(fact.event))
        if take is not None:
            take(self, fact)


def _opened(reading: Reading, fact: Recorded[DealOpened]) -> None:
    deal = fact.entity
    reading.records.deals[deal] = DealRecord(deal, fact.event.lead, fact.event.product)


def _won(reading: Reading, fact: Recorded[DealWon]) -> None:
    won = fact.event
    deal = reading.records.deals[fact.entity]
    win = Win(fact.position, fact.occurred_at, won.amount, won.currency, won.owner)
    deal.wins.append(win)
    if won.owner is None:
        reading.ownerless[deal.lead].append((deal.id, win))


def _amended(reading: Reading, fact: Recorded[DealAmended]) -> None:
    win = _standing_win(reading, fact.entity)
    if win is not None:
        change = Change(fact.position, fact.occurred_at, fact.event.amount, fact.event.currency)
        win.changes.append(change)


def _split(reading: Reading, fact: Recorded[DealSplit]) -> None:
    parts = tuple(Part(share.rep, share.role, share.percent) for share in fact.event.shares)
    reading.records.deals[fact.entity].splits.append(Split(fact.position, parts))


def _reopened(reading: Reading, fact: Recorded[DealReopened]) -> None:
    win = _standing_win(reading, fact.entity)
    if win is not None:
        win.reopened = Moment(fact.position, fact.occurred_at)


def _owned(reading: Reading, fact: Recorded[LeadClaimed] | Recorded[LeadAssigned]) -> None:
    _credit_ownerless(reading, fact, fact.event.rep)


def _absorbed(reading: Reading, fact: Recorded[LeadAbsorbed]) -> None:
    reading.ownerless[fact.entity] += reading.ownerless.pop(fact.event.lead, [])
    _credit_ownerless(reading, fact, fact.event.owner)


def _unmerged(reading: Reading, fact: Recorded[LeadUnmerged]) -> None:
    """The lead's own deals go with it."""
    held = reading.ownerless.pop(fact.event.parted_from, [])
    for one in held:
        whose = fact.entity if one[0] in fact.event.won_deals else fact.event.parted_from
        reading.ownerless[whose].append(one)
    _credit_ownerless(reading, fact, fact.event.owner)


def _credit_ownerless(reading: Reading, fact: Recorded[Event], owner: str | None) -> None:
    """Who owns a lead first after a win without an owner has the credit."""
    if owner is not None:
        for _, win in reading.ownerless.pop(fact.entity, ()):
            win.owner, win.owned_position = owner, fact.position


def _received(reading: Reading, fact: Recorded[PaymentRecorded]) -> None:
    payment = _payment(reading, fact.entity)
    payment.received = _money(fact)
    if fact.event.deal is not None and payment.deal is None:
        payment.deal, payment.linked_position = fact.event.deal, fact.position


def _refunded(reading: Reading, fact: Recorded[RefundRecorded]) -> None:
    payment = _payment(reading, fact.entity)
    payment.refunds.append(_money(fact))
    if fact.event.deal is not None and payment.deal is None:
        payment.deal, payment.linked_position = fact.event.deal, fact.position


def _matched(reading: Reading, fact: Recorded[PaymentMatched]) -> None:
    payment = _payment(reading, fact.entity)
    payment.deal, payment.linked_position = fact.event.deal, fact.position


def _rated(reading: Reading, fact: Recorded[RateRecorded]) -> None:
    of = fact.event
    reading.records.rates[fact.entity, of.quote, of.day] = of.rate, fact.position


def _hired(reading: Reading, fact: Recorded[RepHired]) -> None:
    rep = reading.records.reps.setdefault(fact.entity, RepRecord(fact.entity))
    rep.employments.append(Employment(fact.occurred_at))
    rep.managers.append((fact.position, fact.event.manager))


def _transferred(reading: Reading, fact: Recorded[RepTransferred]) -> None:
    reading.records.reps[fact.entity].managers.append((fact.position, fact.event.manager))


def _left(reading: Reading, fact: Recorded[RepLeft]) -> None:
    reading.records.reps[fact.entity].employments[-1].left_at = fact.occurred_at


def _published(reading: Reading, fact: Recorded[PlanPublished]) -> None:
    reading.records.plans[fact.entity, fact.event.number] = Published(fact.position, fact.event.plan)


def _assigned(reading: Reading, fact: Recorded[PlanAssigned]) -> None:
    to = fact.event
    if (to.plan, to.number) not in reading.records.plans:
        raise LookupError(f"{to.plan} has no version {to.number}")
    reading.records.assignments[fact.entity].append(
        Assignment(fact.position, to.plan, to.number, to.first_day, to.last_day)
    )


def _closed(reading: Reading, fact: Recorded[PeriodClosed]) -> None:
    records = reading.records
    if not records.closed:
        records.zone = ZoneInfo(fact.event.timezone)
        records.begin = Period.at(reading.began_at, records.zone)
    records.closed.append(Closed(Period.parse(fact.entity), fact.event.cutoff_position))


def _issued(reading: Reading, fact: Recorded[StatementIssued]) -> None:
    reading.records.statements[fact.event.rep].append(fact.event)


def _resolved(reading: Reading, fact: Recorded[DisputeResolved]) -> None:
    resolved = fact.event
    if not resolved.accepted or resolved.amount is None:
        return
    period, rep = fact.entity.split("/", 1)
    issued = {one.period: one for one in reading.records.statements[rep]}
    line = issued[period].lines[resolved.line - 1]
    reading.records.concessions.append(
        Concession(
            position=fact.position,
            rep=rep,
            line=f"{fact.entity}/{resolved.line}",
            for_period=line.for_period,
            deal=line.deal,
            amount=resolved.amount,
        )
    )


def _standing_win(reading: Reading, deal: str) -> Win | None:
    wins = reading.records.deals[deal].wins
    return wins[-1] if wins and wins[-1].reopened is None else None


def _payment(reading: Reading, payment: str) -> PaymentRecord:
    return reading.records.payments.setdefault(payment, PaymentRecord(payment))


def _money(fact: Recorded[PaymentRecorded] | Recorded[RefundRecorded]) -> Money:
    return Money(fact.position, fact.occurred_at, fact.event.amount, fact.event.currency)


_TAKERS: Mapping[type[Event], Callable[[Reading, Recorded[Any]], None]] = {
    DealOpened: _opened,
    DealWon: _won,
    DealAmended: _amended,
    DealSplit: _split,
    DealReopened: _reopened,
    LeadClaimed: _owned,
    LeadAssigned: _owned,
    LeadAbsorbed: _absorbed,
    LeadUnmerged: _unmerged,
    PaymentRecorded: _received,
    RefundRecorded: _refunded,
    PaymentMatched: _matched,
    RateRecorded: _rated,
    RepHired: _hired,
    RepTransferred: _transferred,
    RepLeft: _left,
    PlanPublished: _published,
    PlanAssigned: _assigned,
    PeriodClosed: _closed,
    StatementIssued: _issued,
    DisputeResolved: _resolved,
}
RESTS_ON: tuple[type[Event], ...] = tuple(_TAKERS)
"""All other events may be left out: they change nothing."""
