"""What reps are due, worked out from the words of the specification alone, over companies made at random."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from company import Action, action

CENT = Decimal("0.01")
ZERO = Decimal(0)
BEGIN = datetime(2024, 1, 1, 12, tzinfo=UTC)
MONTHS = 7
STEPS = [
    {"above": "0", "percent": "3"},
    {"above": "4000", "percent": "5"},
    {"above": "12000", "percent": "8"},
]

Month = tuple[int, int]


def tiers(method: str, window: str) -> dict[str, Any]:
    return {"tiers": {"method": method, "measure": "amount", "window": window, "steps": STEPS}}


PLANS: dict[str, dict[str, Any]] = {
    "flat": {"basis": "won", "rate": "5"},
    "odd": {"basis": "won", "rate": "7.35", "clawback_days": 30},
    "capped": {"basis": "won", "rate": "10", "cap": "300"},
    "drawn": {"basis": "won", "rate": "4", "draw": {"amount": "120", "recoverable": False}},
    "lent": {"basis": "won", "rate": "4", "draw": {"amount": "120", "recoverable": True}},
    "paid": {"basis": "paid", "rate": "6.5"},
    "paid30": {"basis": "paid", "rate": "9", "clawback_days": 30},
    "marginal-month": {"basis": "won", **tiers("marginal", "month")},
    "marginal-quarter": {"basis": "won", "clawback_days": 30, **tiers("marginal", "quarter")},
    "retroactive-month": {"basis": "won", "clawback_days": 30, **tiers("retroactive", "month")},
    "retroactive-quarter": {"basis": "paid", **tiers("retroactive", "quarter")},
}


@dataclass
class Fact:
    """Something that happened at `at` and was recorded at `recorded`; `about` is its deal, rep or period."""

    kind: str
    about: str | None
    at: datetime
    recorded: datetime
    said: dict[str, Any] = field(default_factory=dict)

    def as_action(self) -> Action:
        times = {"time": self.at.isoformat(), "recordedtime": self.recorded.isoformat()}
        return action(self.kind, self.about, self.said or None, "admin:eve", **times)


def following(month: Month) -> Month:
    return (month[0] + month[1] // 12, month[1] % 12 + 1)


def named(month: Month) -> str:
    return f"{month[0]}-{month[1]:02d}"


class RandomCompany:
    """Four reps with plans, some twenty deals, and closes at random times. The same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.zone = ZoneInfo(self.dice.choice(["UTC", "America/New_York", "Asia/Kolkata"]))
        self.reps = [f"r{number}" for number in range(4)]
        self.facts: list[Fact] = []
        self._found()
        for number in range(self.dice.randint(12, 24)):
            self._deal(f"D{number}")
        self._rates()
        self.facts.sort(key=lambda fact: fact.recorded)
        self._close()

    def _note(self, kind: str, about: str | None, at: datetime, late: bool = True, **said: Any) -> datetime:
        """Recorded at once, or weeks later. Answers when it was recorded."""
        days = self.dice.choice([0, 0, 0, 3, 20, 45]) if late else 0
        recorded = at + timedelta(days=days, seconds=len(self.facts) % 50)
        self.facts.append(
            Fact(kind, about, at, recorded, {key.rstrip("_"): had for key, had in said.items()})
        )
        return recorded

    def _found(self) -> None:
        stages = [{"name": "Call"}]
        self._note("pipeline.define", "sales", BEGIN, late=False, stages=stages, protection_days=3650)
        for rep in self.reps:
            self._note("rep.hire", rep, BEGIN, late=False, name=rep)
        for plan, says in PLANS.items():
            self._note("plan.publish", plan, BEGIN, late=False, name=plan, currency="USD", **says)
        for rep in self.reps:
            plan, other = self.dice.sample(list(PLANS), 2)
            simple = {"flat", "odd"}
            if {plan, other} <= simple or {plan, other} == {"paid", "paid30"}:
                day = date(2024, self.dice.randint(2, 5), self.dice.randint(1, 28))
                self._assign(rep, plan, date(2020, 1, 1), day - timedelta(days=1))
                self._assign(rep, other, day, None)
            else:
                self._assign(rep, plan, date(2020, 1, 1), None)

    def _assign(self, rep: str, plan: str, first: date, last: date | None) -> None:
        until = {} if last is None else {"to": last.isoformat()}
        self._note("plan.assign", rep, BEGIN, late=False, plan=plan, from_=first.isoformat(), **until)

    def _moment(self, earliest: datetime, days: int) -> datetime:
        """Within so many days; every third time within minutes of a month's turn in the zone."""
        some = earliest + timedelta(seconds=self.dice.randint(60, days * 86400))
        if self.dice.random() < 0.3:
            turn = datetime(some.year, some.month, 1, tzinfo=self.zone).astimezone(UTC)
            near = turn + timedelta(seconds=self.dice.choice([-1, 0, 1, -7200]))
            some = near if near > earliest else some
        return some

    def _amount(self) -> str:
        return str(800 * self.dice.randint(1, 9))

    def _deal(self, deal: str) -> None:
        opened = BEGIN + timedelta(hours=1)
        dice, owner = self.dice, self.dice.choice(self.reps)
        self._note("lead.register", f"L{deal}", opened, late=False, keys={"external": deal}, owner=owner)
        self._note(
            "deal.open", deal, opened + timedelta(hours=1), late=False, lead=f"L{deal}", pipeline="sales"
        )
        currency = dice.choice(["USD", "USD", "USD", "EUR"])
        won = self._moment(opened + timedelta(hours=2), 150)
        split = dice.random()
        if split < 0.2:
            self._split(deal, opened + timedelta(hours=3))
        known = self._note("deal.win", deal, won, amount=self._amount(), currency=currency)
        if dice.random() < 0.7:
            self._payments(deal, won, known, currency)
        if dice.random() < 0.25:
            later = max(self._moment(won, 60), known + timedelta(minutes=5))
            known = self._note("deal.amend", deal, later, amount=self._amount(), currency=currency)
        if 0.2 < split < 0.35:
            self._split(deal, max(self._moment(won, 60), known + timedelta(minutes=5)))
        elif 0.35 < split < 0.55:
            reopened = max(self._moment(won, 60), known + timedelta(minutes=5))
            known = self._note("deal.reopen", deal, reopened, reason="mistake")
            if dice.random() < 0.7:
                again = max(self._moment(reopened, 40), known + timedelta(minutes=5))
                self._note("deal.win", deal, again, amount=self._amount(), currency=currency)

    def _split(self, deal: str, at: datetime) -> None:
        first = self.dice.choice(["25", "50", "75"])
        pair = self.dice.sample(self.reps, 2)
        shares = [{"rep": pair[0], "percent": first}, {"rep": pair[1], "percent": str(100 - int(first))}]
        self._note("deal.split", deal, at, shares=shares)

    def _payments(self, deal: str, won: datetime, known: datetime, currency: str) -> None:
        for number in range(self.dice.randint(1, 3)):
            payment, amount = f"P-{deal}-{number}", 800 * self.dice.randint(1, 5)
            at = self._moment(max(BEGIN + timedelta(days=1), won - timedelta(days=10)), 60)
            said = {"payment": payment, "amount": str(amount), "currency": currency}
            ghost = self.dice.random() < 0.2
            seen = self._note("payment.record", None if ghost else deal, at, **said)
            if ghost and self.dice.random() < 0.7:
                seen = self._note("payment.match", payment, seen + timedelta(minutes=1), deal=deal)
            if self.dice.random() < 0.3:
                back = self._moment(max(at, won, seen), 60)
                part = {"payment": payment, "amount": str(amount // self.dice.choice([1, 2]))}
                self._note("refund.record", None, back, **part, currency=currency)

    def _rates(self) -> None:
        """Most days have a rate, some only later, some never."""
        for day in range(240):
            luck = self.dice.random()
            if luck < 0.9:
                at = BEGIN + timedelta(days=day)
                told = {"in": "USD", "rate": self.dice.choice(["1.1", "1.25"]), "date": at.date().isoformat()}
                self.facts.append(
                    Fact("rate.record", "EUR", at, at + timedelta(days=40 * (luck < 0.1)), told)
                )

    def _close(self) -> None:
        """Each month at a random time after its end, in order; the facts around it stay as they are."""
        month, earliest = self.month(BEGIN), BEGIN
        for _ in range(MONTHS):
            after = following(month)
            end = datetime(*after, 1, tzinfo=self.zone).astimezone(UTC)
            earliest = max(earliest, end + timedelta(days=self.dice.choice([0, 0, 2, 17, 50])))
            at = next(
                (one for one, fact in enumerate(self.facts) if fact.recorded > earliest), len(self.facts)
            )
            self.facts.insert(at, Fact("period.close", named(month), earliest, earliest))
            month = after

    def month(self, moment: datetime) -> Month:
        local = moment.astimezone(self.zone)
        return local.year, local.month

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


@dataclass(frozen=True)
class Part:
    rep: str
    plan: str
    month: Month
    basis: Decimal


class ByHand:
    """What each rep is due by the first facts of the company, through a month, but for the `unclear` reps."""

    def __init__(self, company: RandomCompany, upto: int) -> None:
        self.company, self.facts = company, company.facts[:upto]
        self.unclear: set[str] = set()
        self.parts = list(self._parts())

    def due(self, rep: str, through: Month) -> Decimal:
        """The sum of all statements of the rep through the month."""
        mine = [part for part in self.parts if part.rep == rep and part.month <= through]
        sums: defaultdict[Month, Decimal] = defaultdict(lambda: ZERO)
        for plan in {part.plan for part in mine}:
            says, of_plan = PLANS[plan], [part for part in mine if part.plan == plan]
            if "tiers" in says:
                sums[through] += tiered(says["tiers"], of_plan)
            else:
                for part in of_plan:
                    sums[part.month] += (part.basis * Decimal(says["rate"]) / 100).quantize(
                        CENT, ROUND_HALF_EVEN
                    )
        return self._bounded(rep, sums, through)

    def _bounded(self, rep: str, sums: defaultdict[Month, Decimal], through: Month) -> Decimal:
        """With the cap and the draw of the plan, month by month: such reps have one plan only."""
        plan = PLANS[self._plan(rep, BEGIN)]
        if "cap" in plan:
            return sum((min(amount, Decimal(plan["cap"])) for amount in sums.values()), ZERO)
        if "draw" not in plan:
            return sum(sums.values(), ZERO)
        least, owed, total = Decimal(plan["draw"]["amount"]), ZERO, ZERO
        month = self.company.month(BEGIN)
        while month <= through:
            amount = sums[month]
            added = max(least - amount, ZERO)
            back = min(owed, max(amount - least, ZERO))
            if plan["draw"]["recoverable"]:
                owed += added - back
            else:
                back = ZERO
            total += amount + added - back
            month = following(month)
        return total

    def _plan(self, rep: str, moment: datetime) -> str:
        day = self.company.day(moment).isoformat()
        (found,) = (
            fact.said["plan"]
            for fact in self.facts
            if fact.kind == "plan.assign" and fact.about == rep
            if fact.said["from"] <= day <= fact.said.get("to", "9999")
        )
        return str(found)

    def _open_at(self, place: int) -> Month:
        """The first month that was open when the fact at that place was recorded."""
        month = self.company.month(BEGIN)
        for fact in self.facts[:place]:
            month = following(month) if fact.kind == "period.close" else month
        return month

    def _of(self, kind: str, deal: str) -> list[tuple[int, Fact]]:
        return [(at, one) for at, one in enumerate(self.facts) if one.kind == kind and one.about == deal]

    def _parts(self) -> Iterator[Part]:
        owners = {
            str(fact.said["keys"]["external"]): fact.said["owner"]
            for fact in self.facts
            if fact.kind == "lead.register"
        }
        for deal, owner in owners.items():
            yield from self._of_deal(deal, owner)

    def _of_deal(self, deal: str, owner: str) -> Iterator[Part]:
        wins, reopened = self._of("deal.win", deal), self._of("deal.reopen", deal)
        splits = self._of("deal.split", deal)
        shares = [{"rep": owner, "percent": "100"}]
        if splits:
            shares = splits[-1][1].said["shares"]
        for number, (place, win) in enumerate(wins):
            ended = reopened[number][1] if number < len(reopened) else None
            for at, share in enumerate(shares):
                rep = str(share["rep"])
                yield from self._won(deal, rep, (at, shares), (place, win, ended), wins[:number])
            for payment in self._payments(deal):
                for at, share in enumerate(shares):
                    yield from self._paid(deal, str(share["rep"]), (at, shares), number, payment)

    def _won(self, deal: str, rep: str, cut: Any, which: Any, earlier: Any) -> Iterator[Part]:
        place, win, ended = which
        plan = self._plan(rep, win.at)
        if PLANS[plan]["basis"] != "won" or (ended is not None and self._in_time(plan, win.at, ended.at)):
            return
        amount = self._worth(deal, plan, place)
        if earlier:
            # A second win: what an earlier one kept past the window isn't earned again.
            first = earlier[0][1]
            ((_, back),) = self._of("deal.reopen", deal)[:1]
            first_plan = self._plan(rep, first.at)
            if not self._in_time(first_plan, first.at, back.at):
                amount = max(amount - self._worth(deal, first_plan, earlier[0][0]), ZERO)
        whole = self._usd(amount, win.said["currency"], win.at)
        if whole is not None:
            month = max(self.company.month(win.at), self._open_at(place))
            yield Part(rep, plan, month, cut_up(whole, cut))

    def _worth(self, deal: str, plan: str, place: int) -> Decimal:
        """The win's amount after corrections and refunds, in its own currency."""
        win = self.facts[place]
        ends = [at for at, _ in self._of("deal.reopen", deal) if at > place]
        until = min(ends, default=len(self.facts))
        amount = Decimal(win.said["amount"])
        for at, amend in self._of("deal.amend", deal):
            new = Decimal(amend.said["amount"])
            if place < at < until and (new > amount or self._in_time(plan, win.at, amend.at)):
                amount = new
        nexts = [fact.at for at, fact in self._of("deal.win", deal) if at > place]
        for _, payment, _ in self._payments(deal):
            for refund in self._refunds(payment):
                since = refund.at >= win.at and (not nexts or refund.at < nexts[0])
                if since and self._in_time(plan, win.at, refund.at):
                    amount = max(amount - Decimal(refund.said["amount"]), ZERO)
        return amount

    def _paid(self, deal: str, rep: str, cut: Any, number: int, payment: Any) -> Iterator[Part]:
        wins, reopened = self._of("deal.win", deal), self._of("deal.reopen", deal)
        place, received, link = payment
        at, win = wins[number]
        earned = max(received.at, win.at)
        plan = self._plan(rep, earned)
        if PLANS[plan]["basis"] != "paid" or PLANS[self._plan(rep, win.at)]["basis"] != "paid":
            return
        if reopened:
            self.unclear.add(rep)
            return
        amount = Decimal(received.said["amount"])
        for refund in self._refunds(received):
            if self._in_time(plan, earned, refund.at):
                amount -= Decimal(refund.said["amount"])
        whole = self._usd(amount, received.said["currency"], earned)
        if whole is not None:
            month = max(self.company.month(earned), self._open_at(max(place, link, at)))
            yield Part(rep, plan, month, cut_up(whole, cut))

    def _payments(self, deal: str) -> Iterator[tuple[int, Fact, int]]:
        """Those that belong to the deal, with their places and where the deal became known."""
        matches = {
            fact.about: (at, fact) for at, fact in enumerate(self.facts) if fact.kind == "payment.match"
        }
        for at, fact in enumerate(self.facts):
            if fact.kind == "payment.record":
                match = matches.get(fact.said["payment"])
                if fact.about == deal:
                    yield at, fact, at
                elif match is not None and match[1].said["deal"] == deal:
                    yield at, fact, match[0]

    def _refunds(self, payment: Fact) -> list[Fact]:
        name = payment.said["payment"]
        return [one for one in self.facts if one.kind == "refund.record" and one.said["payment"] == name]

    def _in_time(self, plan: str, earned: datetime, moment: datetime) -> bool:
        days = PLANS[plan].get("clawback_days")
        return days is None or (self.company.day(moment) - self.company.day(earned)).days <= days

    def _usd(self, amount: Decimal, currency: str, moment: datetime) -> Decimal | None:
        if currency == "USD":
            return amount
        day = self.company.day(moment).isoformat()
        rates = [
            one.said["rate"] for one in self.facts if one.kind == "rate.record" and one.said["date"] == day
        ]
        return (amount * Decimal(rates[-1])).quantize(CENT, ROUND_HALF_EVEN) if rates else None


def cut_up(whole: Decimal, cut: tuple[int, list[dict[str, str]]]) -> Decimal:
    """The part at a place, by largest remainder in cents, ties to the first named."""
    place, shares = cut
    cents = int(whole * 100)
    exact = [Decimal(cents) * Decimal(share["percent"]) / 100 for share in shares]
    floors = [one.to_integral_value(ROUND_FLOOR) for one in exact]
    by_remainder = sorted(range(len(shares)), key=lambda at: (floors[at] - exact[at], at))
    for at in by_remainder[: cents - int(sum(floors))]:
        floors[at] += 1
    return floors[place] / 100


def tiered(says: dict[str, Any], parts: list[Part]) -> Decimal:
    """All commission of the windows; amounts are such that nothing needs rounding."""
    windows: defaultdict[object, Decimal] = defaultdict(lambda: ZERO)
    for part in parts:
        year, month = part.month
        windows[(year, month if says["window"] == "month" else (month - 1) // 3)] += part.basis
    total = ZERO
    for basis in windows.values():
        reached = [step for step in says["steps"] if basis > Decimal(step["above"])] or says["steps"][:1]
        if says["method"] == "retroactive":
            total += basis * Decimal(reached[-1]["percent"]) / 100
            continue
        for step, above in zip(reached, [*reached[1:], None], strict=True):
            top = basis if above is None else Decimal(above["above"])
            total += (top - Decimal(step["above"])) * Decimal(step["percent"]) / 100
    return total
