"""What decisions know of a lead and of an identity key."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from domain.kernel import Decider, Event, Recorded
from domain.leads.events import (
    ClaimLapsed,
    KeyBound,
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
from domain.shared.personal import PersonalDataErased

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
class Spell:
    """Work without a lapse between: begun then, done last at `worked_at`, good for `term` from there."""

    begun_at: datetime
    worked_at: datetime
    term: timedelta

    def then(self, now: datetime, term: timedelta) -> "Spell":
        """The spell with one more piece of work, unless that came when the spell was over."""
        return self if self.worked_at + self.term <= now else Spell(self.begun_at, now, term)


@dataclass(frozen=True, slots=True)
class Absorbed:
    """A lead that was merged into this one, and the claim there was on this one `before`.

    `holds` while that merge is why the present claim is what it is; once somebody takes this lead it isn't,
    and undoing the merge gives nothing back. `work` is what was done first while the two were one, and who
    `gave_up` then gave up both.
    """

    lead: str
    before: Claim | None
    holds: bool
    work: Spell | None = None
    gave_up: frozenset[str] = frozenset()

    def worked(self, now: datetime, term: timedelta) -> "Absorbed":
        return replace(self, work=self.work.then(now, term) if self.work else Spell(now, now, term))

    def alone(self, claim: Claim | None) -> Claim | None:
        """A claim from before the merge on a lead that is alone again: work on both was work on each."""
        if claim is None or claim.rep in self.gave_up:
            return None
        if self.work is None or claim.expires_at <= self.work.begun_at:
            return claim
        return replace(claim, worked_at=self.work.worked_at, term=self.work.term)


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as its own stream tells it. `points_to` is the lead that an alias or a merged one means.

    Of one that was `erased` nobody knows who it is: its keys are free.
    """

    id: str
    status: LeadStatus = "unknown"
    registered_position: int = 0
    claim: Claim | None = None
    points_to: str | None = None
    open_deals: frozenset[str] = frozenset()
    won_deals: frozenset[str] = frozenset()
    protection_days: int = PROTECTION_DAYS
    absorbed: tuple[Absorbed, ...] = ()
    erased: bool = False

    def claim_at(self, moment: datetime) -> Claim | None:
        """The claim that holds then. Past its term it is nobody's, whether the lapse was written or not."""
        return None if self.claim is None or self.claim.expires_at <= moment else self.claim

    def owner_at(self, moment: datetime) -> str | None:
        """Whose lead it is then."""
        claim = self.claim_at(moment)
        return None if claim is None else claim.rep

    @property
    def claimants(self) -> frozenset[str]:
        """Whose the lead is, or may be again when merges are undone."""
        claims = (self.claim, *(one.before for one in self.absorbed))
        return frozenset(claim.rep for claim in claims if claim is not None)

    @property
    def ended(self) -> bool:
        return self.status in ("disqualified", "merged")


def _taken(lead: Lead, rep: str, days: int, fact: Recorded[Event]) -> Lead:
    claim = Claim(rep, fact.recorded_at, fact.recorded_at, timedelta(days=days))
    return replace(lead, claim=claim, absorbed=tuple(replace(one, holds=False) for one in lead.absorbed))


def _given(lead: Lead, fact: Recorded[Event], given: LeadAbsorbed | LeadParted | LeadUnmerged) -> Lead:
    """By a merge or its undoing: the term goes on from the last work, and one's own lead stays since when."""
    if given.owner is None:
        return replace(lead, claim=None)
    mine = lead.claim if lead.claim is not None and lead.claim.rep == given.owner else None
    since = mine.since if mine is not None else fact.recorded_at
    worked_at = given.worked_at or fact.recorded_at
    return replace(lead, claim=Claim(given.owner, since, worked_at, timedelta(days=given.protection_days)))


def _without(absorbed: tuple[Absorbed, ...], lead: str) -> tuple[Absorbed, ...]:
    """What an undone merge displaced is what the next one displaced, had the undone one never been."""
    left: list[Absorbed] = []
    undone: Absorbed | None = None
    for one in absorbed:
        if one.lead == lead:
            undone = one
        elif undone is not None and undone.holds and one.holds:
            left.append(replace(one, before=undone.alone(undone.before)))
            undone = None
        else:
            left.append(one)
    return tuple(left)


def _worked(lead: Lead, worked: LeadWorked, fact: Recorded[Event]) -> Lead:
    if worked.protection_days is not None:
        claim = lead.claim
        if claim is not None:
            now, term = fact.recorded_at, timedelta(days=worked.protection_days)
            absorbed = tuple(one.worked(now, term) for one in lead.absorbed)
            lead = replace(lead, claim=replace(claim, worked_at=now, term=term), absorbed=absorbed)
        lead = replace(lead, protection_days=worked.protection_days)
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
        case LeadRegistered():
            return replace(lead, status="open", registered_position=fact.position)
        case PersonalDataErased():
            return replace(lead, erased=True)
        case SubjectAliased(lead=target):
            return replace(lead, status="alias", points_to=target)
        case LeadClaimed(rep=rep, protection_days=days) | LeadAssigned(rep=rep, protection_days=days):
            return _taken(lead, rep, days, fact)
        case LeadWorked() as worked:
            return _worked(lead, worked, fact)
        case ClaimLapsed():
            return replace(lead, claim=None)
        case LeadReleased(rep=rep):
            absorbed = tuple(replace(one, gave_up=one.gave_up | {rep}) for one in lead.absorbed)
            return replace(lead, claim=None, absorbed=absorbed)
        case LeadDisqualified():
            return replace(lead, status="disqualified", claim=None)
        case LeadMerged(into=into):
            return replace(lead, status="merged", points_to=into)
        case LeadUnmerged() as unmerged:
            lead = replace(lead, status="open", points_to=None)
            lead = _with_deals(lead, frozenset(unmerged.open_deals), frozenset(unmerged.won_deals))
            return _given(lead, fact, unmerged)
        case LeadAbsorbed(lead=other) as taken_in:
            before, lead = lead.claim, _given(lead, fact, taken_in)
            brought = Absorbed(other, before, holds=lead.claim != before)
            return _with_deals(
                replace(lead, absorbed=(*lead.absorbed, brought)),
                lead.open_deals | frozenset(taken_in.open_deals),
                lead.won_deals | frozenset(taken_in.won_deals),
            )
        case LeadParted(lead=other, deals=deals) as parted:
            lead = replace(lead, absorbed=_without(lead.absorbed, other))
            lead = _with_deals(lead, lead.open_deals - set(deals), lead.won_deals - set(deals))
            return _given(lead, fact, parted)
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
