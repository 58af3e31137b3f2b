"""One win of a deal, or one payment on it, and what it comes to: by the events that a line rests on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from domain.deals.events import DealAmended, DealReopened, DealSplit, DealWon
from domain.finance.events import RateRecorded
from domain.kernel import Event, Recorded
from domain.payments.events import PaymentRecorded, RefundRecorded
from domain.payroll.events import Line
from domain.payroll.rating import plain
from domain.payroll.standing import WHOLE, ZERO, divide, rounded
from projections.payroll.wording import money, whose

Facts = Sequence[Recorded[Event]]
_Kind = TypeVar("_Kind", bound=Event)


@dataclass(slots=True)
class Account:
    """An amount in the making, None once it can't be told; each of its steps with what that comes to."""

    amount: Decimal | None = None
    currency: str | None = None
    steps: list[tuple[str, str]] = field(default_factory=list)

    def begin(self, step: str, amount: Decimal | None, currency: str | None) -> None:
        """The step names the amount itself."""
        self.amount, self.currency = amount, currency
        self.steps.append((step, ""))

    def go_on(self, step: str, amount: Decimal | None, currency: str | None, note: str = "") -> None:
        """The step makes it this amount."""
        self.amount, self.currency = amount, currency
        comes_to = ""
        if amount is not None and currency is not None:
            comes_to = f": {money(rounded(amount, currency), currency)}{note}"
        self.steps.append((step, comes_to))


class Sale:
    """What a line about a deal is about. Without a `win` the facts don't name it."""

    def __init__(self, line: Line, facts: Facts, zone: ZoneInfo) -> None:
        self.line, self._facts, self._zone = line, facts, zone
        paid = [one for one in self._all(PaymentRecorded) if line.of != "win" and one.entity == line.earning]
        self._wins = [one for one in self._all(DealWon) if one.entity == line.deal]
        self.payment = paid[0] if paid else None
        wins = [one for one in self._wins if paid or str(one.position) == line.earning]
        self.win = wins[-1] if wins else None

    @property
    def earned_at(self) -> datetime | None:
        """At the win, or with the payment, whichever is later."""
        moments = [one.occurred_at for one in (self.win, self.payment) if one is not None]
        return max(moments, default=None)

    @property
    def reopening(self) -> Recorded[DealReopened] | None:
        """What ended the win, if the line rests on that."""
        return None if self.win is None else self._end(self.win)

    def account(self, currency: str) -> Account | None:
        """The rep's part in their currency, step by step; None if the win isn't among the facts."""
        if self.win is None or self.earned_at is None:
            return None
        account = self.worth(self.win) if self.payment is None else self._received(self.payment)
        self._less_stayed(account, self.win)
        if account.currency != currency:
            self._convert(account, currency, self.day(self.earned_at))
        self._divide(account, self.win)
        return account

    def worth(self, win: Recorded[DealWon]) -> Account:
        """What it was won for, corrected, less refunds."""
        won, end = win.event, self._end(win)
        account = Account()
        account.begin(f"It was won for {money(won.amount, won.currency)}{by(win)}", won.amount, won.currency)
        for change in self._all(DealAmended):
            of = change.event
            meanwhile = win.position < change.position and (end is None or change.position < end.position)
            if change.entity == self.line.deal and meanwhile:
                step = f"The amount was corrected to {money(of.amount, of.currency)}{by(change)}"
                account.begin(step, of.amount, of.currency)
        next_win = min((one.occurred_at for one in self._wins if one.position > win.position), default=None)
        for refund in self._refunds():
            if refund.occurred_at >= win.occurred_at and (next_win is None or refund.occurred_at < next_win):
                self._give_back(account, refund)
        return account

    def rests_on(self, fact: Recorded[Event]) -> bool:
        """Whether the line does."""
        return fact.position in self.line.events

    def day(self, moment: datetime) -> date:
        """By the company's calendar."""
        return moment.astimezone(self._zone).date()

    def _received(self, payment: Recorded[PaymentRecorded]) -> Account:
        account, came = Account(), payment.event
        account.begin(f"{money(came.amount, came.currency)} came in{by(payment)}", came.amount, came.currency)
        for refund in self._refunds():
            self._give_back(account, refund)
        return account

    def _refunds(self) -> list[Recorded[RefundRecorded]]:
        """In the order in which they were made. A line rests on none of other deals, whatever they name."""
        return sorted(self._all(RefundRecorded), key=lambda one: (one.occurred_at, one.position))

    def _give_back(self, account: Account, refund: Recorded[RefundRecorded]) -> None:
        of = refund.event
        step = f"{money(of.amount, of.currency)} went back{by(refund)}"
        back: Decimal | None = of.amount
        if of.currency != account.currency:
            rate = self._rate(of.currency, account.currency, self.day(refund.occurred_at))
            back = None if rate is None else rounded(of.amount * rate.event.rate, rate.event.quote)
            step += "" if rate is None else f", which is {money(back, account.currency)} as {_at(rate)}"
        known = account.amount is not None and back is not None
        left = max((account.amount or ZERO) - (back or ZERO), ZERO) if known else None
        account.go_on(step, left, account.currency, " left")

    def _less_stayed(self, account: Account, win: Recorded[DealWon]) -> None:
        """Less what earlier wins kept. Of a payment, or where a split is, it can't be told whose that was."""
        whole, kept = account.amount, ZERO
        for earlier in self._wins:
            end = self._end(earlier)
            if earlier.position >= win.position or end is None:
                continue
            was = self.worth(earlier)
            step = (
                f"An earlier win of it, worth {money(was.amount, was.currency)}{by(earlier)}, was reopened"
                f"{by(end)}; what commission was paid on and stayed is not paid again"
            )
            told = was.currency == account.currency and not (self.payment or self._splits())
            if whole is None or was.amount is None or not told:
                account.go_on(step, None, account.currency)
                whole = None
            else:
                kept = max(kept, was.amount)
                account.go_on(step, max(whole - kept, ZERO), account.currency)

    def _convert(self, account: Account, currency: str, day: date) -> None:
        rate = self._rate(account.currency, currency, day)
        if rate is None:
            account.amount = None
            return
        amount = None if account.amount is None else rounded(account.amount * rate.event.rate, currency)
        account.go_on(_capital(_at(rate)), amount, currency)

    def _divide(self, account: Account, win: Recorded[DealWon]) -> None:
        """By the last split before the win was reopened, if the line rests on any."""
        end = self._end(win)
        splits = [one for one in self._splits() if end is None or one.position < end.position]
        if not splits:
            return
        shares = splits[-1].event.shares
        own = [at for at, share in enumerate(shares) if share.rep == self.line.credited]
        named = " and ".join(
            f"{plain(shares[at].percent)} %{f' as {shares[at].role}' if shares[at].role else ''}"
            for at in own
        )
        step = f"{whose(self.line)} of the deal is {named or '0 %'}{by(splits[-1])}"
        if account.amount is None or account.currency is None:
            account.go_on(step, None, account.currency)
            return
        parts = divide(account.amount, [share.percent for share in shares], account.currency)
        part, percent = sum((parts[at] for at in own), ZERO), sum((shares[at].percent for at in own), ZERO)
        even = part == rounded(account.amount * percent / WHOLE, account.currency)
        note = "" if even else ", so that all parts make up the whole"
        account.go_on(step, part, account.currency, note)

    def _splits(self) -> list[Recorded[DealSplit]]:
        return [one for one in self._all(DealSplit) if one.entity == self.line.deal]

    def _end(self, win: Recorded[DealWon]) -> Recorded[DealReopened] | None:
        ends = (one for one in self._all(DealReopened) if one.entity == self.line.deal)
        return next((one for one in ends if one.position > win.position), None)

    def _rate(self, currency: str | None, quote: str | None, day: date) -> Recorded[RateRecorded] | None:
        """Of those that the line rests on, the last: the others were corrected."""
        wanted, found = (currency, quote, day), None
        for one in self._all(RateRecorded):
            if (one.entity, one.event.quote, one.event.day) == wanted:
                found = one
        return found

    def _all(self, kind: type[_Kind]) -> list[Recorded[_Kind]]:
        return [cast(Recorded[_Kind], fact) for fact in self._facts if isinstance(fact.event, kind)]


def by(fact: Recorded[Event]) -> str:
    """Which event says so."""
    return f" (event {fact.position})"


def _at(rate: Recorded[RateRecorded]) -> str:
    of = rate.event
    return f"one {rate.entity} was {plain(of.rate)} {of.quote} on {of.day}{by(rate)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
