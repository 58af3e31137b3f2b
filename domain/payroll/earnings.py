"""What was earned: which wins and payments count, how much of each is whose, and in which period."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from domain.payroll.plans import Plan
from domain.payroll.records import (
    Assignment,
    DealRecord,
    Part,
    PaymentRecord,
    Published,
    Records,
    Win,
)
from domain.payroll.standing import Bound, Missing, MissingKind, Standing, divide, earned_at
from domain.payroll.stayed import Parts, Stayed
from domain.shared.periods import Period


@dataclass(frozen=True, slots=True)
class Credited:
    """A rep's part of one earning, in their plan's currency, before any percent.

    `credited` is whose part of the deal it is: the rep's own, or for an `override` that of somebody below.
    `earned_at` and `position` say when it was earned and where it counts as recorded, `events` are all the
    positions that it rests on.
    """

    rep: str
    kind: Literal["win", "payment", "override"]
    deal: str
    product: str | None
    earning: str
    credited: str
    role: str | None
    share: Decimal
    basis: Decimal
    period: Period
    earned_at: datetime
    position: int
    assignment: Assignment
    published: Published
    events: frozenset[int]

    @property
    def plan(self) -> Plan:
        return self.published.plan


@dataclass(frozen=True, slots=True)
class Unpaid:
    """An earning that can't be paid until something is recorded: `kind` for machines, `missing` in words.

    `amount` and `currency` are what waits, where known; `rep` is whose it would be.
    """

    kind: MissingKind
    deal: str
    earning: str
    rep: str | None
    amount: Decimal | None
    currency: str | None
    period: Period
    missing: str
    events: tuple[int, ...]


@dataclass(slots=True)
class Earnings:
    """All credit by rep, and what could not be credited by kind, deal, earning and rep.

    `payments` are those that belong to a deal, by deal.
    """

    payments: defaultdict[str, list[PaymentRecord]]
    credits: defaultdict[str, list[Credited]] = field(default_factory=lambda: defaultdict(list))
    unpaid: dict[tuple[str, str, str, str | None], Unpaid] = field(default_factory=dict)

    def note(self, credit: Credited, missing: Missing) -> None:
        """The credit can't be paid for want of something."""
        self.add(
            Unpaid(
                kind=missing.kind,
                deal=credit.deal,
                earning=credit.earning,
                rep=credit.rep,
                amount=missing.amount,
                currency=missing.currency,
                period=credit.period,
                missing=missing.what,
                events=tuple(sorted(credit.events)),
            )
        )

    def add(self, unpaid: Unpaid) -> None:
        self.unpaid.setdefault((unpaid.kind, unpaid.deal, unpaid.earning, unpaid.rep), unpaid)


def earnings(records: Records) -> Earnings:
    """Credit every win and payment that counts, by the plan of each rep concerned."""
    found = Earnings(defaultdict(list))
    for payment in records.payments.values():
        if payment.deal is not None:
            found.payments[payment.deal].append(payment)
    for deal in records.deals.values():
        if deal.wins:
            _Crediting(records, deal, found.payments.get(deal.id, ()), found).credit()
    return found


@dataclass(frozen=True, slots=True)
class _Earning:
    kind: Literal["win", "payment"]
    id: str
    earned_at: datetime
    position: int


class _Crediting:
    """One deal's earnings, credited to those who have part in it."""

    def __init__(
        self, records: Records, deal: DealRecord, payments: Sequence[PaymentRecord], found: Earnings
    ) -> None:
        self._records, self._found = records, found
        self._standing = Standing(
            records, deal, payments, lambda win, missing: self._note(win, str(win.position), None, missing)
        )
        self._stayed = Stayed(self._standing)

    def credit(self) -> None:
        for win in self._standing.deal.wins:
            parts = self._standing.parts(win)
            if not parts and win.reopened is None:
                what = "an owner of the lead (lead.assign), or a split (deal.split)"
                missing = Missing("no_owner", what, win.amount, win.currency)
                self._note(win, str(win.position), None, missing)
            for at, part in enumerate(parts):
                self._own(win, at, part)
                self._override(win, at, part)

    def _own(self, win: Win, at: int, part: Part) -> None:
        bound = self._standing.bound(part.rep, win.occurred_at)
        if bound is not None and bound[1].plan.basis == "won":
            self._won(part.rep, win, at, bound)
            return
        planned = [self._paid(part.rep, win, at, payment) for payment in self._standing.payments]
        if bound is None and not (planned and all(planned)) and win.reopened is None:
            missing = Missing(
                "no_plan",
                f"{part.rep}'s plan on {self._standing.day(win.occurred_at)} (plan.assign)",
                win.amount,
                win.currency,
            )
            self._note(win, str(win.position), part.rep, missing)

    def _override(self, win: Win, at: int, part: Part) -> None:
        head = self._standing.head_of(part.rep, win)
        if head is None or head not in self._records.assignments:
            return
        bound = self._standing.bound(head, win.occurred_at)
        if bound is not None and bound[1].plan.basis == "won":
            if bound[1].plan.override is not None:
                self._won(head, win, at, bound)
            return
        for payment in self._standing.payments:
            self._paid(head, win, at, payment)

    def _won(self, rep: str, win: Win, at: int, bound: Bound) -> None:
        earning = _Earning("win", str(win.position), win.occurred_at, win.position)
        try:
            parts = self._stayed.won(win, bound[1].plan.clawback_days, self._head(rep, win, at))
            if parts is not None:
                self._put(rep, win, at, earning, parts, bound)
        except Missing as missing:
            self._note(win, earning.id, rep, missing)

    def _paid(self, rep: str, win: Win, at: int, payment: PaymentRecord) -> bool:
        """Credit a payment, if it is this win's; whether there is a plan for it."""
        bound = self._standing.plan_of_payment(rep, payment, win)
        head = self._head(rep, win, at)
        if bound is None or (head is not None and bound[1].plan.override is None):
            return False
        then = earned_at(payment, win)
        known = max(payment.money.position, payment.linked_position, win.position)
        earning = _Earning("payment", payment.id, then, known)
        try:
            parts = self._stayed.paid(payment, win, bound[1].plan.clawback_days, head)
            if parts is not None:
                self._put(rep, win, at, earning, parts, bound)
        except Missing as missing:
            self._note(win, earning.id, rep, missing)
        return True

    def _head(self, rep: str, win: Win, at: int) -> str | None:
        """The rep, if it is as the head that they are paid for that part."""
        return None if self._standing.parts(win)[at].rep == rep else rep

    def _put(self, rep: str, win: Win, at: int, earning: _Earning, parts: Parts, bound: Bound) -> None:
        assignment, published = bound
        currency = published.plan.currency
        whole = self._standing.converted(parts.whole, currency, self._standing.day(earning.earned_at))
        part = self._standing.parts(win)[at]
        drawn_from = {win.position, assignment.position, published.position} - {0}
        self._found.credits[rep].append(
            Credited(
                rep=rep,
                kind=earning.kind if rep == part.rep else "override",
                deal=self._standing.deal.id,
                product=self._standing.deal.product,
                earning=earning.id,
                credited=part.rep,
                role=part.role,
                share=part.percent,
                basis=divide(whole.amount, parts.weights, currency)[at],
                period=self._period(earning.earned_at, earning.position),
                earned_at=earning.earned_at,
                position=earning.position,
                assignment=assignment,
                published=published,
                events=whole.events | self._standing.parts_events(win) | drawn_from,
            )
        )

    def _period(self, earned: datetime, position: int) -> Period:
        """That in which it was earned, or if that was closed when it was recorded, the first then open."""
        return max(Period.at(earned, self._records.zone), self._records.open_at(position))

    def _note(self, win: Win, earning: str, rep: str | None, missing: Missing) -> None:
        self._found.add(
            Unpaid(
                kind=missing.kind,
                deal=self._standing.deal.id,
                earning=earning,
                rep=rep,
                amount=missing.amount,
                currency=missing.currency,
                period=self._period(win.occurred_at, win.position),
                missing=missing.what,
                events=(win.position,),
            )
        )
