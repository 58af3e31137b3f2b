"""Leads that are nobody's, until a rep whose next steps are in order gets them."""

from adapters.demo.catalogue import RELEASED
from adapters.demo.office import Office
from adapters.demo.people import Prospect
from adapters.demo.selling import Selling
from adapters.demo.working_time import DAY, HOUR

_OFFERS_MAX = 8
_CANDIDATES = 5


class Pool:
    """Offers, claims and refusals of pool leads."""

    def __init__(self, office: Office, selling: Selling) -> None:
        self._office = office
        self._selling = selling

    def put(self, lead: Prospect) -> None:
        """The lead is nobody's now; it is offered soon."""
        self._office.heir_of(lead, None)
        lead.tries = 0
        self._office.next_visit(lead, self._offer, self._office.chance.between(HOUR, 2 * DAY))

    def give_back(self, lead: Prospect) -> None:
        """The owner releases the lead, after cancelling what was planned."""
        office, rep = self._office, lead.owner
        if rep is None or not rep.active or lead.deal is not None or not lead.holds(office.today):
            return
        if lead.task is not None:
            office.tell("task.cancel", lead, rep.id, {"task": lead.task, "reason": "handed back"})
            lead.fulfil()
        office.tell("lead.release", lead, rep.id, {"reason": office.chance.pick(RELEASED)})
        self.put(lead)

    def _offer(self, lead: Prospect) -> None:
        """Whoever is in order gets it; who is behind with their own leads is refused."""
        office, branch = self._office, lead.customer.country.branch
        lead.tries += 1
        candidates = [office.team.one_of(branch) for _ in range(_CANDIDATES)]
        eager = candidates.pop()
        if office.chance.yes(0.25) and eager.surely_behind(office.now, office.today):
            office.tell("lead.claim", lead, eager.id, {})
        for rep in candidates:
            if rep.in_order(office.now, office.today):
                if office.chance.yes(0.4):
                    data = {"rep": rep.id, "reason": "distribution"}
                    office.tell("lead.assign", lead, "service:router", data)
                else:
                    office.tell("lead.claim", lead, rep.id, {})
                office.heir_of(lead, rep)
                lead.inherited = False
                lead.tries = 0
                return self._selling.begin(lead)
        if lead.tries < _OFFERS_MAX:
            office.next_visit(lead, self._offer, office.chance.between(DAY // 2, 4 * DAY))
        return None
