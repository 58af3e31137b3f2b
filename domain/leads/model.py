"""What decisions know of a lead and of an identity key."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from domain.kernel import Decider, Event, Recorded
from domain.leads.events import (
    ClaimLapsed,
    KeyBound,
    KeysAdded,
    LeadAbsorbed,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadParted,
    LeadRegistered,
    LeadReleased,
    LeadUnmerged,
    LeadWorked,
    SubjectAliased,
)

PROTECTION_DAYS = 90

LeadStatus = Literal["unknown", "open", "won", "disqualified", "merged", "alias"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A rep's right to a lead. `term` is how long it holds since the lead was last worked, on recorded_at."""

    rep: str
    since: datetime
    worked_at: datetime
    term: timedelta

    @property
    def expires_at(self) -> datetime:
        return self.worked_at + self.term


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as its own stream tells it. `points_to` is the lead that an alias or a merged one means."""

    id: str
    status: LeadStatus = "unknown"
    registered_position: int = 0
    keys: tuple[tuple[str, str], ...] = ()
    claim: Claim | None = None
    points_to: str | None = None
    open_deals: frozenset[str] = frozenset()
    won_deals: frozenset[str] = frozenset()
    protection_days: int = PROTECTION_DAYS
    absorbed: tuple[tuple[str, str | None], ...] = ()

    def owner_at(self, moment: datetime) -> str | None:
        """Whose lead it is then. Past its term a claim is nobody's, whether the lapse was written or not."""
        if self.claim is None or self.claim.expires_at <= moment:
            return None
        return self.claim.rep

    @property
    def ended(self) -> bool:
        return self.status in ("disqualified", "merged")


def _claimed(lead: Lead, rep: str | None, days: int, fact: Recorded[Event]) -> Lead:
    if rep is None:
        return replace(lead, claim=None)
    return replace(lead, claim=Claim(rep, fact.recorded_at, fact.recorded_at, timedelta(days=days)))


def _worked(lead: Lead, worked: LeadWorked, fact: Recorded[Event]) -> Lead:
    if worked.protection_days is not None:
        claim = lead.claim
        if claim is not None:
            claim = replace(claim, worked_at=fact.recorded_at, term=timedelta(days=worked.protection_days))
        lead = replace(lead, claim=claim, protection_days=worked.protection_days)
    if worked.deal is None or worked.work in ("contact", "stage_entered"):
        return lead
    deal = frozenset((worked.deal,))
    open_deals, won_deals = lead.open_deals - deal, lead.won_deals - deal
    if worked.work in ("deal_opened", "deal_reopened"):
        open_deals |= deal
    elif worked.work == "deal_won":
        won_deals |= deal
    return _with_deals(lead, open_deals, won_deals)


def _with_deals(lead: Lead, open_deals: frozenset[str], won_deals: frozenset[str]) -> Lead:
    status = lead.status
    if status in ("open", "won"):
        status = "won" if won_deals and not open_deals else "open"
    return replace(lead, open_deals=open_deals, won_deals=won_deals, status=status)


def _evolve(lead: Lead, fact: Recorded[Event]) -> Lead:
    match fact.event:
        case LeadRegistered(keys=keys):
            return replace(lead, status="open", registered_position=fact.position, keys=tuple(keys.items()))
        case KeysAdded(keys=keys):
            return replace(lead, keys=lead.keys + tuple(keys.items()))
        case SubjectAliased(lead=target):
            return replace(lead, status="alias", points_to=target)
        case LeadClaimed(rep=rep, protection_days=days) | LeadAssigned(rep=rep, protection_days=days):
            return _claimed(lead, rep, days, fact)
        case LeadWorked() as worked:
            return _worked(lead, worked, fact)
        case ClaimLapsed() | LeadReleased():
            return replace(lead, claim=None)
        case LeadDisqualified():
            return replace(lead, status="disqualified", claim=None)
        case LeadMerged(into=into):
            return replace(lead, status="merged", points_to=into)
        case LeadUnmerged(owner=owner, protection_days=days) as unmerged:
            lead = replace(lead, status="open", points_to=None)
            lead = _with_deals(lead, frozenset(unmerged.open_deals), frozenset(unmerged.won_deals))
            return _claimed(lead, owner, days, fact)
        case LeadAbsorbed(lead=other, owner=owner, previous=previous, protection_days=days) as absorbed:
            lead = replace(lead, absorbed=(*lead.absorbed, (other, previous)))
            lead = _with_deals(
                lead,
                lead.open_deals | frozenset(absorbed.open_deals),
                lead.won_deals | frozenset(absorbed.won_deals),
            )
            return lead if owner == previous else _claimed(lead, owner, days, fact)
        case LeadParted(lead=other, owner=owner, protection_days=days, deals=deals):
            kept = lead.claim.rep if lead.claim else None
            lead = replace(lead, absorbed=tuple(pair for pair in lead.absorbed if pair[0] != other))
            lead = _with_deals(lead, lead.open_deals - set(deals), lead.won_deals - set(deals))
            return lead if owner == kept else _claimed(lead, owner, days, fact)
        case _:
            return lead


@dataclass(frozen=True, slots=True)
class Key:
    """Which lead an identity key points to, if any. One that ended leaves its keys free for a new one."""

    lead: str | None = None


def _evolve_key(key: Key, fact: Recorded[Event]) -> Key:
    match fact.event:
        case KeyBound(lead=lead):
            return Key(lead)
        case _:
            return key


LEAD = Decider[Lead](category="lead", initial=Lead, evolve=_evolve)
KEY = Decider[Key](category="key", initial=lambda _: Key(), evolve=_evolve_key)
