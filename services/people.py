"""Forgetting who somebody was. What happened stays in the log, and so does its proof."""

from collections.abc import Iterator

from domain.deals.model import DEAL
from domain.leads import decisions as leads
from domain.leads.model import LEAD, Lead
from domain.shared.personal import PersonalDataErased
from domain.team import decisions as team
from domain.team.model import REP
from services.desk import Desk
from services.payloads import Erase
from services.ports import Claims


class People:
    """One method per kind of person. `claims` knows which deals there were."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def erase_lead(self, desk: Desk, data: Erase) -> None:
        """Forget who a lead is, with all that were merged into it, and all their deals."""
        desk.actor.must_be_admin("erase a person")
        lead = desk.resolve(desk.subject)
        family = [lead, *_merged_into(desk, lead)]
        for one in family:
            desk.record(LEAD.stream(one.id), [PersonalDataErased(reason=data.reason)])
            desk.record(LEAD.stream(one.id), leads.end_if_forgotten(desk.state(LEAD, one.id)))
            desk.erase(LEAD.stream(one.id))
        for deal in self._claims.deals_with([one.id for one in family]):
            desk.record(DEAL.stream(deal), [PersonalDataErased(reason=data.reason)])

    def erase_rep(self, desk: Desk, data: Erase) -> None:
        """Forget the name of a rep who left."""
        desk.actor.must_be_admin("erase a person")
        desk.record(REP.stream(desk.subject), team.erase(desk.state(REP, desk.subject), reason=data.reason))
        desk.erase(REP.stream(desk.subject))


def _merged_into(desk: Desk, lead: Lead) -> Iterator[Lead]:
    for absorbed in lead.absorbed:
        member = desk.state(LEAD, absorbed.lead)
        yield member
        yield from _merged_into(desk, member)
