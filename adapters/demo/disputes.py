"""What goes wrong between reps: the same customer twice, encroachments, meddling, merges, handovers."""

from adapters.demo.chance import Wheel
from adapters.demo.customers import written
from adapters.demo.office import Office, Step
from adapters.demo.people import Prospect, Rep
from adapters.demo.pool import Pool
from adapters.demo.working_time import DAY


class Disputes:
    """Stories that befall some of the leads beside the daily work."""

    def __init__(self, office: Office, pool: Pool) -> None:
        self._office = office
        self._chance = office.chance
        self._stories: Wheel[Step | None] = Wheel(
            [
                (None, 900),
                (self._register_again, 35),
                (self._rival_registers, 45),
                (self._encroach, 20),
                (self._meddle, 14),
                (self._redistribute, 8),
                (pool.give_back, 10),
                (self._wrong_stage, 4),
            ]
        )

    def may_befall(self, lead: Prospect) -> None:
        story = self._stories.spin(self._chance)
        if story is not None:
            self._office.besides(lead, story, self._chance.between(DAY // 4, 15 * DAY))

    def twin_comes(self, lead: Prospect) -> None:
        """The customer known by phone is registered by e-mail, as another lead; then the two are merged."""
        office, rep = self._office, self._owner(lead)
        if rep is None:
            return
        twin, email, phone = f"{lead.subject}-mail", lead.customer.email, lead.customer.phone
        data = {"keys": {"email": email}, "name": lead.customer.name, "channel": "site"}
        office.tell("lead.register", lead, rep.id, data, subject=twin, lag=DAY // 9)
        if self._chance.yes(0.6):
            data = {"keys": {"phone": phone, "email": email}, "name": lead.customer.name}
            office.tell("lead.register", lead, rep.id, data, subject=f"{lead.subject}-both")
        office.tell("lead.merge", lead, rep.id, {"into": lead.subject}, subject=twin)
        if self._chance.yes(0.12):
            office.besides(lead, self._part_twin, self._chance.between(1, 6) * DAY)

    def _part_twin(self, lead: Prospect) -> None:
        office, rep = self._office, self._owner(lead)
        if rep is None or lead.inherited:
            return
        twin = f"{lead.subject}-mail"
        office.tell("lead.unmerge", lead, rep.id, {}, subject=twin)
        office.tell("lead.disqualify", lead, rep.id, {"reason": "another company"}, subject=twin)

    def _register_again(self, lead: Prospect) -> None:
        rep = self._owner(lead)
        if rep is not None:
            self._register(lead, rep, f"{lead.subject}-dup")

    def _rival_registers(self, lead: Prospect) -> None:
        """Refused, as the customer is claimed; sometimes the head decides the conflict for the rival."""
        office, rep = self._office, self._owner(lead)
        rival = office.team.other_than(rep) if rep else None
        if rep is None or rival is None:
            return
        self._register(lead, rival, f"{lead.subject}-rival")
        if rep.head is not None and rival.branch == rep.branch and self._chance.yes(0.2):
            office.tell("lead.assign", lead, rep.head.id, {"rep": rival.id, "reason": "conflict"})
            office.heir_of(lead, rival)

    def _register(self, lead: Prospect, rep: Rep, subject: str) -> None:
        customer = lead.customer
        data = {
            "keys": {"phone": written(customer.phone, self._chance)},
            "name": customer.name,
            "channel": "cold-call",
        }
        self._office.tell("lead.register", lead, rep.id, data, subject=subject)

    def _encroach(self, lead: Prospect) -> None:
        rep = self._owner(lead)
        rival = self._office.team.other_than(rep) if rep else None
        if rival is not None and rival is not lead.partner:
            data = {"kind": "call", "direction": "out", "outcome": "knows them already"}
            self._office.tell("contact.record", lead, rival.id, data)

    def _meddle(self, lead: Prospect) -> None:
        """Somebody who isn't on the deal tries to move it, and is refused."""
        rep = self._owner(lead)
        rival = self._office.team.other_than(rep) if rep else None
        if rival is not None and rival is not lead.partner and lead.deal is not None and not lead.closed:
            data = {"stage": lead.pipeline.stages[-1]}
            self._office.tell("deal.move", lead, rival.id, data, subject=lead.deal)

    def _wrong_stage(self, lead: Prospect) -> None:
        """The owner names a stage of the system that was used before, and is refused."""
        rep = self._owner(lead)
        if rep is not None and lead.deal is not None and not lead.closed:
            self._office.tell("deal.move", lead, rep.id, {"stage": "in progress"}, subject=lead.deal)

    def _redistribute(self, lead: Prospect) -> None:
        office, rep = self._office, self._owner(lead)
        other = office.team.other_than(rep) if rep else None
        if rep is None or rep.head is None or other is None:
            return
        office.tell("lead.assign", lead, rep.head.id, {"rep": other.id, "reason": "distribution"})
        office.heir_of(lead, other)

    def _owner(self, lead: Prospect) -> Rep | None:
        """The owner, if the claim surely holds and the lead is still to be won."""
        if lead.owner is None or lead.bought or not lead.holds(self._office.today):
            return None
        return lead.owner
