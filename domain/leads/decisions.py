"""What may be done with a lead, and what follows from it."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import get_args

from domain.kernel import Event, Rejected
from domain.leads.events import (
    ClaimLapsed,
    HandoverReason,
    LeadAbsorbed,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadParted,
    LeadReleased,
    LeadUnmerged,
    LeadWorked,
    Work,
)
from domain.leads.model import Lead
from domain.shared.actors import Actor
from domain.shared.rejections import InvalidData, LeadClosed, UnknownLead


class LeadAlreadyClaimed(Rejected):
    """The lead {lead} is {owner}'s since {since}."""

    code = "lead_already_claimed"


class KeysOfTwoLeads(Rejected):
    """These keys belong to different leads: {leads}. Merge them first (lead.merge)."""

    code = "keys_of_two_leads"


class NextStepsNeglected(Rejected):
    """{rep} gets no lead from the pool: {overdue} overdue and {missing} missing next steps come first."""

    code = "next_steps_neglected"


class NotMerged(Rejected):
    """The lead {lead} isn't merged into another one."""

    code = "not_merged"


def known(lead: Lead) -> Lead:
    """The lead itself; UnknownLead if it was never registered."""
    if lead.status == "unknown":
        raise UnknownLead(lead=lead.id)
    return lead


def alive(lead: Lead) -> Lead:
    """The lead itself; UnknownLead if it was never registered, LeadClosed if it was disqualified."""
    if known(lead).ended:
        raise LeadClosed(lead=lead.id, status=lead.status)
    return lead


def lapse(lead: Lead, *, now: datetime) -> Sequence[ClaimLapsed]:
    """Write down that the claim's term has passed, if it has."""
    if lead.claim is None or lead.claim.expires_at > now:
        return []
    return [ClaimLapsed(rep=lead.claim.rep, lapsed_at=lead.claim.expires_at)]


def recognise(leads: Sequence[Lead], *, rep: str | None, now: datetime) -> Lead | None:
    """Which lead a registration is about, given the living leads that its keys and subject point to.

    None if it is a new one. Raises LeadAlreadyClaimed if any of them is somebody else's, KeysOfTwoLeads if
    there are several.
    """
    for lead in leads:
        refuse_if_claimed(lead, rep=rep, now=now)
    if len(leads) > 1:
        raise KeysOfTwoLeads(leads=" and ".join(sorted(lead.id for lead in leads)))
    return leads[0] if leads else None


def refuse_if_claimed(lead: Lead, *, rep: str | None, now: datetime) -> None:
    """Raises LeadAlreadyClaimed if the lead is somebody's other than the rep's."""
    owner = lead.owner_at(now)
    if owner is not None and owner != rep and lead.claim is not None:
        raise LeadAlreadyClaimed(lead=lead.id, owner=owner, since=lead.claim.since)


def claim(lead: Lead, *, rep: str, now: datetime) -> Sequence[Event]:
    """A rep takes ownership of a free lead. Raises LeadAlreadyClaimed, LeadClosed or UnknownLead."""
    refuse_if_claimed(alive(lead), rep=rep, now=now)
    if lead.owner_at(now) == rep:
        return []  # Already theirs: repeating an action must be harmless.
    return [*lapse(lead, now=now), LeadClaimed(rep=rep, protection_days=lead.protection_days)]


def release(
    lead: Lead, *, reason: str, actor: Actor, heads: AbstractSet[str], now: datetime
) -> Sequence[Event]:
    """The owner gives the lead back to the pool. `heads` are the reps above the owner."""
    owner = alive(lead).owner_at(now)
    if owner is None:
        return lapse(lead, now=now)
    actor.must_work_for(owner, beside=heads, action="release the lead")
    return [LeadReleased(rep=owner, reason=reason)]


def disqualify(
    lead: Lead, *, reason: str, actor: Actor, heads: AbstractSet[str], now: datetime
) -> Sequence[Event]:
    """The lead ends. `heads` are the reps above the owner."""
    if lead.status == "disqualified":
        return []
    actor.must_work_for(alive(lead).owner_at(now), beside=heads, action="disqualify the lead")
    return [*lapse(lead, now=now), LeadDisqualified(reason=reason)]


def assign(
    lead: Lead, *, rep: str, reason: str, actor: Actor, heads: AbstractSet[str], now: datetime
) -> Sequence[Event]:
    """Hand a lead over. An owned one only by a head above its owner (`heads`) or an admin, with a reason.

    A pool lead may also be handed out by a service or by a head above `rep` (whom `heads` then name).
    Raises NotEntitled, InvalidData for a reason that isn't one, LeadClosed or UnknownLead.
    """
    reasons = get_args(HandoverReason)
    if reason not in reasons:
        raise InvalidData(field="reason", problem=f"{reason!r} is none of {', '.join(reasons)}")
    owner = alive(lead).owner_at(now)
    if owner == rep:
        return []  # The date of the claim must not be reset by assigning anew.
    if not (actor.role == "admin" or actor.rep in heads or (actor.role == "service" and owner is None)):
        whose = f"only a head above {owner} or an admin may" if owner else f"only a head above {rep} may"
        raise actor.refuse("hand over the lead", whose)
    assigned = LeadAssigned(
        rep=rep,
        previous=owner,
        reason=reason,  # type: ignore[arg-type]  # checked above
        protection_days=lead.protection_days,
    )
    return [*lapse(lead, now=now), assigned]


def depart(lead: Lead, *, successor: str | None, now: datetime) -> Sequence[Event]:
    """The owner left the company: the lead goes to the successor, or to the pool."""
    lapsed, owner = lapse(lead, now=now), lead.owner_at(now)
    if lapsed or owner is None:
        return lapsed
    if successor is None:
        return [LeadReleased(rep=owner, reason="departure")]
    return [
        LeadAssigned(rep=successor, previous=owner, reason="departure", protection_days=lead.protection_days)
    ]


def hand_out(*, rep: str, overdue: int, missing: int) -> None:
    """Pool leads are a privilege. Raises NextStepsNeglected where own next steps are not in order."""
    if overdue or missing:
        raise NextStepsNeglected(rep=rep, overdue=overdue, missing=missing)


def work(
    lead: Lead, work: Work, *, deal: str | None = None, protection_days: int | None = None, now: datetime
) -> Sequence[Event]:
    """The lead was worked: with `protection_days` the owner's term begins anew, without it stays as it is.

    A contact or a move that extends nobody's claim leaves no trace on the lead: it is kept where it happened.
    """
    lapsed = lapse(lead, now=now)
    if protection_days is not None and lead.owner_at(now) is None and work in ("contact", "stage_entered"):
        return lapsed
    return [*lapsed, LeadWorked(work=work, deal=deal, protection_days=protection_days)]


def merge(
    lead: Lead, into: Lead, *, actor: Actor, heads: AbstractSet[str], now: datetime
) -> tuple[Sequence[Event], Sequence[Event]]:
    """Two leads are one customer: events of `lead`, then of `into`, which stands for both from now on.

    The right of the one registered first (by position) is kept; a lead that nobody owns has no right to keep.
    `heads` are the reps above both owners. Raises NotEntitled where the leads are different reps' and the
    actor is neither a head of both nor an admin.
    """
    alive(lead), alive(into)
    if lead.id == into.id:
        return [], []
    owners = {owner for owner in (lead.owner_at(now), into.owner_at(now)) if owner is not None}
    own = owners == {actor.rep} or (actor.role == "service" and len(owners) < 2)
    if not (actor.role == "admin" or own or (owners and actor.rep in heads)):
        raise actor.refuse("merge the leads", f"they are {' and '.join(sorted(owners)) or 'nobody'}'s")
    first, second = sorted((lead, into), key=lambda one: one.registered_position)
    keeper = first if first.owner_at(now) is not None else second
    absorbed = LeadAbsorbed(
        lead=lead.id,
        owner=keeper.owner_at(now),
        previous=into.owner_at(now),
        protection_days=keeper.protection_days,
        open_deals=tuple(sorted(lead.open_deals)),
        won_deals=tuple(sorted(lead.won_deals)),
    )
    return (
        [*lapse(lead, now=now), LeadMerged(into=into.id)],
        [*lapse(into, now=now), absorbed],
    )


def unmerge(
    lead: Lead,
    parted_from: Lead,
    *,
    deals: AbstractSet[str] = frozenset(),
    actor: Actor,
    heads: AbstractSet[str],
    now: datetime,
) -> tuple[Sequence[Event], Sequence[Event]]:
    """Undo a merge: events of `lead`, then of the one it was merged into. Each gets its owner back.

    The remaining lead keeps its present owner if it changed hands since. `deals` are the lead's own, which
    go back with it. Raises NotMerged, NotEntitled.
    """
    if known(lead).status != "merged":
        raise NotMerged(lead=lead.id)
    own = lead.claim.rep if lead.claim else None
    present = parted_from.owner_at(now)
    before = dict(parted_from.absorbed).get(lead.id)
    actor.must_work_for(present, beside=heads, action="part the leads")
    brought = present is not None and present == own and before != own
    unmerged = LeadUnmerged(
        parted_from=parted_from.id,
        owner=own,
        protection_days=lead.protection_days,
        open_deals=tuple(sorted(parted_from.open_deals & deals)),
        won_deals=tuple(sorted(parted_from.won_deals & deals)),
    )
    parted = LeadParted(
        lead=lead.id,
        owner=before if brought else present,
        protection_days=parted_from.protection_days,
        deals=tuple(sorted((parted_from.open_deals | parted_from.won_deals) & deals)),
    )
    return [unmerged], [*lapse(parted_from, now=now), parted]
