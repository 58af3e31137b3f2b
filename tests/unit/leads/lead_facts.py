"""Facts about leads that the tests begin with: Ann is the rep, Bob another one, Carl the head of both."""

from datetime import timedelta

from scenario import NOON, At, Scenario

from domain.kernel import Event
from domain.leads.events import LeadClaimed, LeadRegistered
from domain.leads.model import LEAD, Lead
from domain.shared.actors import Actor

DAY = timedelta(days=1)
TERM = 90 * DAY
LAPSE = NOON + TERM
"""The moment at which a claim made at NOON is nobody's any more."""
MOMENT = timedelta(microseconds=1)

ANN, BOB, CARL = Actor.of("ann"), Actor.of("bob"), Actor.of("carl")
ADMIN, SERVICE, PAYROLL = Actor.of("admin:eve"), Actor.of("service:crm"), Actor.of("payroll:pam")
CARLS_TEAM = frozenset({"carl"})
NOBODY: frozenset[str] = frozenset()

REGISTERED = LeadRegistered(keys={"phone": "+79161234567"})
ANNS_CLAIM = LeadClaimed(rep="ann", protection_days=90)
BOBS_CLAIM = LeadClaimed(rep="bob", protection_days=90)


def lead(name: str, *events: Event | At) -> Lead:
    """A lead as these facts make it."""
    return Scenario(LEAD, name).given(*events).state
