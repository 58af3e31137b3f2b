"""How leads come in: who registers them, with which keys, and whose they are."""

from typing import Any

from adapters.demo.catalogue import CHANNELS, EXISTING, SITE
from adapters.demo.customers import Customer, meet, written
from adapters.demo.disputes import Disputes
from adapters.demo.office import Office
from adapters.demo.people import Prospect
from adapters.demo.pool import Pool
from adapters.demo.selling import Selling
from adapters.demo.working_time import DAY


class Arrivals:
    """Registrations of customers that the company hasn't met before."""

    def __init__(self, office: Office, selling: Selling, pool: Pool, disputes: Disputes) -> None:
        self._office = office
        self._selling = selling
        self._pool = pool
        self._disputes = disputes
        self._count = 0

    def expect(self, leads: int) -> None:
        """So many leads come in the course of the day that has just begun."""
        for _ in range(leads):
            self._count += 1
            lead = Prospect(meet(self._office.chance, self._count), f"L-{self._count}")
            self._office.next_visit(lead, self._register, self._office.chance.between(0, DAY - 1))

    def _register(self, lead: Prospect) -> None:
        office, chance = self._office, self._office.chance
        lead.channel = CHANNELS.spin(chance)
        branch = lead.customer.country.branch
        rep = office.team.one_of(branch)
        lead.last = office.now
        data: dict[str, Any] = {
            "keys": _keys(lead),
            "name": lead.customer.name,
            "channel": lead.channel.name,
            "branch": branch,
        }
        if lead.channel.campaigns:
            campaign = chance.pick(lead.channel.campaigns)
            data["campaign"] = f"{campaign}-{office.clock.date_at(office.now).year}"
        twin = lead.channel.sender is None and chance.yes(0.03)
        if twin:
            data["keys"].pop("email", None)
        pooled = lead.channel is SITE and chance.yes(0.2)
        if lead.channel.sender is not None:
            data["owner"] = None if pooled else rep.id
        self._write(lead, lead.channel.sender or rep.id, data)
        if pooled:
            return self._pool.put(lead)
        lead.belongs_to(rep, office.today)
        self._selling.begin(lead)
        if twin:
            return office.besides(lead, self._disputes.twin_comes, chance.between(DAY // 2, 8 * DAY))
        return self._disputes.may_befall(lead)

    def _write(self, lead: Prospect, actor: str, data: dict[str, Any]) -> None:
        office, chance = self._office, self._office.chance
        if lead.channel is SITE and office.now >= DAY and chance.yes(0.35):
            eve = office.clock.evening_before(office.now, chance.between(0, 299))
            return office.journal.write(
                "lead.register", lead.subject, actor, data, occurred=eve, recorded=office.now
            )
        if chance.yes(0.008):
            national = {**data["keys"], "phone": f"0{lead.customer.phone[3:]}"}
            office.tell("lead.register", lead, actor, {**data, "keys": national})
        data["keys"]["phone"] = written(lead.customer.phone, chance)
        return office.tell("lead.register", lead, actor, data)


def _keys(lead: Prospect) -> dict[str, str]:
    customer, channel = lead.customer, lead.channel
    keys = {"phone": customer.phone}
    if channel.name in ("site", "fair", "referral"):
        keys["email"] = customer.email
    else:
        keys |= _register_entry(customer)
    if channel.name == "partner" or channel is EXISTING:
        keys["external"] = customer.external
    return keys


def _register_entry(customer: Customer) -> dict[str, str]:
    tax_id = customer.tax_id
    return {} if tax_id is None else {"tax_id": tax_id}
