"""What a deal's wins and payments are worth after corrections, reopenings and refunds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Literal

from domain.payroll.records import (
    Assignment,
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
class _Kept:
    """The `part` (None: all) of what an earlier win was paid for; below zero what used that up already."""

    net: Net
    win: Win
    part: int | None


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the currency's minor unit, half-even."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), ROUND_HALF_EVEN) + 0


def divide(whole: Decimal, parts: Sequence[Part], currency: str) -> list[Decimal]:
    """Parts in the minor unit that sum to the whole: by largest remainder, ties to the first named."""
    unit = Decimal(1).scaleb(-minor_digits(currency))
    exact = [whole * part.percent / WHOLE for part in parts]
    shares = [amount.quantize(unit, ROUND_DOWN) for amount in exact]
    left = int((whole - sum(shares, ZERO)) / unit)
    by_remainder = sorted(range(len(parts)), key=lambda at: (-abs(exact[at] - shares[at]), at))
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
        self._won: dict[tuple[int, int | None], Net | None] = {}
        self._paid: dict[tuple[str, int, int | None], Net | None] = {}
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

    def won(self, win: Win, window: int | None) -> Net | None:
        """What the win earns: None if void; of a second win what exceeds what stayed. Raises Missing."""
        if (win.position, window) not in self._won:
            net = self._worth(win, window)
            if net is not None:
                kept = [one for earlier in self._before(win) for one in self._kept(earlier)]
                net = self._exceeding(net, kept, win)
            self._won[win.position, window] = net
        return self._won[win.position, window]

    def paid(self, payment: PaymentRecord, win: Win, window: int | None) -> Net | None:
        """What the payment earns by that win: None if it isn't the win's own, or void. Raises Missing.

        What stayed of earlier wins themselves is not earned again by payments: the first ones go to it.
        """
        net = self._received(payment, win, window)
        kept = [one for earlier in self._before(win) for one in self._kept_by_win(earlier)]
        if net is None or not kept:
            return net
        for other in self.payments:
            if other is payment:
                break
            before = self._received(other, win, window)
            if before is not None:
                taken = Net(-before.amount, before.currency, frozenset())
                kept.append(_Kept(taken, win, None))
        return self._exceeding(net, kept, win)

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

    def _worth(self, win: Win, window: int | None) -> Net | None:
        """The win after corrections and refunds; None if it is void."""
        if win.reopened is not None and self._within(window, win.occurred_at, win.reopened.occurred_at):
            return None
        amount, currency, events = win.amount, win.currency, {win.position}
        for change in win.changes:
            lower = amount is not None and change.currency == currency and change.amount < amount
            if not lower or self._within(window, win.occurred_at, change.occurred_at):
                amount, currency = change.amount, change.currency
                events.add(change.position)
        if amount is None or currency is None:
            raise Missing("no_amount", "the amount (deal.amend)", None, None)
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
        return Net(amount, currency, frozenset(events))

    def _refunds_of(self, win: Win) -> Iterator[Money]:
        """Refunds that came since the win, and before the next one."""
        if not self._refunds:
            return
        until = min((one.occurred_at for one in self.deal.wins if one.position > win.position), default=None)
        for refund in self._refunds:
            if refund.occurred_at >= win.occurred_at and (until is None or refund.occurred_at < until):
                yield refund

    def _void(self, payment: PaymentRecord, win: Win, window: int | None) -> bool:
        """Whether the payment came after the win was reopened, or was taken back by that."""
        if win.reopened is None:
            return False
        reopened_at = win.reopened.occurred_at
        return payment.money.occurred_at >= reopened_at or self._within(
            window, earned_at(payment, win), reopened_at
        )

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

    def _received(self, payment: PaymentRecord, win: Win, window: int | None) -> Net | None:
        """The payment less refunds, as far as no earlier win was paid for it and kept that."""
        key = (payment.id, win.position, window)
        if key not in self._paid:
            net = None
            if not self._void(payment, win, window):
                net = self._left(payment, win, window)
                kept = [one for earlier in self._before(win) for one in self._kept_by(payment, earlier)]
                net = self._exceeding(net, kept, win)
            self._paid[key] = net
        return self._paid[key]

    def _kept(self, earlier: Win) -> Iterator[_Kept]:
        """What an earlier win earned and kept, though the deal was reopened, part by part."""
        yield from self._kept_by_win(earlier)
        for payment in self.payments:
            yield from self._kept_by(payment, earlier)

    def _kept_by_win(self, earlier: Win) -> Iterator[_Kept]:
        for at, part in enumerate(self.parts(earlier)):
            held = self.bound(part.rep, earlier.occurred_at)
            if held is not None and held[1].plan.basis == "won":
                net = self.won(earlier, held[1].plan.clawback_days)
                if net is not None:
                    yield _Kept(net, earlier, at)

    def _kept_by(self, payment: PaymentRecord, earlier: Win) -> Iterator[_Kept]:
        for at, part in enumerate(self.parts(earlier)):
            held = self.plan_of_payment(part.rep, payment, earlier)
            if held is not None:
                net = self.paid(payment, earlier, held[1].plan.clawback_days)
                if net is not None:
                    yield _Kept(net, earlier, at)

    def _exceeding(self, net: Net, kept: Sequence[_Kept], win: Win) -> Net:
        """What of the net is more than what was kept. Raises Missing."""
        stayed, events = ZERO, net.events
        for one in kept:
            there = self.converted(one.net, net.currency, self.day(win.occurred_at))
            if one.part is None:
                stayed = max(stayed + there.amount, ZERO)
                continue
            stayed += divide(there.amount, self.parts(one.win), net.currency)[one.part]
            events |= there.events
            if one.win.reopened is not None:
                events |= {one.win.reopened.position}
        if not stayed or net.amount <= 0:
            return net
        return Net(max(net.amount - stayed, ZERO), net.currency, events)

    def _before(self, win: Win) -> Iterator[Win]:
        for earlier in self.deal.wins:
            if earlier is win:
                return
            yield earlier

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


def _order(money: Money) -> tuple[datetime, int]:
    return money.occurred_at, money.position
