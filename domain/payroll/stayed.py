"""What a later win of a deal earns, part by part, where commission on earlier wins stayed.

A win that was reopened past the clawback window keeps its commission; the next earns on what exceeds that.
Each rep's part is judged by their own plan; an override by the head's alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.payroll.records import PaymentRecord, Win
from domain.payroll.standing import ZERO, Bound, Missing, Net, Standing, divide


@dataclass(frozen=True, slots=True)
class Parts:
    """A win's or payment's amount in its own currency, part by part in the order of the split.

    `weights` are what it is divided by in any other currency.
    """

    amounts: tuple[Decimal, ...]
    weights: tuple[Decimal, ...]
    currency: str
    events: frozenset[int]

    @property
    def whole(self) -> Net:
        return Net(sum(self.amounts, ZERO), self.currency, self.events)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The basis of the commission that stayed on a rep's part."""

    rep: str
    net: Net


class Stayed:
    """One deal. `head` is None for the reps' own credit, else the head whose overrides are asked for.

    A `window` is the clawback_days of the plan that pays.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._won: dict[tuple[int, int | None, str | None], Parts | None] = {}
        self._received: dict[tuple[str, int, int | None, str | None], Parts | None] = {}

    def won(self, win: Win, window: int | None, head: str | None) -> Parts | None:
        """What the win earns; None if it is void. Raises Missing."""
        key = (win.position, window, head)
        if key not in self._won:
            net = self._standing.worth(win, window)
            parts = None if net is None else self._divided(net, win)
            self._won[key] = parts and self._beyond(win, parts, lambda earlier: self._kept(earlier, head))
        return self._won[key]

    def paid(self, payment: PaymentRecord, win: Win, window: int | None, head: str | None) -> Parts | None:
        """What the payment earns by that win; None if it isn't the win's, or void. Raises Missing.

        What stayed of earlier wins themselves is used up by the win's payments, one after the other.
        """
        parts = self._less_its_own(payment, win, window, head)
        if parts is None or parts.whole.amount <= 0:
            return parts
        kept = [one for earlier in self._standing.before(win) for one in self._kept_by_win(earlier, head)]
        if not kept:
            return parts
        left, events = self._by_rep(kept, parts.currency, win)
        for other in self._standing.payments:
            if other is payment:
                break
            before = self._less_its_own(other, win, window, head)
            if before is not None:
                day = self._standing.day(win.occurred_at)
                whole = self._standing.converted(before.whole, parts.currency, day)
                amounts = divide(whole.amount, before.weights, parts.currency)
                _, left = _take(amounts, self._reps(win), left, parts.currency)
        return self._less(win, parts, left, events)

    def _less_its_own(
        self, payment: PaymentRecord, win: Win, window: int | None, head: str | None
    ) -> Parts | None:
        """The payment less what earlier wins were paid for it and kept."""
        key = (payment.id, win.position, window, head)
        if key not in self._received:
            net = self._standing.received(payment, win, window)
            parts = None if net is None else self._divided(net, win)
            self._received[key] = parts and self._beyond(
                win, parts, lambda earlier: self._kept_by_payment(payment, earlier, head)
            )
        return self._received[key]

    def _kept(self, earlier: Win, head: str | None) -> Iterator[_Kept]:
        yield from self._kept_by_win(earlier, head)
        for payment in self._standing.payments:
            yield from self._kept_by_payment(payment, earlier, head)

    def _kept_by_win(self, earlier: Win, head: str | None) -> Iterator[_Kept]:
        for at, rep, payee in self._payees(earlier, head):
            held = self._standing.bound(payee, earlier.occurred_at)
            if held is not None and held[1].plan.basis == "won" and _pays(held, head):
                try:
                    parts = self.won(earlier, held[1].plan.clawback_days, head)
                except Missing as missing:
                    if missing.kind != "no_amount":
                        raise
                    continue  # Nobody can name it any more, and nothing was paid on it.
                yield from _kept_of(parts, at, rep, earlier)

    def _kept_by_payment(self, payment: PaymentRecord, earlier: Win, head: str | None) -> Iterator[_Kept]:
        for at, rep, payee in self._payees(earlier, head):
            held = self._standing.plan_of_payment(payee, payment, earlier)
            if held is not None and _pays(held, head):
                parts = self.paid(payment, earlier, held[1].plan.clawback_days, head)
                yield from _kept_of(parts, at, rep, earlier)

    def _payees(self, win: Win, head: str | None) -> Iterator[tuple[int, str, str]]:
        """Which parts of the win paid whom: the place of each, whose it is, and who was paid for it."""
        for at, part in enumerate(self._standing.parts(win)):
            if head is None:
                yield at, part.rep, part.rep
            elif self._standing.head_of(part.rep, win) == head:
                yield at, part.rep, head

    def _divided(self, net: Net, win: Win) -> Parts:
        percents = tuple(part.percent for part in self._standing.parts(win))
        return Parts(tuple(divide(net.amount, percents, net.currency)), percents, net.currency, net.events)

    def _beyond(self, win: Win, parts: Parts, kept_of: Callable[[Win], Iterator[_Kept]]) -> Parts:
        """What exceeds what earlier wins kept; from what is not above zero nothing is taken."""
        if parts.whole.amount <= 0:
            return parts
        kept = [one for earlier in self._standing.before(win) for one in kept_of(earlier)]
        left, events = self._by_rep(kept, parts.currency, win)
        return self._less(win, parts, left, events)

    def _less(self, win: Win, parts: Parts, kept: Mapping[str, Decimal], events: frozenset[int]) -> Parts:
        if not any(kept.values()):
            return parts
        amounts, _ = _take(parts.amounts, self._reps(win), kept, parts.currency)
        return replace(parts, amounts=tuple(amounts), weights=tuple(amounts), events=parts.events | events)

    def _by_rep(
        self, kept: Sequence[_Kept], currency: str, win: Win
    ) -> tuple[Mapping[str, Decimal], frozenset[int]]:
        """What each rep kept in all, in that currency by the rates of the win's day. Raises Missing."""
        sums: dict[tuple[str, str], Net] = {}
        for one in kept:
            key = one.rep, one.net.currency
            before = sums.get(key, Net(ZERO, one.net.currency, frozenset()))
            sums[key] = Net(before.amount + one.net.amount, before.currency, before.events | one.net.events)
        amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        events: frozenset[int] = frozenset()
        for (rep, _), whole in sums.items():
            if not whole.amount:
                continue  # Nothing needs no rate.
            there = self._standing.converted(whole, currency, self._standing.day(win.occurred_at))
            amounts[rep] += there.amount
            events |= there.events
        return amounts, events

    def _reps(self, win: Win) -> list[str]:
        return [part.rep for part in self._standing.parts(win)]


def _take(
    amounts: Sequence[Decimal], reps: Sequence[str], kept: Mapping[str, Decimal], currency: str
) -> tuple[list[Decimal], Mapping[str, Decimal]]:
    """Take from each rep's amounts what they kept, then the rest from all; what remains of both."""
    left, remaining = dict(kept), []
    for amount, rep in zip(amounts, reps, strict=True):
        taken = min(amount, left.get(rep, ZERO)) if amount > 0 else ZERO
        remaining.append(amount - taken)
        if taken:
            left[rep] -= taken
    rest = min(sum(left.values(), ZERO), sum(remaining, ZERO))
    if rest:
        remaining = [
            amount - taken for amount, taken in zip(remaining, divide(rest, remaining, currency), strict=True)
        ]
        for rep, amount in left.items():
            used = min(amount, rest)
            left[rep], rest = amount - used, rest - used
    return remaining, left


def _kept_of(parts: Parts | None, at: int, rep: str, earlier: Win) -> Iterator[_Kept]:
    if parts is not None and earlier.reopened is not None:
        events = parts.events | {earlier.reopened.position}
        yield _Kept(rep, Net(parts.amounts[at], parts.currency, events))


def _pays(bound: Bound, head: str | None) -> bool:
    return head is None or bound[1].plan.override is not None
