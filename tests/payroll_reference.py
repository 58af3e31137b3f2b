"""E(P, n) once more, the slow and plain way, from the words of the specification: no code of payroll."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import floor
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from domain.deals.events import DealAmended, DealOpened, DealReopened, DealSplit, DealWon
from domain.finance.events import RateRecorded
from domain.kernel import Event, Recorded
from domain.leads.events import LeadAssigned, LeadClaimed
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payroll.events import DisputeResolved, PeriodClosed, PlanAssigned, PlanPublished, StatementIssued
from domain.payroll.plans import Plan, Tiers
from domain.team.events import RepHired, RepLeft, RepTransferred

DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
EventT = TypeVar("EventT", bound=Event)
Fact = Recorded[Any]
Share = tuple[str, str | None, Decimal]
Key = tuple[str, str, str | None, str, str, str | None, int | None, Decimal | None]
"""kind, for_period, deal, earning, credited, plan, version, rate"""


def in_minor_units(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-DIGITS[currency]), ROUND_HALF_EVEN)


def shared_out(whole: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Largest remainder, ties to the first; what is negative is shared out as if it were positive."""
    unit, total = Decimal(1).scaleb(-DIGITS[currency]), sum(weights)
    if not total:
        return [Decimal(0) * unit for _ in weights]
    sign, size = (-1 if whole < 0 else 1), abs(whole)
    exact = [Fraction(size) * Fraction(weight) / Fraction(total) / Fraction(unit) for weight in weights]
    units = [floor(each) for each in exact]
    while sum(units) * unit < size:
        most = max(range(len(units)), key=lambda at: (exact[at] - units[at], -at))
        units[most] += 1
    return [sign * each * unit for each in units]


def without_kept(
    parts: Sequence[Decimal], reps: Sequence[str], kept: dict[str, Decimal], currency: str
) -> tuple[list[Decimal], dict[str, Decimal]]:
    """What remains of each rep's part, and of what each of them kept, all in that currency.

    First everybody's own; then what is left of all that was kept, from what remains, in proportion. What
    that leaves over was kept by those named last.
    """
    left, rest = dict(kept), []
    for rep, part in zip(reps, parts, strict=True):
        own = min(part, left.get(rep, Decimal(0)))
        rest.append(part - own)
        left[rep] = left.get(rep, Decimal(0)) - own
    taken = min(sum(left.values(), Decimal(0)), sum(rest, Decimal(0)))
    lost = shared_out(taken, rest, currency)
    for rep, amount in left.items():
        used = min(amount, taken)
        left[rep], taken = amount - used, taken - used
    return [part - less for part, less in zip(rest, lost, strict=True)], left


def month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def written(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


@dataclass(frozen=True)
class Held:
    """A plan that binds somebody on a day."""

    id: str
    number: int
    plan: Plan


@dataclass
class OneWin:
    won: Fact
    amended: list[Fact]
    reopened: Fact | None = None


@dataclass(frozen=True)
class Payer:
    """By whose plan an earning is judged: the rep's own credit, or a head's override on it."""

    rep: str
    heads: bool = False


@dataclass(frozen=True)
class Kept:
    """So much of an earlier earning on that rep's part stays."""

    rep: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Due:
    """What an earning leaves of each part of the split; `lessened` where something earlier was kept."""

    parts: Sequence[Decimal]
    currency: str
    lessened: bool


UNKNOWN = Due([], "", lessened=True)
"""What was kept is in a currency without a rate."""


class NoRateError(Exception):
    pass


@dataclass
class Layer:
    """A piece of a win's amount, and when it was earned."""

    amount: Decimal
    earned: datetime


@dataclass(frozen=True)
class Credit:
    kind: str
    deal: str
    earning: str
    credited: str
    role: str | None
    product: str | None
    basis: Decimal
    month: int
    order: tuple[Any, ...]
    held: Held


class Reference:
    """What the facts, all that are given, say. `zone` is the company's."""

    def __init__(self, facts: Iterable[Fact], zone: str = "UTC", currency: str = "USD") -> None:
        self.facts = list(facts)
        self.index: defaultdict[tuple[type[Event], str | None], list[Fact]] = defaultdict(list)
        closes = self.of(PeriodClosed)
        self.zone = ZoneInfo(closes[0].event.timezone if closes else zone)
        self.cutoffs = [close.event.cutoff_position for close in closes]
        self.begin = month_of(self.day(self.facts[0].recorded_at))
        self.company = currency
        self.told: dict[tuple[str, int, Payer], Any] = {}

    def of(self, kind: type[EventT], entity: str | None = None) -> list[Recorded[EventT]]:
        if not self.index:
            for fact in self.facts:
                self.index[type(fact.event), None].append(fact)
                self.index[type(fact.event), fact.entity].append(fact)
        return self.index[kind, entity]

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def first_open(self, position: int) -> int:
        return self.begin + sum(cutoff < position for cutoff in self.cutoffs)

    def held(self, rep: str, day: date) -> Held | None:
        for fact in reversed(self.of(PlanAssigned, rep)):
            of = fact.event
            if of.first_day <= day and (of.last_day is None or day <= of.last_day):
                (plan,) = (one for one in self.of(PlanPublished, of.plan) if one.event.number == of.number)
                return Held(of.plan, of.number, plan.event.plan)
        return None

    def currency(self, rep: str) -> str:
        for fact in self.of(PlanAssigned, rep):
            (plan, *_) = self.of(PlanPublished, fact.event.plan)
            return plan.event.plan.currency
        return self.company

    def manager(self, rep: str, position: int) -> str | None:
        told = [
            fact.event.manager
            for fact in self.facts
            if isinstance(fact.event, RepHired | RepTransferred)
            and fact.entity == rep
            and fact.position <= position
        ]
        return told[-1] if told else None

    def start(self, month: int) -> datetime:
        return datetime(month // 12, month % 12 + 1, 1, tzinfo=self.zone)

    def employed(self, rep: str, month: int) -> bool:
        spans: list[list[datetime | None]] = []
        for fact in self.facts:
            if isinstance(fact.event, RepHired) and fact.entity == rep:
                spans.append([fact.occurred_at, None])
            elif isinstance(fact.event, RepLeft) and fact.entity == rep:
                spans[-1][1] = fact.occurred_at
        return any(
            month_of(self.day(hired)) <= month and (left is None or left > self.start(month))
            for hired, left in spans
            if hired is not None
        )

    # Deals

    def wins(self, deal: str) -> list[OneWin]:
        wins: list[OneWin] = []
        for fact in self.facts:
            if fact.stream != f"deal-{deal}":
                continue
            standing = wins[-1] if wins and wins[-1].reopened is None else None
            if isinstance(fact.event, DealWon):
                wins.append(OneWin(fact, []))
            elif isinstance(fact.event, DealAmended) and standing:
                standing.amended.append(fact)
            elif isinstance(fact.event, DealReopened) and standing:
                standing.reopened = fact
        return wins

    def shares(self, deal: str, win: OneWin) -> list[Share]:
        splits = [
            fact
            for fact in self.of(DealSplit, deal)
            if win.reopened is None or fact.position < win.reopened.position
        ]
        if splits:
            return [(one.rep, one.role, one.percent) for one in splits[-1].event.shares]
        owner = win.won.event.owner
        if owner is None:
            (opened,) = self.of(DealOpened, deal)
            for fact in self.facts:
                if (
                    isinstance(fact.event, LeadClaimed | LeadAssigned)
                    and fact.entity == opened.event.lead
                    and fact.position > win.won.position
                ):
                    owner = fact.event.rep
                    break
        return [] if owner is None else [(owner, None, Decimal(100))]

    def in_time(self, window: int | None, earned: datetime, loss: datetime) -> bool:
        return window is None or (self.day(loss) - self.day(earned)).days <= window

    def payments(self, deal: str) -> dict[str, int]:
        """Of what is linked to the deal: by which position."""
        links: dict[str, tuple[str, int]] = {}
        for fact in self.facts:
            match fact.event:
                case PaymentMatched(deal=to):
                    links[fact.entity] = to, fact.position
                case PaymentRecorded(deal=str(to)) | RefundRecorded(deal=str(to)):
                    links.setdefault(fact.entity, (to, fact.position))
        return {payment: at for payment, (to, at) in links.items() if to == deal}

    def worth(self, deal: str, at: int, window: int | None) -> tuple[Decimal, str] | None:
        """Of the deal's win number `at`, before what an earlier one kept; None if void or of no amount."""
        wins = self.wins(deal)
        win = wins[at]
        earned = win.won.occurred_at
        if win.reopened and self.in_time(window, earned, win.reopened.occurred_at):
            return None
        corrected = self.corrected(win, window)
        if corrected is None:
            return None
        amount, currency = corrected
        following = min((later.won.occurred_at for later in wins[at + 1 :]), default=None)
        for back in self.refunds(deal):
            if (
                earned <= back.occurred_at
                and (following is None or back.occurred_at < following)
                and self.in_time(window, earned, back.occurred_at)
                and amount > 0
            ):
                amount = max(amount - (self.given_back(back, back.event.amount, currency) or 0), Decimal(0))
        return None if win.reopened and amount <= 0 else (amount, currency)

    def corrected(self, win: OneWin, window: int | None) -> tuple[Decimal, str] | None:
        """The win's amount as corrected: layers, each of which can be lost only within its own window."""
        currency = win.won.event.currency
        layers = [] if currency is None else [Layer(win.won.event.amount, win.won.occurred_at)]
        for change in win.amended:
            amount, when = change.event.amount, change.occurred_at
            total = sum((one.amount for one in layers), Decimal(0))
            fixed = [one for one in layers if not self.in_time(window, one.earned, when)]
            if not layers or change.event.currency != currency:
                compared = (
                    self.converted(amount, change.event.currency, currency, self.day(when))
                    if layers and currency
                    else None
                )
                if compared is None or compared >= total or not fixed:
                    earned = when if layers else win.won.occurred_at
                    layers, currency = [Layer(amount, earned)], change.event.currency
            elif amount > total:
                layers.append(Layer(amount - total, when))
            elif not fixed:
                self.lower(layers, total - amount)
                layers[0].amount += amount - sum(one.amount for one in layers)
            else:
                self.lower([one for one in layers if one not in fixed], total - amount)
        return (sum((one.amount for one in layers), Decimal(0)), currency) if currency else None

    def lower(self, layers: Sequence[Layer], due: Decimal) -> None:
        """From the newest down; none below nothing."""
        for layer in reversed(layers):
            taken = min(due, max(layer.amount, Decimal(0)))
            layer.amount -= taken
            due -= taken

    def refunds(self, deal: str) -> list[Fact]:
        """All that was given back for the deal, in the order in which it went."""
        backs = [fact for payment in self.payments(deal) for fact in self.of(RefundRecorded, payment)]
        return sorted(backs, key=lambda fact: (fact.occurred_at, fact.position))

    def given_back(self, back: Fact, amount: Decimal, currency: str, of: str | None = None) -> Decimal | None:
        """In another currency, by the rate of the day on which it was given back; None without one."""
        return self.converted(amount, of or back.event.currency, currency, self.day(back.occurred_at))

    def money(self, deal: str) -> list[Fact]:
        """What was received for the deal, in the order in which it came."""
        received = [fact for payment in self.payments(deal) for fact in self.of(PaymentRecorded, payment)]
        return sorted(received, key=lambda fact: (fact.occurred_at, fact.position))

    def received(self, deal: str, payment: str, earned: datetime, window: int | None) -> Decimal:
        """Of the payment, less what was given back in time."""
        linked = self.payments(deal)
        received = {one: money[0] for one in linked if (money := self.of(PaymentRecorded, one))}
        own = {one: self.of(RefundRecorded, one) for one in received}
        left = {
            one: max(money.event.amount - sum(back.event.amount for back in own[one]), Decimal(0))
            for one, money in received.items()
        }
        lost = {one: [(back, back.event.amount) for back in own[one]] for one in received}
        for back in self.refunds(deal):
            if back.entity in received:
                continue
            due, currency = back.event.amount, back.event.currency
            before = [money for money in self.money(deal) if money.occurred_at <= back.occurred_at]
            for money in reversed(before):
                into = self.given_back(back, due, money.event.currency, currency) if due else None
                if into is None:
                    break
                due, currency = into, money.event.currency
                taken = min(due, left[money.entity])
                left[money.entity] -= taken
                due -= taken
                lost[money.entity].append((back, taken))
        back = sum(taken for back, taken in lost[payment] if self.in_time(window, earned, back.occurred_at))
        return max(received[payment].event.amount - back, Decimal(0))

    # Credit

    def converted(self, amount: Decimal, currency: str, to: str, day: date) -> Decimal | None:
        if currency == to:
            return amount
        rates = [
            fact.event.rate
            for fact in self.of(RateRecorded, currency)
            if (fact.event.quote, fact.event.day) == (to, day)
        ]
        return in_minor_units(amount * rates[-1], to) if rates else None

    def credits(self, rep: str) -> Iterator[Credit]:
        for opened in self.of(DealOpened):
            deal = opened.entity
            for at, win in enumerate(self.wins(deal)):
                for place, (whose, role, _) in enumerate(self.shares(deal, win)):
                    if whose == rep:
                        yield from self.credit(Payer(rep), opened, at, place, role)
                    if self.manager(whose, win.won.position) == rep:
                        yield from self.credit(Payer(rep, heads=True), opened, at, place, role)

    def credit(self, payer: Payer, opened: Fact, at: int, place: int, role: str | None) -> Iterator[Credit]:
        deal, win = opened.entity, self.wins(opened.entity)[at]
        shares = self.shares(deal, win)

        def put(
            kind: str, earning: str, due: Due, when: datetime, position: int, by: Held
        ) -> Iterator[Credit]:
            if due is UNKNOWN:
                return
            whole = self.converted(sum(due.parts, Decimal(0)), due.currency, by.plan.currency, self.day(when))
            if whole is None:
                return
            weights = due.parts if due.lessened else [percent for *_, percent in shares]
            yield Credit(
                kind="override" if payer.heads else kind,
                deal=deal,
                earning=earning,
                credited=shares[place][0],
                role=role,
                product=opened.event.product,
                basis=shared_out(whole, weights, by.plan.currency)[place],
                month=max(month_of(self.day(when)), self.first_open(position)),
                order=(when, position, earning, place),
                held=by,
            )

        held = self.held(payer.rep, self.day(win.won.occurred_at))
        due = self.by_win(deal, at, payer)
        if held is not None and due is not None:
            number = win.won.position
            yield from put("win", str(number), due, win.won.occurred_at, number, held)
        linked = self.payments(deal)
        for money in self.money(deal):
            by = self.pays_by(payer.rep, win, money)
            due = self.by_payments(deal, at, payer).get(money.entity)
            if by is not None and due is not None:
                when = max(money.occurred_at, win.won.occurred_at)
                position = max(money.position, linked[money.entity], win.won.position)
                yield from put("payment", money.entity, due, when, position, by)

    def earns(self, payer: Payer, held: Held | None) -> bool:
        return held is not None and not (payer.heads and held.plan.override is None)

    def by_win(self, deal: str, at: int, payer: Payer) -> Due | None:
        """What win number `at` earns by the payer's plan on wins; None if by none, or if it is void."""
        win = self.wins(deal)[at]
        held = self.held(payer.rep, self.day(win.won.occurred_at))
        if held is None or not self.earns(payer, held) or held.plan.basis != "won":
            return None
        worth = self.worth(deal, at, held.plan.clawback_days)
        if worth is None:
            return None
        amount, currency = worth
        reps, parts = self.parted(deal, win, amount, currency)
        if amount <= 0:
            return Due(parts, currency, lessened=False)
        try:
            kept = self.kept_by_wins(deal, at, payer)
            for money in self.money(deal):
                kept += self.kept_of(deal, at, payer, money.entity)
            pool = self.in_currency(kept, currency, self.day(win.won.occurred_at))
        except NoRateError:
            return UNKNOWN
        rest, _ = without_kept(parts, reps, pool, currency)
        return Due(rest, currency, lessened=any(pool.values()))

    def by_payments(self, deal: str, at: int, payer: Payer) -> dict[str, Due]:
        """What each payment earns at win number `at` by the payer's plans on payments."""
        if (deal, at, payer) not in self.told:
            self.told[deal, at, payer] = dict(self.paid_out(deal, at, payer))
        known: dict[str, Due] = self.told[deal, at, payer]
        return known

    def paid_out(self, deal: str, at: int, payer: Payer) -> Iterator[tuple[str, Due]]:
        """In the order of time: each uses up what earlier wins kept and earlier payments did not use."""
        win = self.wins(deal)[at]
        day = self.day(win.won.occurred_at)
        before: list[Due] = []
        for money in self.money(deal):
            currency, by = money.event.currency, self.pays_by(payer.rep, win, money)
            if by is None or not self.earns(payer, by):
                continue
            whole = self.left_of(deal, win, money, by.plan.clawback_days)
            if whole is None:
                continue
            reps, parts = self.parted(deal, win, whole, currency)
            if whole <= 0:
                yield money.entity, Due(parts, currency, lessened=False)
                continue
            try:
                same = self.in_currency(self.kept_of(deal, at, payer, money.entity), currency, day)
                rest, _ = without_kept(parts, reps, same, currency)
                before.append(Due(rest, currency, any(same.values())))
                pool = self.unused(self.kept_by_wins(deal, at, payer), before[:-1], reps, currency, day)
            except NoRateError:
                yield money.entity, UNKNOWN
                continue
            rest, _ = without_kept(rest, reps, pool, currency)
            yield money.entity, Due(rest, currency, any(same.values()) or any(pool.values()))

    def unused(
        self, kept: list[Kept], before: list[Due], reps: list[str], currency: str, day: date
    ) -> dict[str, Decimal]:
        """What earlier payments, each in money of that day, did not use up of what was kept."""
        pool = self.in_currency(kept, currency, day)
        for due in before if any(pool.values()) else []:
            into = self.converted(sum(due.parts, Decimal(0)), due.currency, currency, day)
            if into is None:
                raise NoRateError(due.currency)
            _, pool = without_kept(shared_out(into, due.parts, currency), reps, pool, currency)
        return pool

    def parted(
        self, deal: str, win: OneWin, whole: Decimal, currency: str
    ) -> tuple[list[str], list[Decimal]]:
        shares = self.shares(deal, win)
        return [rep for rep, *_ in shares], shared_out(whole, [percent for *_, percent in shares], currency)

    def in_currency(self, kept: Iterable[Kept], currency: str, day: date) -> dict[str, Decimal]:
        """What each rep kept in all, by the rates of that day; less than nothing is nothing."""
        sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for one in kept:
            sums[one.rep, one.currency] += one.amount
        whole: dict[str, Decimal] = {}
        for (rep, of), amount in sums.items():
            into = self.converted(amount, of, currency, day) if amount else Decimal(0)
            if into is None:
                raise NoRateError(of)
            whole[rep] = whole.get(rep, Decimal(0)) + into
        return {rep: max(amount, Decimal(0)) for rep, amount in whole.items()}

    def kept_by_wins(self, deal: str, at: int, payer: Payer) -> list[Kept]:
        """What wins before number `at` earned as wins and kept."""
        return [
            kept
            for earlier in range(at)
            for rep, keeper in self.keepers(deal, earlier, payer)
            for kept in self.kept(deal, earlier, rep, self.by_win(deal, earlier, keeper))
        ]

    def kept_of(self, deal: str, at: int, payer: Payer, payment: str) -> list[Kept]:
        """What the payment earned at wins before number `at` and kept."""
        return [
            kept
            for earlier in range(at)
            for rep, keeper in self.keepers(deal, earlier, payer)
            for kept in self.kept(deal, earlier, rep, self.by_payments(deal, earlier, keeper).get(payment))
        ]

    def keepers(self, deal: str, at: int, payer: Payer) -> list[tuple[str, Payer]]:
        """Who had a part in win number `at`, each by whose plan: their own, or that of the head who asks."""
        win = self.wins(deal)[at]
        reps = dict.fromkeys(rep for rep, *_ in self.shares(deal, win))
        if not payer.heads:
            return [(rep, Payer(rep)) for rep in reps]
        return [(rep, payer) for rep in reps if self.manager(rep, win.won.position) == payer.rep]

    def kept(self, deal: str, at: int, rep: str, due: Due | None) -> Iterator[Kept]:
        if due is UNKNOWN:
            raise NoRateError
        if due is not None:
            shares = self.shares(deal, self.wins(deal)[at])
            for (whose, *_), part in zip(shares, due.parts, strict=True):
                if whose == rep:
                    yield Kept(rep, part, due.currency)

    def pays_by(self, rep: str, win: OneWin, money: Fact) -> Held | None:
        """The plan that a payment is paid by: that of its day, else the win's. None where the win is."""
        at_win = self.held(rep, self.day(win.won.occurred_at))
        if at_win is not None and at_win.plan.basis == "won":
            return None
        then = self.held(rep, self.day(max(money.occurred_at, win.won.occurred_at)))
        return then if then is not None and then.plan.basis == "paid" else at_win

    def left_of(self, deal: str, win: OneWin, money: Fact, window: int | None) -> Decimal | None:
        """The payment less refunds; None if it isn't the win's."""
        when = max(money.occurred_at, win.won.occurred_at)
        if win.reopened and (
            money.occurred_at >= win.reopened.occurred_at
            or self.in_time(window, when, win.reopened.occurred_at)
        ):
            return None
        return self.received(deal, money.entity, when, window)

    # Percents

    def rated(self, rep: str, upto: int) -> Iterator[tuple[Credit, Decimal, Decimal]]:
        """Of every credit: so much of its basis at so many percent."""
        credits = sorted(
            (one for one in self.credits(rep) if one.month <= upto), key=lambda one: (one.month, one.order)
        )
        for one in credits:
            plan = one.held.plan
            if one.kind == "override":
                yield one, one.basis, plan.override or Decimal(0)
            elif plan.tiers is not None:
                yield from self.tiered(rep, one, plan.tiers, credits)
            else:
                named, name = (
                    (plan.products, one.product)
                    if plan.products is not None
                    else (plan.roles or {}, one.role)
                )
                percent = named.get(name or "", plan.rate)
                if percent is not None:
                    yield one, one.basis, percent

    def tiered(
        self, rep: str, one: Credit, tiers: Tiers, credits: Sequence[Credit]
    ) -> Iterator[tuple[Credit, Decimal, Decimal]]:
        months = MONTHS[tiers.window]
        alike = [
            other.basis
            for other in credits
            if other.kind != "override"
            and other.held.id == one.held.id
            and other.month // months == one.month // months
        ]
        places = [
            other
            for other in credits
            if other.kind != "override"
            and other.held.id == one.held.id
            and other.month // months == one.month // months
        ]
        scale = Decimal(1)
        if tiers.measure == "attainment":
            quota = one.held.plan.quota.of(rep) if one.held.plan.quota else None
            if quota is None:
                return
            scale = quota / 100
        floors = [in_minor_units(step.above * scale, one.held.plan.currency) for step in tiers.steps]
        percents = [step.percent for step in tiers.steps]
        if tiers.method == "retroactive":
            reached = [percent for floor, percent in zip(floors, percents, strict=True) if sum(alike) > floor]
            yield one, one.basis, (reached or percents)[-1 if reached else 0]
            return
        start = sum((other.basis for other in places[: places.index(one)]), Decimal(0))
        low, high = sorted((start, start + one.basis))
        found = False
        for at, percent in enumerate(percents):
            bottom = None if at == 0 else floors[at]
            top = floors[at + 1] if at + 1 < len(floors) else None
            inside = (high if top is None else min(high, top)) - (low if bottom is None else max(low, bottom))
            if inside > 0:
                found = True
                yield one, inside if one.basis > 0 else -inside, percent
        if not found:
            yield one, Decimal(0), percents[0]

    # E(P, n)

    def entitled(self, rep: str, upto: int) -> dict[Key, tuple[Decimal, Decimal]]:
        """Basis and amount by key, in the periods up to the month `upto`."""
        currency = self.currency(rep)
        bases: defaultdict[Key, Decimal] = defaultdict(Decimal)
        for one, basis, percent in self.rated(rep, upto):
            key = (
                one.kind,
                written(one.month),
                one.deal,
                one.earning,
                one.credited,
                one.held.id,
                one.held.number,
                percent,
            )
            bases[key] += basis
        entries = {
            key: (basis, in_minor_units(basis * (key[-1] or 0) / 100, currency))
            for key, basis in bases.items()
        }
        entries |= self.levelled(rep, upto, {key: amount for key, (_, amount) in entries.items()})
        for resolved in self.of(DisputeResolved):
            period, of = resolved.entity.split("/", 1)
            if of != rep or not resolved.event.accepted or resolved.event.amount is None:
                continue
            (issued,) = self.of(StatementIssued, f"{period}/{rep}")
            line = issued.event.lines[resolved.event.line - 1]
            if line.for_period <= written(upto):
                name = f"{resolved.entity}/{resolved.event.line}"
                key = ("dispute", line.for_period, line.deal, name, rep, None, None, None)
                _, before = entries.get(key, (Decimal(0), Decimal(0)))
                entries[key] = Decimal(0), before + resolved.event.amount
        return entries

    def levelled(
        self, rep: str, upto: int, amounts: dict[Key, Decimal]
    ) -> Iterator[tuple[Key, tuple[Decimal, Decimal]]]:
        """Cap and draw, period by period."""
        owed = Decimal(0)
        for month in range(self.begin, upto + 1):
            held = self.at_the_end_of(rep, month)
            if held is None:
                continue
            total = sum((amount for key, amount in amounts.items() if key[1] == written(month)), Decimal(0))

            def put(kind: str, amount: Decimal, held: Held = held, month: int = month) -> Any:
                return (kind, written(month), None, "", rep, held.id, held.number, None), (Decimal(0), amount)

            if held.plan.cap is not None and total > held.plan.cap:
                yield put("cap", held.plan.cap - total)
                total = held.plan.cap
            draw = held.plan.draw
            if draw is None:
                continue
            if total < draw.amount and self.employed(rep, month):
                yield put("draw", draw.amount - total)
                owed += draw.amount - total if draw.recoverable else 0
            elif total > draw.amount and owed > 0:
                back = min(owed, total - draw.amount)
                yield put("recovery", -back)
                owed -= back

    def at_the_end_of(self, rep: str, month: int) -> Held | None:
        following = date((month + 1) // 12, (month + 1) % 12 + 1, 1).toordinal()
        first = date(month // 12, month % 12 + 1, 1).toordinal()
        for day in range(following - 1, first - 1, -1):
            held = self.held(rep, date.fromordinal(day))
            if held is not None:
                return held
        return None

    def total(self, rep: str, upto: int) -> Decimal:
        return sum((amount for _, amount in self.entitled(rep, upto).values()), Decimal(0))
