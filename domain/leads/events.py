"""Facts about leads: who came, whose right it is, and how that right changed hands."""

from datetime import datetime
from typing import Literal

from domain.kernel import Event
from domain.shared.personal import PersonalText

HandoverReason = Literal["departure", "conflict", "distribution", "merge"]
Work = Literal["contact", "deal_opened", "stage_entered", "deal_won", "deal_lost", "deal_reopened"]


class KeyBound(Event, stored_name="leads.KeyBound"):
    """An identity key points to a lead from now on. Lives in the key's own stream: one lead per key."""

    lead: str


class LeadRegistered(Event, stored_name="leads.LeadRegistered"):
    """A potential customer showed interest. `keys` maps kind to normalised value."""

    keys: dict[str, PersonalText]
    name: PersonalText | None = None
    channel: str | None = None
    campaign: str | None = None
    branch: str | None = None


class KeysAdded(Event, stored_name="leads.KeysAdded"):
    """The lead turned out to have further identity keys."""

    keys: dict[str, PersonalText]


class SubjectAliased(Event, stored_name="leads.SubjectAliased"):
    """The sender's new id means a lead that is already known. Lives in the new id's own stream."""

    lead: str


class LeadClaimed(Event, stored_name="leads.LeadClaimed"):
    """A rep took ownership; the claim lapses `protection_days` after recorded_at unless worked."""

    rep: str
    protection_days: int


class LeadWorked(Event, stored_name="leads.LeadWorked"):
    """The lead was worked. Where `protection_days` is set, the owner's term begins anew at recorded_at."""

    work: Work
    deal: str | None = None
    protection_days: int | None = None


class ClaimLapsed(Event, stored_name="leads.ClaimLapsed"):
    """The protection term passed without work: the lead is nobody's since `lapsed_at`."""

    rep: str
    lapsed_at: datetime


class LeadReleased(Event, stored_name="leads.LeadReleased"):
    """The lead went back to the pool."""

    rep: str
    reason: str


class LeadAssigned(Event, stored_name="leads.LeadAssigned"):
    """Someone entitled handed the lead over; `previous` is whose it was, None for the pool."""

    rep: str
    previous: str | None
    reason: HandoverReason
    protection_days: int


class LeadDisqualified(Event, stored_name="leads.LeadDisqualified"):
    """The lead ended: there is nobody to sell to."""

    reason: str


class LeadMerged(Event, stored_name="leads.LeadMerged"):
    """This lead is the same customer as `into`, which stands for both from now on."""

    into: str


class LeadAbsorbed(Event, stored_name="leads.LeadAbsorbed"):
    """This lead stands for `lead` too, with its deals. The right of the one registered first is kept.

    `owner` is the owner from now on, `previous` who it was before.
    """

    lead: str
    owner: str | None
    previous: str | None
    protection_days: int
    worked_at: datetime | None = None
    open_deals: tuple[str, ...] = ()
    won_deals: tuple[str, ...] = ()


class LeadUnmerged(Event, stored_name="leads.LeadUnmerged"):
    """The merge was a mistake: this lead stands for itself again, with its deals."""

    parted_from: str
    owner: str | None
    protection_days: int
    worked_at: datetime | None = None
    open_deals: tuple[str, ...] = ()
    won_deals: tuple[str, ...] = ()


class LeadParted(Event, stored_name="leads.LeadParted"):
    """`lead` was merged into this one by mistake; this one is owned by `owner` again.

    `deals` are those that went back with `lead`.
    """

    lead: str
    owner: str | None
    protection_days: int
    worked_at: datetime | None = None
    deals: tuple[str, ...] = ()


class ClaimRefused(Event, stored_name="leads.ClaimRefused"):
    """Someone else tried to get this lead and was refused; kept so that a dispute can be settled.

    `subject` is the sender's id that the attempt came under, `since` when `owner` got the lead.
    """

    rep: str | None
    subject: str
    owner: str
    since: datetime
