"""What a deal's wins and payments are worth after corrections, reopenings and refunds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Literal

from domain.payroll.records import (
    Assignment,
    Change,
    DealRecord,
    Money,
    Part,
    PaymentRecord,
    Published,
    Records,
    Split,
    Win,
)
from domain.shared.money import minor_digits

MissingKind = Literal["no_owner", "no_plan", "no_rate", "no_amount", "no_percent", "no_quota"]
Bound = tuple[Assignment, Published]
ZERO, WHOLE = Decimal(0), Decimal(100)


class Missing(Exception):  # noqa: N818 - named for what is met
    """Nothing can be paid until `what` is recorded. `amount` and `currency` are what waits, where known."""

    def __init__(self, kind: MissingKind, what: str, amount: Decimal | None, currency: str | None) -> None:
        super().__init__(what)
        self.kind, self.what, self.amount, self.currency = kind, what, amount, currency


@dataclass(frozen=True, slots=True)
class Net:
    """An amount that is left, and the positions that say so."""

    amount: Decimal
    currency: str
    events: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Layer:
    """A part of a win's amount, and when it was earned."""

    amount: Decimal
    earned_at: datetime


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the currency's minor unit, half-even."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), ROUND_HALF_EVEN) + 0


def divide(whole: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Parts in the minor unit that sum to the whole: by largest remainder, ties to the first named."""
    unit, total = Decimal(1).scaleb(-minor_digits(currency)), sum(weights, ZERO)
    if not total:
        return [rounded(ZERO, currency) for _ in weights]
    exact = [whole * weight / total for weight in weights]
    shares = [amount.quantize(unit, ROUND_DOWN) for amount in exact]
    left = int((whole - sum(shares, ZERO)) / unit)
    by_remainder = sorted(range(len(weights)), key=lambda at: (-abs(exact[at] - shares[at]), at))
    for at in by_remainder[: abs(left)]:
        shares[at] += unit.copy_sign(left)
    return shares


class Standing:
    """One deal with its payments.

    A `window` is a plan's clawback_days: how long a loss takes back what was earned, None for always.
    `noticed` is called with what a refund lacks that is left out of account for it.
    """

    def __init__(
        self,
        records: Records,
        deal: DealRecord,
        payments: Sequence[PaymentRecord],
        noticed: Callable[[Win, Missing], None],
    ) -> None:
        self.deal = deal
        self._records, self._noticed = records, noticed
        received = [one for one in payments if one.received is not None]
        self.payments = sorted(received, key=lambda one: _order(one.money))
        loose = [refund for one in payments if one.received is None for refund in one.refunds]
        self._loose = sorted(loose, key=_order)
        self._refunds = sorted([*loose, *(back for one in received for back in one.refunds)], key=_order)

    def parts(self, win: Win) -> Sequence[Part]:
        """The split in force while the win stood, else all of it the owner's; nothing if there is none."""
        split = self._split(win)
        if split is not None:
            return split.parts
        return () if win.owner is None else (Part(win.owner, None, WHOLE),)

    def parts_events(self, win: Win) -> frozenset[int]:
        """The positions that say whose the win is, where the win itself doesn't."""
        split = self._split(win)
        position = win.owned_position if split is None else split.position
        return frozenset() if position is None else frozenset({position})

    def head_of(self, rep: str, win: Win) -> str | None:
        """Who was directly above the rep when the win was recorded."""
        record = self._records.reps.get(rep)
        return None if record is None else record.manager_at(win.position)

    def before(self, win: Win) -> Iterator[Win]:
        """The deal's earlier wins."""
        for earlier in self.deal.wins:
            if earlier is win:
                return
            yield earlier

    def plan_of_payment(self, rep: str, payment: PaymentRecord, win: Win) -> Bound | None:
        """The plan that pays the rep for a payment: that of its day, or else that of the win.

        None where there is none on payments, or where the win itself was earned.
        """
        by_win = self.bound(rep, win.occurred_at)
        if by_win is not None and by_win[1].plan.basis == "won":
            return None
        then = self.bound(rep, earned_at(payment, win))
        return then if then is not None and then[1].plan.basis == "paid" else by_win

    def bound(self, rep: str, moment: datetime) -> Bound | None:
        """The plan that binds the rep on the day of that moment."""
        return self._records.assigned(rep, self.day(moment))

    def converted(self, net: Net, currency: str, day: date) -> Net:
        """In the other currency by the recorded rate of the day. Raises Missing without one."""
        if net.currency == currency:
            return net
        rate = self._records.rates.get((net.currency, currency, day))
        if rate is None:
            what = f"the rate of {net.currency} in {currency} on {day} (rate.record)"
            raise Missing("no_rate", what, net.amount, net.currency)
        return Net(rounded(net.amount * rate[0], currency), currency, net.events | {rate[1]})

    def day(self, moment: datetime) -> date:
        """By the company's calendar."""
        return moment.astimezone(self._records.zone).date()

    def worth(self, win: Win, window: int | None) -> Net | None:
        """The win after corrections and refunds; None if it is void. Raises Missing."""
        if win.reopened is not None and self._within(window, win.occurred_at, win.reopened.occurred_at):
            return None
        corrected = self._corrected(win, window)
        amount, currency, events = corrected.amount, corrected.currency, corrected.events
        for refund in self._refunds_of(win):
            if amount <= 0 or not self._within(window, win.occurred_at, refund.occurred_at):
                continue
            given = Net(refund.amount, refund.currency, frozenset({refund.position}))
            try:
                back = self.converted(given, currency, self.day(refund.occurred_at))
            except Missing as missing:
                self._noticed(win, missing)
                continue
            amount = max(amount - back.amount, ZERO)
            events |= back.events
        if win.reopened is not None and amount <= 0:
            return None  # What is to the rep's good has no window.
        return Net(amount, currency, events)

    def _corrected(self, win: Win, window: int | None) -> Net:
        """The win's amount with its corrections. Raises Missing if nobody named one.

        What a correction adds is a layer, with a window of its own; what one takes away comes off the newest
        layers first, as far as their windows still cover it.
        """
        layers = [] if win.amount is None else [_Layer(win.amount, win.occurred_at)]
        currency, events = win.currency, {win.position}
        for change in win.changes:
            if not layers or change.currency != currency:
                if layers and not self._replaces(change, layers, currency, window):
                    continue
                layers = [_Layer(change.amount, change.occurred_at if layers else win.occurred_at)]
                currency = change.currency
            elif not self._layered(layers, change, window):
                continue
            events.add(change.position)
        if not layers or currency is None:
            raise Missing("no_amount", "the amount (deal.amend)", None, None)
        return Net(_total(layers), currency, frozenset(events))

    def _replaces(
        self, change: Change, layers: Sequence[_Layer], currency: str | None, window: int | None
    ) -> bool:
        """Whether a correction into another currency counts: not if it lowers what is past its window."""
        if currency is None or all(self._within(window, one.earned_at, change.occurred_at) for one in layers):
            return True
        corrected = Net(change.amount, change.currency, frozenset())
        try:
            there = self.converted(corrected, currency, self.day(change.occurred_at))
        except Missing:
            return True
        return there.amount >= _total(layers)

    def _layered(self, layers: list[_Layer], change: Change, window: int | None) -> bool:
        """Add to the layers, or take from them; whether that changed anything."""
        total = _total(layers)
        if change.amount > total:
            layers.append(_Layer(change.amount - total, change.occurred_at))
            return True
        covered = [self._within(window, one.earned_at, change.occurred_at) for one in layers]
        due = total - change.amount
        for at in range(len(layers) - 1, -1, -1):
            if covered[at]:
                last = at == 0 and all(covered)  # Nothing stays then: an amount may become less than nothing.
                taken = due if last else min(due, max(layers[at].amount, ZERO))
                layers[at] = _Layer(layers[at].amount - taken, layers[at].earned_at)
                due -= taken
        return _total(layers) != total

    def _refunds_of(self, win: Win) -> Iterator[Money]:
        """Refunds that came since the win, and before the next one."""
        if not self._refunds:
            return
        until = min((one.occurred_at for one in self.deal.wins if one.position > win.position), default=None)
        for refund in self._refunds:
            if refund.occurred_at >= win.occurred_at and (until is None or refund.occurred_at < until):
                yield refund

    def received(self, payment: PaymentRecord, win: Win, window: int | None) -> Net | None:
        """The payment less refunds; None if it came after the win was reopened, or is void with that."""
        if win.reopened is not None:
            reopened_at = win.reopened.occurred_at
            late = payment.money.occurred_at >= reopened_at
            if late or self._within(window, earned_at(payment, win), reopened_at):
                return None
        return self._left(payment, win, window)

    def _left(self, payment: PaymentRecord, win: Win, window: int | None) -> Net:
        """The payment less the refunds that came within the window."""
        earned = earned_at(payment, win)
        amount, events = payment.money.amount, {payment.money.position, payment.linked_position}
        for refund in [*payment.refunds, *self._loose_of(payment, win)]:
            if self._within(window, earned, refund.occurred_at):
                amount = max(amount - refund.amount, ZERO)
                events.add(refund.position)
        return Net(amount, payment.money.currency, frozenset(events))

    def _loose_of(self, payment: PaymentRecord, win: Win) -> Iterator[Money]:
        """What refunds of the deal as a whole take from this payment: the latest before them gives first."""
        if not self._loose:
            return
        left = {
            one.id: one.money.amount - sum((back.amount for back in one.refunds), ZERO)
            for one in self.payments
        }
        for refund in self._loose:
            due = Net(refund.amount, refund.currency, frozenset())
            for one in reversed(self.payments):
                if one.money.occurred_at > refund.occurred_at or not due.amount:
                    continue
                try:
                    due = self.converted(due, one.money.currency, self.day(refund.occurred_at))
                except Missing as missing:
                    self._noticed(win, missing)
                    break
                taken = min(due.amount, max(left[one.id], ZERO))
                left[one.id] -= taken
                due = Net(due.amount - taken, due.currency, due.events)
                if one is payment and taken:
                    yield Money(refund.position, refund.occurred_at, taken, due.currency)

    def _split(self, win: Win) -> Split | None:
        found = None
        for split in self.deal.splits:
            if win.reopened is None or split.position < win.reopened.position:
                found = split
        return found

    def _within(self, window: int | None, earned: datetime, moment: datetime) -> bool:
        """Whether it came within so many days of the earning."""
        return window is None or self.day(moment) <= self.day(earned) + timedelta(days=window)


def earned_at(payment: PaymentRecord, win: Win) -> datetime:
    """A payment is earned when it comes; on a deal not yet won, at the win."""
    return max(payment.money.occurred_at, win.occurred_at)


def _total(layers: Sequence[_Layer]) -> Decimal:
    return sum((layer.amount for layer in layers), ZERO)


def _order(money: Money) -> tuple[datetime, int]:
    return money.occurred_at, money.position
