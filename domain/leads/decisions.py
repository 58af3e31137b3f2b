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
from domain.leads.model import Claim, Lead
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
    """The lead itself; UnknownLead if it was never registered, LeadClosed if it has ended."""
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
        raise KeysOfTwoLeads(leads=sorted(lead.id for lead in leads))
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


def identified(lead: Lead) -> Lead:
    """The lead itself; LeadClosed if nobody knows any more who it is."""
    if lead.erased:
        raise LeadClosed(lead=lead.id, status="erased")
    return lead


def end_if_forgotten(lead: Lead) -> Sequence[LeadDisqualified]:
    """There is nobody to call about an erased lead. It ends as soon as nothing is on offer, or was sold."""
    forgotten = lead.erased and lead.status == "open" and not lead.open_deals
    return [LeadDisqualified(reason="erased")] if forgotten else []


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
    extends = protection_days is not None and lead.owner_at(now) is not None
    if not extends and work in ("contact", "stage_entered"):
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
    if lead.id == alive(into).id or (lead.status == "merged" and lead.points_to == into.id):
        return [], []
    alive(lead)
    owners = {owner for owner in (lead.owner_at(now), into.owner_at(now)) if owner is not None}
    own = owners == {actor.rep} or (actor.role == "service" and len(owners) < 2)
    if not (actor.role == "admin" or own or (owners and actor.rep in heads)):
        raise actor.refuse("merge the leads", f"they are {' and '.join(sorted(owners)) or 'nobody'}'s")
    kept = _kept(lead, into, now=now)
    absorbed = LeadAbsorbed(
        lead=lead.id,
        owner=kept.rep if kept else None,
        previous=into.owner_at(now),
        protection_days=kept.term.days if kept else into.protection_days,
        worked_at=kept.worked_at if kept else None,
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
    gone: AbstractSet[str] = frozenset(),
) -> tuple[Sequence[Event], Sequence[Event]]:
    """Undo a merge: events of `lead`, then of the one it was merged into. Each gets its owner back.

    The remaining lead stays with its present owner if they took it since. A claim comes back with what is
    left of its term, and not to a rep who is `gone` from the company. `deals` are the lead's own, which go
    back with it. Raises NotMerged; NotEntitled for all but the present owner, their `heads`, an admin and,
    where no lead goes to another rep by it, a service.
    """
    if known(lead).status != "merged" or lead.points_to != parted_from.id:
        raise NotMerged(lead=lead.id)
    present = parted_from.owner_at(now)
    actor.must_work_for(present, beside=heads, action="part the leads")
    own, left = _given_back(lead, parted_from, gone=gone, now=now)
    if actor.role == "service" and any(claim is not None and claim.rep != present for claim in (own, left)):
        raise actor.refuse("part the leads", "that changes whose they are: only a head or an admin may")
    unmerged = LeadUnmerged(
        parted_from=parted_from.id,
        owner=own.rep if own else None,
        protection_days=own.term.days if own else lead.protection_days,
        worked_at=own.worked_at if own else None,
        open_deals=tuple(sorted(parted_from.open_deals & deals)),
        won_deals=tuple(sorted(parted_from.won_deals & deals)),
    )
    parted = LeadParted(
        lead=lead.id,
        owner=left.rep if left else None,
        protection_days=left.term.days if left else parted_from.protection_days,
        worked_at=left.worked_at if left else None,
        deals=tuple(sorted((parted_from.open_deals | parted_from.won_deals) & deals)),
    )
    return [unmerged], [*lapse(parted_from, now=now), parted]


def _kept(lead: Lead, into: Lead, *, now: datetime) -> Claim | None:
    """The claim on two leads that are one. Work on either was work with this customer: the longest counts."""
    claims = [
        claim
        for one in sorted((lead, into), key=lambda one: one.registered_position)
        if (claim := one.claim_at(now)) is not None
    ]
    of_the_first = [claim for claim in claims if claim.rep == claims[0].rep]
    return max(of_the_first, key=lambda claim: claim.expires_at, default=None)


def _given_back(
    lead: Lead, parted_from: Lead, *, gone: AbstractSet[str], now: datetime
) -> tuple[Claim | None, Claim | None]:
    """The claims on two leads as they would stand now, had the merge not been."""
    merge = next(one for one in parted_from.absorbed if one.lead == lead.id)
    deciding = [one for one in parted_from.absorbed if one.holds]

    def standing(claim: Claim | None) -> Claim | None:
        claim = merge.alone(claim)
        return None if claim is None or claim.rep in gone or claim.expires_at <= now else claim

    if parted_from.status == "disqualified":
        return standing(lead.claim), None  # Its claim ended with it.
    left = standing(merge.before) if merge in deciding[-1:] else parted_from.claim_at(now)
    return standing(lead.claim), left
