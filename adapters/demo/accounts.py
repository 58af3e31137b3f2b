"""The company's money: commission plans, payments and refunds, what euros are worth, months closed."""

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import Any

from adapters.demo.catalogue import FLAT, FLAT_BRANCH, HEADS, PLANS, TIERED
from adapters.demo.chance import Chance
from adapters.demo.journal import money
from adapters.demo.office import Office
from adapters.demo.people import Prospect, Rep
from adapters.demo.working_time import DAY

_NET_DAYS = 26
"""Customers pay after so many working days at the soonest: then no order is withdrawn any more."""
_OWN_CHANCE = 1_000_003
"""Added to the seed, so that money changes nothing in the company's other stories."""


@dataclass(frozen=True, slots=True)
class _Transfer:
    """Money that comes, or goes back, at a moment in working seconds."""

    kind: str
    number: int
    deal: str
    branch: str
    payer: str
    cents: int
    currency: str
    when: int


class Accounts:
    """What the bank, the treasury and payroll record; the bank in the morning, of the days before."""

    def __init__(self, office: Office, seed: int) -> None:
        self._office = office
        self._chance = Chance(seed + _OWN_CHANCE)
        self._due: list[tuple[int, int, _Transfer]] = []
        self._planned = self._payments = 0
        self._euro = 10_700
        self._rated: set[int] = set()
        self._rate_forgotten = self._deal_forgotten = False

    def bind(self, rep: Rep) -> None:
        """The new rep gets a plan; only the director has none."""
        office = self._office
        if rep.head is not None:
            own = FLAT if rep.branch == FLAT_BRANCH else TIERED
            plan = HEADS if rep.head is office.team.director else own
            first = office.clock.date_at(office.now).isoformat()
            office.announce("plan.assign", rep.id, {"plan": plan, "from": first})

    def begin_day(self, day: int) -> None:
        """Publish the plans on the first day; book transfers; on its third day close the month before."""
        if day == 0:
            for plan, document in PLANS.items():
                self._office.announce("plan.publish", plan, document)
        while self._due and self._due[0][0] <= day:
            self._book(heappop(self._due)[2], day)
        date_at = self._office.clock.date_at
        if day >= 3 and (before := date_at((day - 3) * DAY)).month != date_at((day - 2) * DAY).month:
            self._write("period.close", before.isoformat()[:7], "payroll:office", {}, self._office.now)

    def invoice(self, lead: Prospect, branch: str) -> None:
        """The deal has just been won. The customer will pay the whole, or twice the half."""
        self._tell_worth(lead.currency, lead.last)
        halves = (lead.amount // 2, lead.amount - lead.amount // 2)
        for cents in halves if self._chance.yes(0.3) else (lead.amount,):
            self._payments += 1
            came = self._office.now + self._chance.between(_NET_DAYS, 2 * _NET_DAYS) * DAY
            payer = lead.customer.name
            transfer = _Transfer(
                "payment.record", self._payments, lead.deal or "", branch, payer, cents, lead.currency, came
            )
            self._expect(transfer, late=self._chance.between(10, 30) if self._chance.yes(0.03) else 1)

    def withdraw(self, lead: Prospect) -> None:
        """The order is withdrawn before anything was paid, and nothing will be."""
        self._due = [due for due in self._due if due[2].deal != lead.deal]
        heapify(self._due)

    def _expect(self, transfer: _Transfer, late: int = 1) -> None:
        self._planned += 1
        heappush(self._due, (transfer.when // DAY + late, self._planned, transfer))

    def _book(self, transfer: _Transfer, day: int) -> None:
        self._tell_worth(transfer.currency, transfer.when)
        data = {
            "payment": f"PAY-{transfer.number}",
            "amount": money(transfer.cents),
            "currency": transfer.currency,
        }
        subject: str | None = transfer.deal
        if transfer.branch == FLAT_BRANCH and not self._deal_forgotten and self._late_in_the_story(day):
            # One transfer names who paid, but not what for: a ghost.
            self._deal_forgotten = True
            subject, data["reference"] = None, transfer.payer
        self._write(transfer.kind, subject, "service:bank", data, transfer.when)
        if subject and transfer.kind == "payment.record" and self._chance.yes(0.03):
            back = transfer.cents * self._chance.between(20, 100) // 100
            when = transfer.when + self._chance.between(5, 30) * DAY
            self._expect(replace(transfer, kind="refund.record", cents=back, when=when))

    def _tell_worth(self, currency: str, moment: int) -> None:
        """The euro's rate of that day, once; that of one day late in the story is forgotten."""
        day = moment // DAY
        if currency != "EUR" or day in self._rated:
            return
        self._rated.add(day)
        self._euro += self._chance.between(-40, 42)
        if not self._rate_forgotten and self._late_in_the_story(day):
            self._rate_forgotten = True
            return
        date = self._office.clock.date_at(moment).isoformat()
        data = {"in": "USD", "rate": f"{self._euro // 10_000}.{self._euro % 10_000:04}", "date": date}
        self._write("rate.record", currency, "service:treasury", data, self._office.now)

    def _late_in_the_story(self, day: int) -> bool:
        return day >= self._office.clock.days * 9 // 10

    def _write(self, kind: str, subject: str | None, actor: str, data: dict[str, Any], when: int) -> None:
        self._office.journal.write(kind, subject, actor, data, occurred=when, recorded=self._office.now)
