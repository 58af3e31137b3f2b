"""What a deal's wins and payments are worth after corrections, reopenings and refunds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Literal

from domain.payroll.plans import Plan
from domain.payroll.records import DealRecord, Money, Part, PaymentRecord, Records, Split, Win
from domain.shared.money import minor_digits

MissingKind = Literal["no_owner", "no_plan", "no_rate", "no_amount", "no_percent", "no_quota"]
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
            self._won[win.position, window] = self._worth_beyond_earlier(win, window)
        return self._won[win.position, window]

    def _worth_beyond_earlier(self, win: Win, window: int | None) -> Net | None:
        net = self._worth(win, window)
        if net is None:
            return None
        stayed = Net(ZERO, net.currency, frozenset())
        for earlier in self._before(win):
            for at, part in enumerate(self.parts(earlier)):
                held = self._plan(part.rep, earlier.occurred_at)
                if held is not None and held.basis == "won":
                    stayed = self._stayed(stayed, self.won(earlier, held.clawback_days), earlier, win, at)
        return _exceeding(net, stayed)

    def paid(self, payment: PaymentRecord, win: Win, window: int | None) -> Net | None:
        """What the payment earns by that win: None if it isn't the win's own, or void. Raises Missing."""
        if self._void(payment, win, window):
            return None
        net = self._left(payment, earned_at(payment, win), window)
        stayed = Net(ZERO, net.currency, frozenset())
        for earlier in self._before(win):
            for at, part in enumerate(self.parts(earlier)):
                held = self._plan(part.rep, earned_at(payment, earlier))
                if held is not None and held.basis == "paid":
                    before = self.paid(payment, earlier, held.clawback_days)
                    stayed = self._stayed(stayed, before, earlier, win, at)
        return _exceeding(net, stayed)

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

    def _left(self, payment: PaymentRecord, earned: datetime, window: int | None) -> Net:
        """The payment less the refunds that came within the window."""
        amount, events = payment.money.amount, {payment.money.position, payment.linked_position}
        for refund in [*payment.refunds, *self._loose_of(payment)]:
            if self._within(window, earned, refund.occurred_at):
                amount = max(amount - refund.amount, ZERO)
                events.add(refund.position)
        return Net(amount, payment.money.currency, frozenset(events))

    def _loose_of(self, payment: PaymentRecord) -> Iterator[Money]:
        """What refunds of the deal as a whole take from this payment: the latest before them gives first."""
        left = {
            one.id: one.money.amount - sum((back.amount for back in one.refunds), ZERO)
            for one in self.payments
        }
        for refund in self._loose:
            due = refund.amount
            for one in reversed(self.payments):
                if one.money.currency != refund.currency or one.money.occurred_at > refund.occurred_at:
                    continue
                taken = min(due, max(left[one.id], ZERO))
                left[one.id] -= taken
                due -= taken
                if one is payment and taken:
                    yield Money(refund.position, refund.occurred_at, taken, refund.currency)

    def _stayed(self, stayed: Net, before: Net | None, earlier: Win, win: Win, at: int) -> Net:
        """Add the part of what an earlier win earned and kept, though the deal was reopened."""
        if before is None or earlier.reopened is None:
            return stayed
        there = self.converted(before, stayed.currency, self.day(win.occurred_at))
        part = divide(there.amount, self.parts(earlier), stayed.currency)[at]
        events = stayed.events | there.events | {earlier.reopened.position}
        return Net(stayed.amount + part, stayed.currency, events)

    def _before(self, win: Win) -> Iterator[Win]:
        for earlier in self.deal.wins:
            if earlier is win:
                return
            yield earlier

    def _plan(self, rep: str, moment: datetime) -> Plan | None:
        bound = self._records.assigned(rep, self.day(moment))
        return None if bound is None else bound[1].plan

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


def _exceeding(net: Net, stayed: Net) -> Net:
    if not stayed.amount or net.amount <= 0:
        return net
    return Net(max(net.amount - stayed.amount, ZERO), net.currency, net.events | stayed.events)


def _order(money: Money) -> tuple[datetime, int]:
    return money.occurred_at, money.position
