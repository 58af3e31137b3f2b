"""What a rep's pay rests on, read by its streams, is what the whole log says of it."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from payday import PAYROLL, Payday

from adapters.postgres.books import Books
from adapters.postgres.projecting.projector import Projector
from domain.deals.events import DealWon
from domain.kernel import Event, Recorded
from domain.payroll.earnings import earnings
from domain.payroll.events import StatementIssued
from domain.payroll.records import Records
from domain.payroll.statement import statement, statements
from domain.shared.periods import Period
from projections.deals import Deals
from projections.kernel import Rows
from projections.leads import Leads
from projections.payroll.payments import Payments
from services.ports import EmptyLog

REPS = ("ann", "bob", "cid", "dan")
FLAT = {"name": "Flat", "currency": "USD", "basis": "won", "rate": "5", "clawback_days": 10}
PLANS: dict[str, dict[str, Any]] = {
    "flat": FLAT,
    "paid": {"name": "Paid", "currency": "USD", "basis": "paid", "rate": "7"},
    "head": {"name": "Head", "currency": "USD", "basis": "won", "rate": "2", "override": "1"},
    "head-paid": {"name": "Head", "currency": "USD", "basis": "paid", "override": "1.5", "clawback_days": 5},
    "tiers": {
        "name": "Tiers",
        "currency": "USD",
        "basis": "won",
        "tiers": {
            "method": "retroactive",
            "measure": "amount",
            "window": "quarter",
            "steps": [{"above": "0", "percent": "3"}, {"above": "2000", "percent": "6"}],
        },
        "cap": "400",
        "draw": {"amount": "30", "recoverable": True},
    },
}


@pytest.fixture
def company(database_url: str) -> Iterator[Payday]:
    one = Payday(database_url)
    yield one
    one.close_database()


class Life:
    """Things that happen by a seeded chance; whatever the engine refuses is left out, as in life."""

    def __init__(self, company: Payday, seed: int) -> None:
        self.company, self.chance = company, random.Random(seed)
        self.deals: list[str] = []
        self.payments: list[str] = []
        company.do("pipeline.define", "sales", {"stages": [{"name": "Call"}], "protection_days": 20})
        for rep in ("eve", *REPS):
            company.do("rep.hire", rep, {"name": rep, "manager": None if rep in ("eve", "ann") else "eve"})
        for plan, document in PLANS.items():
            company.do("plan.publish", plan, document)
        company.do(
            "plan.assign", "eve", {"plan": self.chance.choice(("head", "head-paid")), "from": "2026-01-01"}
        )
        for rep in REPS:
            company.do("plan.assign", rep, {"plan": self.chance.choice([*PLANS]), "from": "2026-01-01"})

    def go_on(self, turns: int) -> None:
        deeds = (
            *[self._open] * 5,
            *[self._win] * 8,
            *[self._pay] * 6,
            *[self._refund] * 3,
            *[self._split] * 4,
            *[self._reopen] * 4,
            self._amend,
            self._match,
            *[self._own] * 4,
            self._release,
            *[self._merge] * 3,
            self._plan,
            self._rate,
            self._transfer,
            self._answer,
        )
        for _ in range(turns):
            self.company.now += timedelta(hours=self.chance.expovariate(1 / 15))
            self.chance.choice(deeds)()

    def close(self) -> None:
        """Whatever may be closed."""
        period = Period.of(self.company.now.date()).previous
        self.company.submit(self.company.closing(str(period.previous)), self.company.closing(str(period)))

    def _try(self, kind: str, subject: str | None, data: object = None, **said: Any) -> None:
        late = timedelta(hours=self.chance.choice((0, 0, 1, 30, 24 * 20)))
        time = (self.company.now - late).isoformat()
        self.company.submit(self.company.action(kind, subject, data, **({"time": time} | said)))

    def _open(self) -> None:
        deal = f"D-{len(self.deals)}"
        owner = self.chance.choice(("eve", None, *REPS))
        self._try("lead.register", f"L-{deal}", {"keys": {"external": deal}, "owner": owner})
        self._try("deal.open", deal, {"lead": f"L-{deal}", "pipeline": "sales"})
        self.deals.append(deal)

    def _deal(self) -> str:
        return self.chance.choice(self.deals[-12:] or ["none"])

    def _money(self) -> dict[str, str]:
        currency = self.chance.choice(("USD", "USD", "EUR"))
        return {
            "amount": f"{self.chance.randint(1, 2000)}.{self.chance.randint(10, 99)}",
            "currency": currency,
        }

    def _win(self) -> None:
        self._try("deal.win", self._deal(), self._money())

    def _amend(self) -> None:
        self._try("deal.amend", self._deal(), self._money())

    def _reopen(self) -> None:
        self._try("deal.reopen", self._deal(), {"reason": "mistake"})

    def _split(self) -> None:
        one, other = self.chance.sample(REPS, 2)
        self._try(
            "deal.split",
            self._deal(),
            {"shares": [{"rep": one, "percent": "30"}, {"rep": other, "percent": "70"}]},
        )

    def _pay(self) -> None:
        payment = f"P-{len(self.payments)}"
        deal = self.chance.choice((self._deal(), self._deal(), None, "D-77"))
        self._try("payment.record", deal, {"payment": payment, **self._money()})
        self.payments.append(payment)

    def _refund(self) -> None:
        payment = self.chance.choice([*self.payments[-6:], f"R-{len(self.payments)}"])
        data = {"payment": payment, "amount": f"{self.chance.randint(1, 60)}", "currency": "USD"}
        self._try("refund.record", self._deal(), data)

    def _match(self) -> None:
        self._try("payment.match", self.chance.choice(self.payments or ["none"]), {"deal": self._deal()})

    def _own(self) -> None:
        rep = self.chance.choice(REPS)
        self._try("lead.assign", f"L-{self._deal()}", {"rep": rep, "reason": "conflict"})

    def _release(self) -> None:
        self._try("lead.release", f"L-{self._deal()}", {"reason": "no time"})

    def _merge(self) -> None:
        lead = f"L-{self._deal()}"
        self._try("lead.merge", lead, {"into": f"L-{self._deal()}"})
        if self.chance.random() < 0.5:
            self._try("lead.unmerge", lead)

    def _plan(self) -> None:
        data = {"plan": self.chance.choice([*PLANS]), "from": self.company.now.date().isoformat()}
        self._try("plan.assign", self.chance.choice(REPS), data)

    def _rate(self) -> None:
        day = (self.company.now - timedelta(days=self.chance.randint(0, 3))).date().isoformat()
        self._try("rate.record", "EUR", {"in": "USD", "rate": "1.08", "date": day})

    def _transfer(self) -> None:
        rep, head = self.chance.choice(REPS), self.chance.choice(("eve", "ann", None))
        self._try("rep.hire", rep, {"name": rep, "manager": head})

    def _answer(self) -> None:
        for name, issued in reversed(self.company.statements().items()):
            if issued.lines:
                self._try("statement.dispute", name, {"line": "1", "reason": "too little"})
                data = {"line": "1", "accepted": True, "note": "so it is", "amount": "1.50"}
                self._try("statement.resolve", name, data, actor=PAYROLL)
                return


def paid(records: Records, rep: str, position: int) -> list[StatementIssued]:
    """The rep's statements of the next two periods."""
    earned, first = earnings(records), records.first_open
    return [statement(records, earned, rep, period, position) for period in (first, first.next)]


@pytest.mark.parametrize("seed", range(6))
def test_a_reps_own_streams_give_the_statement_that_the_whole_log_gives(company: Payday, seed: int) -> None:
    life = Life(company, seed)
    lines = 0
    for _ in range(4):
        life.go_on(70)
        position, whole = company.books.records()
        for rep in ("eve", *REPS):
            at, own = company.books.of_rep(rep)
            assert at == position
            assert paid(own, rep, at) == paid(whole, rep, position), (seed, rep)
            lines += sum(len(one.lines) for one in paid(own, rep, at))
        life.close()
    assert lines > 20
    assert company.closed()
    ownerless = [fact for fact in company.facts() if isinstance(fact.event, DealWon) and not fact.event.owner]
    assert ownerless


def test_who_had_a_share_before_the_deal_was_reopened_is_still_found(company: Payday) -> None:
    """Past the clawback window they keep it, though nobody who reads the split now would find them."""
    company.founded("ann", "bob", "cid").do("plan.publish", "kept", FLAT)
    company.do("plan.assign", "ann", {"plan": "kept", "from": "2026-01-01"})
    company.do("lead.register", "L-1", {"keys": {"external": "1"}, "owner": "bob"})
    company.do("deal.open", "D-1", {"lead": "L-1", "pipeline": "sales"})
    shares = [{"rep": "ann", "percent": "40"}, {"rep": "bob", "percent": "60"}]
    company.do("deal.split", "D-1", {"shares": shares})
    company.do("deal.win", "D-1", {"amount": "1000", "currency": "USD"})
    company.on("2026-09-28T09:00:00Z").do("deal.reopen", "D-1", {"reason": "mistake"})
    company.do("deal.split", "D-1", {"shares": [{"rep": "cid", "percent": "100"}]})
    agree(company, "ann", lines=1)


def test_who_came_to_own_the_lead_after_an_ownerless_win_is_found(company: Payday) -> None:
    company.founded("ann", "bob")
    company.do("lead.register", "L-1", {"keys": {"external": "1"}, "owner": None})
    company.do("deal.open", "D-1", {"lead": "L-1", "pipeline": "sales"})
    company.do("deal.win", "D-1", {"amount": "1000", "currency": "USD"})
    company.do("lead.assign", "L-1", {"rep": "ann", "reason": "distribution"})
    company.do("lead.assign", "L-1", {"rep": "bob", "reason": "conflict"})
    agree(company, "ann", lines=1)
    agree(company, "bob", lines=0)


@pytest.mark.parametrize("parted", [False, True])
def test_who_owned_what_an_ownerless_lead_was_merged_into_is_found(company: Payday, parted: bool) -> None:
    """Who has the credit keeps it, though the merge be undone."""
    company.founded("ann", "bob")
    company.do("lead.register", "L-1", {"keys": {"external": "1"}, "owner": "ann"})
    company.do("lead.register", "L-2", {"keys": {"external": "2"}, "owner": None})
    company.do("deal.open", "D-2", {"lead": "L-2", "pipeline": "sales"})
    company.do("deal.win", "D-2", {"amount": "1000", "currency": "USD"})
    company.do("lead.merge", "L-2", {"into": "L-1"})
    if parted:
        company.do("lead.unmerge", "L-2")
        company.do("lead.assign", "L-2", {"rep": "bob", "reason": "conflict"})
    agree(company, "ann", lines=1)
    agree(company, "bob", lines=0)


def test_what_was_paid_for_a_deal_that_is_now_anothers_is_found(company: Payday) -> None:
    company.founded("ann", "bob").win("D-1", "1000", "bob")
    company.do("deal.split", "D-1", {"shares": [{"rep": "ann", "percent": "100"}]})
    company.on("2026-10-02T09:00:00Z").close("2026-09")
    company.do("deal.split", "D-1", {"shares": [{"rep": "bob", "percent": "100"}]})
    split = company.store.head()
    assert split in agree(company, "ann", lines=1).lines[0].events


def test_a_head_is_paid_on_the_credit_of_those_who_were_below(company: Payday) -> None:
    company.founded("ann").do("plan.publish", "head", PLANS["head"])
    company.do("plan.assign", "head", {"plan": "head", "from": "2026-01-01"})
    company.win("D-1", "1000", "ann").do("rep.hire", "ann", {"name": "Ann", "manager": None})
    company.win("D-2", "500", "ann")
    agree(company, "head", lines=1)


def test_a_refund_with_an_id_of_its_own_and_a_match_are_found(company: Payday) -> None:
    company.founded("ann").do("plan.publish", "paid", PLANS["paid"])
    company.do("plan.assign", "ann", {"plan": "paid", "from": "2026-01-01"})
    company.win("D-1", "1000").win("D-2", "1000")
    money = {"currency": "USD"}
    company.do("payment.record", "D-1", {"payment": "P-1", "amount": "200", **money})
    company.do("payment.record", None, {"payment": "P-2", "amount": "300", **money})
    company.do("refund.record", "D-1", {"payment": "R-1", "amount": "50", **money})
    company.do("payment.match", "P-2", {"deal": "D-2"})
    issued = agree(company, "ann", lines=2)
    assert [str(line.amount) for line in issued.lines] == ["10.50", "21.00"]


def agree(company: Payday, rep: str, *, lines: int) -> StatementIssued:
    """The rep's present statement, which has so many lines."""
    position, whole = company.books.records()
    at, own = company.books.of_rep(rep)
    assert at == position
    issued = paid(own, rep, at)
    assert issued == paid(whole, rep, position)
    assert len(issued[0].lines) == lines
    return issued[0]


def test_a_past_that_is_read_again_gives_what_was_frozen_then(company: Payday) -> None:
    life = Life(company, 11)
    for _ in range(4):
        life.go_on(50)
        life.close()
    closed = company.closed()
    assert len(closed) > 1
    frozen = company.statements()
    readings = company.books.at_closes(list(closed.values()))
    for (period, close), records in zip(closed.items(), readings, strict=True):
        _, alone = company.books.records(upto=close.cutoff_position)
        for said in (records, alone):
            issued = statements(said, earnings(said), Period.parse(period), close.cutoff_position)
            assert {f"{period}/{one.rep}": one for one in issued} == {
                name: one for name, one in frozen.items() if one.period == period
            }


def test_another_currency_of_the_company_later_on_changes_no_past(company: Payday) -> None:
    company.founded("bob").on("2026-10-02T09:00:00Z").close("2026-09")
    reader = Books(company.store, company.projector, zone=ZoneInfo("UTC"), currency="EUR")
    ((period, close),) = company.closed().items()
    (records,) = reader.at_closes([close])
    again = statements(records, earnings(records), Period.parse(period), close.cutoff_position)
    assert again == list(company.statements().values())


def test_by_what_had_happened_events_may_lack_what_they_build_on(company: Payday) -> None:
    """Dates can be wrong: won before it was opened, assigned a plan before it was published."""
    company.do("pipeline.define", "sales", {"stages": [{"name": "Call"}]}, time="2026-09-01T09:00:00Z")
    company.do("rep.hire", "ann", {"name": "Ann"}, time="2026-09-01T09:00:00Z")
    company.do("plan.publish", "flat", FLAT, time="2026-09-10T08:00:00Z")
    company.do("plan.assign", "ann", {"plan": "flat", "from": "2026-01-01"}, time="2026-09-02T08:00:00Z")
    company.win("D-1", "100")
    company.do("deal.reopen", "D-1", {"reason": "mistake"}, time="2026-09-03T09:00:00Z")
    company.do("deal.win", "D-1", {"amount": "50", "currency": "USD"}, time="2026-09-03T10:00:00Z")
    early = company.now - timedelta(days=5)
    _, then = company.books.records(counted=lambda fact: fact.occurred_at <= early)
    assert (then.deals, then.assignments, [*then.reps]) == ({}, {}, ["ann"])
    _, now = company.books.records(counted=lambda fact: True)
    assert len(now.deals["D-1"].wins) == 2


class Stopped(Deals):
    """Deals that can't be folded."""

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        raise ValueError("a fault in the fold")


def test_with_tables_that_have_stopped_the_whole_log_is_read(company: Payday) -> None:
    company.founded("ann").win("D-1", "1000")
    projector = Projector(company.database, [Leads(), Stopped(), Payments()])
    books = Books(company.store, projector, zone=company.books.zone, currency="USD")
    position, records = books.of_rep("ann")
    assert (position, [*records.deals]) == (company.store.head(), ["D-1"])


def test_an_empty_log_is_said_to_be_empty(company: Payday) -> None:
    with pytest.raises(EmptyLog):
        company.books.records()
    with pytest.raises(EmptyLog):
        company.books.of_rep("ann")
