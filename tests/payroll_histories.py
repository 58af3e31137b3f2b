"""Random histories of a small company: what happened, in the order of recording, with closes in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from hypothesis import strategies as st
from payroll_company import InMemory

from domain.shared.periods import Period

REPS = ("ann", "bob", "cid", "head")
DEALS = {"D1": "USD", "D2": "USD", "D3": "EUR", "D4": "USD"}
DAYS = 150
PERIODS = 8
"""Enough that after six closes within the history there is one to come."""
FIRST = date(2026, 1, 1)
Op = tuple[Any, ...]
Plans = Literal["flat", "all"]

WINDOWS = (None, 0, 5, 20)
AMOUNTS = ("0.00", "0.05", "10.10", "99.99", "333.33", "1000.00", "1000.00", "2500.01", "-40.00")
MONEY = ("0.01", "50.00", "99.99", "400.00", "1234.56")
SHARES: Sequence[Sequence[Any]] = (
    (("ann", "100"),),
    (("ann", "50", "opener"), ("bob", "50", "closer")),
    (("bob", "33.33", "opener"), ("ann", "33.33"), ("cid", "33.34", "closer")),
    (("head", "10"), ("ann", "60", "opener"), ("ann", "30", "closer")),
)
STEPS = (
    [{"above": "0", "percent": "3"}, {"above": "400", "percent": "5.5"}],
    [
        {"above": "0", "percent": "10"},
        {"above": "99.99", "percent": "4"},
        {"above": "1000", "percent": "10"},
        {"above": "2000", "percent": "12"},
    ],
)
RATES = (("EUR", "USD", "1.10"), ("EUR", "USD", "1.0834"), ("EUR", "USD", "0.97"), ("USD", "EUR", "0.91"))
QUOTAS = ({"default": "200"}, {"default": "800", "reps": {"ann": "333.33"}}, {"reps": {"ann": "300"}})


@dataclass(frozen=True)
class History:
    """`plans` are documents by rep; `changes` are rep, document, first and last day of a later assignment.

    `rated` is whether there is a rate for every day on which something happens.
    """

    plans: dict[str, dict[str, Any]]
    changes: Sequence[tuple[str, dict[str, Any], int, int | None]]
    owners: dict[str, str | None]
    ops: Sequence[Op]
    rated: bool


def histories(plans: Plans = "all", windows: Sequence[int | None] = WINDOWS) -> st.SearchStrategy[History]:
    """Plans of every kind, or only such as look at one earning alone, each with one of the clawback windows.

    A shorter history of the same seed is the beginning of a longer one.
    """
    return st.builds(
        lambda seed, size: _Writer(Random(seed), plans, windows).write(size),
        st.integers(0, 2**32),
        st.integers(1, 60),
    )


@dataclass
class _Writer:
    """Makes up histories in which something happens: most is about deals that are won."""

    chance: Random
    plans: Plans
    windows: Sequence[int | None]
    won: set[str] = field(default_factory=set)

    def write(self, size: int) -> History:
        chance = self.chance
        plans = {rep: self.document() for rep in REPS if chance.random() < 0.9}
        changes = [
            (rep, self.document(), chance.randint(0, DAYS), chance.choice([None, DAYS]))
            for rep in chance.choices(REPS, k=chance.choice([0, 0, 1, 2]))
        ]
        owners = {deal: chance.choice([*REPS, "ann", "bob", None]) for deal in DEALS}
        rated = chance.random() < 0.5
        ops, today = [], 0
        for _ in range(size):
            today = min(today + chance.randint(0, 7), DAYS)
            late = chance.choice([0, 0, 0, 3, 10, 40])
            ops.append((*self.op(), max(today - late, 0)))
        return History(plans, changes, owners, ops, rated)

    def document(self) -> dict[str, Any]:
        chance = self.chance
        kinds: list[dict[str, Any]] = [
            {"rate": chance.choice(["5", "12.5", "0"])},
            {"products": {"rope": "7"}, "rate": "3"},
            {"products": {"rope": "7"}},
            {"roles": {"opener": "2", "closer": "6"}, "rate": "1"},
        ]
        document = {"basis": chance.choice(["won", "paid"]), "clawback_days": chance.choice(self.windows)}
        document |= chance.choice([{}, {"override": "1"}])
        if self.plans == "flat":
            return document | chance.choice(kinds)
        measure = chance.choice(["amount", "attainment"])
        tiers = {
            "method": chance.choice(["marginal", "retroactive"]),
            "window": chance.choice(["month", "quarter", "year"]),
            "measure": measure,
            "steps": chance.choice(STEPS),
        }
        tiered = {"tiers": tiers} | ({"quota": chance.choice(QUOTAS)} if measure == "attainment" else {})
        document |= chance.choice([tiered, tiered, *kinds])
        document |= chance.choice([{}, {}, {"cap": "20.00"}, {"cap": "60"}])
        recoverable = chance.random() < 0.5
        return document | chance.choice([{}, {}, {"draw": {"amount": "15", "recoverable": recoverable}}])

    def op(self) -> Op:
        """All but the day."""
        chance = self.chance
        open_deals = sorted(set(DEALS) - self.won)
        if open_deals and chance.random() < 0.3:
            deal = chance.choice(open_deals)
            self.won.add(deal)
            return "win", deal, chance.choice([*AMOUNTS, None]), self.currency(deal)
        deal = chance.choice(sorted(self.won) or sorted(DEALS))
        kind = chance.choice(
            [
                "amend",
                "amend",
                "split",
                "reopen",
                "reopen",
                "pay",
                "pay",
                "pay",
                "refund",
                "refund",
                "match",
                "claim",
                "rate",
                "team",
            ]
        )
        payment = f"P{chance.randint(1, 9)}"
        match kind:
            case "amend":
                return "amend", deal, chance.choice(AMOUNTS), self.currency(deal)
            case "split":
                return "split", deal, chance.choice(SHARES)
            case "reopen":
                self.won.discard(deal)
                return "reopen", deal
            case "pay":
                return "pay", payment, chance.choice([deal, deal, None]), chance.choice(MONEY)
            case "refund":
                return "refund", chance.choice([payment, "R1", "R2"]), deal, chance.choice(MONEY)
            case "match":
                return "match", payment, deal
            case "claim":
                return "claim", deal, chance.choice(REPS)
            case "rate":
                return "rate", *chance.choice(RATES)
        rep = chance.choice(REPS)
        return chance.choice([("leave", rep), ("hire", rep, None), ("hire", rep, "head")])

    def currency(self, deal: str) -> str:
        """Mostly the deal's."""
        return self.chance.choice([*[DEALS[deal]] * 8, "EUR", "USD"])


def written(day: int) -> str:
    return (FIRST + timedelta(days=day)).isoformat()


@dataclass
class Player:
    """Plays a history into a company, leaving out what the engine would refuse."""

    history: History
    company: InMemory = field(default_factory=InMemory)
    won: dict[str, tuple[str | None, str] | None] = field(default_factory=dict)
    payments: dict[str, str | None] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    employed: set[str] = field(default_factory=lambda: set(REPS))
    rated: set[int] = field(default_factory=set)
    closed: int = 0

    def found(self) -> None:
        company = self.company
        for rep in REPS:
            company.hire(rep, "head" if rep in ("ann", "bob") else None)
        for rep, document in self.history.plans.items():
            company.plan(f"plan-{rep}", **document)
            company.assign(rep, f"plan-{rep}")
        for at, (rep, document, start, end) in enumerate(self.history.changes):
            company.plan(f"late-{at}", **document)
            company.assign(rep, f"late-{at}", written(start), None if end is None else written(end))
        for deal, owner in self.history.owners.items():
            company.deal(deal, owner, "rope" if deal == "D2" else None)

    def steps(self) -> Iterator[Op]:
        """Each after it was played, so that a close can come between."""
        self.found()
        for op in self.history.ops:
            kind, *what, day = op
            if self.history.rated and day not in self.rated:
                self.rated.add(day)
                self.company.rate("EUR", "USD", "1.21", written(day))
                self.company.rate("USD", "EUR", "0.83", written(day))
            getattr(self, kind)(*what, day)
            yield op

    def play(self) -> InMemory:
        for _ in self.steps():
            pass
        return self.company

    def close(self, lag: int = 0) -> None:
        """The next period; of what was recorded, the last `lag` facts came while it was worked out."""
        period = str(Period(Period.of(FIRST).index + self.closed))
        self.company.clock.end(period)
        floor = max(
            (fact.position for fact in self.company.facts if fact.stream.startswith(("period", "statement"))),
            default=1,
        )
        self.company.close_at(period, max(floor, len(self.company.facts) - lag))
        self.closed += 1

    def close_all(self) -> None:
        while self.closed < PERIODS:
            self.close()

    def win(self, deal: str, amount: str | None, currency: str, day: int) -> None:
        if self.won.get(deal) is None:
            self.won[deal] = amount, currency
            self.company.win(deal, amount, written(day), currency)

    def amend(self, deal: str, amount: str, currency: str, day: int) -> None:
        if self.won.get(deal) not in (None, (amount, currency)):
            self.won[deal] = amount, currency
            self.company.amend(deal, amount, written(day), currency)

    def split(self, deal: str, shares: Any, day: int) -> None:
        self.company.split(deal, *shares, on=written(day))

    def reopen(self, deal: str, day: int) -> None:
        if self.won.get(deal) is not None:
            self.won[deal] = None
            self.company.reopen(deal, written(day))

    def pay(self, payment: str, deal: str | None, amount: str, day: int) -> None:
        if payment not in self.payments:
            self.payments[payment] = deal
            self.currencies[payment] = DEALS[deal] if deal else "USD"
            self.company.pay(payment, deal, amount, written(day), self.currencies[payment])

    def refund(self, payment: str, deal: str, amount: str, day: int) -> None:
        if payment not in self.payments and payment.startswith("R"):
            self.payments[payment], self.currencies[payment] = deal, DEALS[deal]
        if payment in self.payments:
            named = self.payments[payment]
            self.company.refund(payment, named, amount, written(day), self.currencies[payment])

    def match(self, payment: str, deal: str, day: int) -> None:
        if self.payments.get(payment, deal) != deal:
            self.payments[payment] = deal
            self.company.match(payment, deal, written(day))

    def claim(self, deal: str, rep: str, day: int) -> None:
        if self.company.owners[deal] is None and rep in self.employed:
            self.company.claim(deal, rep, written(day))

    def rate(self, currency: str, quote: str, rate: str, day: int) -> None:
        """Of every third day."""
        for at in range(day % 3, DAYS + 1, 3):
            self.company.rate(currency, quote, rate, written(at))

    def leave(self, rep: str, day: int) -> None:
        if rep in self.employed:
            self.employed.remove(rep)
            self.company.leave(rep, written(day))

    def hire(self, rep: str, manager: str | None, day: int) -> None:
        if rep in self.employed:
            self.company.transfer(rep, manager if manager != rep else None)
        else:
            self.employed.add(rep)
            self.company.hire(rep, manager if manager != rep else None, written(day))
