"""Whose is every lead, since when and by which event; who was refused it; which lead stands for which?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from domain.kernel import Event, Recorded
from domain.leads.events import (
    ClaimLapsed,
    ClaimRefused,
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
from domain.shared.personal import ERASED, PersonalDataErased
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class LeadRow(Row):
    """A lead as it stands: open, won, disqualified or merged.

    `owner` holds until `expires_at` only; with neither, nobody owns it since `since`. `worked_position` is
    the event from which the claim's term runs. `since` and `expires_at` are on recorded_at.
    """

    table: ClassVar[str] = "lead"
    key: ClassVar[tuple[str, ...]] = ("lead",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("owner",),)
    personal: ClassVar[tuple[str, ...]] = ("name",)

    lead: str
    status: str
    name: str | None
    channel: str | None
    campaign: str | None
    branch: str | None
    registered_at: datetime
    registered_recorded_at: datetime
    registered_position: int
    open_since: datetime
    since: datetime
    by_position: int
    owner: str | None = None
    expires_at: datetime | None = None
    worked_position: int | None = None
    open_deals: tuple[str, ...] = ()
    won_deals: tuple[str, ...] = ()


@dataclass(slots=True)
class Ownership(Row):
    """One change of hands: `owner` (None: nobody) since `since`, until the next row of the lead."""

    table: ClassVar[str] = "ownership"
    key: ClassVar[tuple[str, ...]] = ("lead", "position")
    written_once: ClassVar[bool] = True

    lead: str
    position: int
    owner: str | None
    since: datetime
    event: str
    reason: str | None
    actor: str


@dataclass(slots=True)
class LeadPointer(Row):
    """An alias or a merged lead, and the lead that it means (which may be merged itself)."""

    table: ClassVar[str] = "lead_pointer"
    key: ClassVar[tuple[str, ...]] = ("lead",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("points_to",),)

    lead: str
    points_to: str


@dataclass(slots=True)
class Refusal(Row):
    """Someone tried to get a lead that was another's, and was refused."""

    table: ClassVar[str] = "refusal"
    key: ClassVar[tuple[str, ...]] = ("lead", "position")
    written_once: ClassVar[bool] = True

    lead: str
    position: int
    rep: str | None
    subject: str
    owner: str
    since: datetime
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class Leads(Projection):
    """Whose is every lead, and since when? Agrees with what decisions know (`domain.leads.model`)."""

    name = "leads"
    category = "lead"
    rows = (LeadRow, Ownership, LeadPointer, Refusal)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case LeadWorked() as worked:
                _work(worked, fact, rows)
            case SubjectAliased(lead=target):
                rows.put(LeadPointer(fact.entity, target))
            case ClaimRefused() as refused:
                rows.put(_refusal(refused, fact))
            case LeadRegistered() as registered:
                rows.put(_registered(registered, fact))
                rows.put(_changed_hands(fact, owner=None))
            case LeadClaimed(rep=rep, protection_days=days):
                _take(rep, days, fact, rows)
            case LeadAssigned(rep=rep, protection_days=days, reason=reason):
                _take(rep, days, fact, rows, reason)
            case ClaimLapsed(lapsed_at=lapsed_at):
                _free(fact, rows, since=lapsed_at)
            case LeadReleased(reason=reason):
                _free(fact, rows, reason)
            case LeadDisqualified(reason=reason):
                _free(fact, rows, reason)
                rows.change(LeadRow, fact.entity, status="disqualified")
            case PersonalDataErased():
                if rows.get(LeadRow, fact.entity).name is not None:
                    rows.change(LeadRow, fact.entity, name=ERASED)
            case LeadMerged(into=into):
                rows.change(LeadRow, fact.entity, status="merged")
                rows.put(LeadPointer(fact.entity, into))
                rows.put(_changed_hands(fact, owner=None, reason=f"merged into {into}"))
            case LeadAbsorbed() | LeadParted() | LeadUnmerged() as given:
                _merge(given, fact, rows)


def _registered(registered: LeadRegistered, fact: Recorded[Event]) -> LeadRow:
    return LeadRow(
        lead=fact.entity,
        status="open",
        name=registered.name,
        channel=registered.channel,
        campaign=registered.campaign,
        branch=registered.branch,
        registered_at=fact.occurred_at,
        registered_recorded_at=fact.recorded_at,
        registered_position=fact.position,
        open_since=fact.occurred_at,
        since=fact.recorded_at,
        by_position=fact.position,
    )


def _refusal(refused: ClaimRefused, fact: Recorded[Event]) -> Refusal:
    return Refusal(
        lead=fact.entity,
        position=fact.position,
        rep=refused.rep,
        subject=refused.subject,
        owner=refused.owner,
        since=refused.since,
        actor=fact.actor,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
    )


def _take(rep: str, days: int, fact: Recorded[Event], rows: Rows, reason: str | None = None) -> None:
    rows.change(
        LeadRow,
        fact.entity,
        owner=rep,
        since=fact.recorded_at,
        by_position=fact.position,
        expires_at=fact.recorded_at + timedelta(days=days),
        worked_position=fact.position,
    )
    rows.put(_changed_hands(fact, owner=rep, reason=reason))


def _merge(given: LeadAbsorbed | LeadParted | LeadUnmerged, fact: Recorded[Event], rows: Rows) -> None:
    lead = rows.get(LeadRow, fact.entity)
    match given:
        case LeadAbsorbed(open_deals=open_deals, won_deals=won_deals):
            _set_deals({*lead.open_deals, *open_deals}, {*lead.won_deals, *won_deals}, fact, rows)
            _give(given, f"merged with {given.lead}", fact, rows)
        case LeadParted(deals=deals):
            _set_deals(set(lead.open_deals) - set(deals), set(lead.won_deals) - set(deals), fact, rows)
            _give(given, f"parted from {given.lead}", fact, rows)
        case LeadUnmerged(open_deals=open_deals, won_deals=won_deals):
            rows.delete(LeadPointer, fact.entity)
            rows.change(LeadRow, fact.entity, status="won")  # Anew open, unless its deals say won.
            _set_deals(set(open_deals), set(won_deals), fact, rows)
            _give(given, f"parted from {given.parted_from}", fact, rows)


def _give(
    given: LeadAbsorbed | LeadParted | LeadUnmerged, reason: str, fact: Recorded[Event], rows: Rows
) -> None:
    """By a merge or its undoing: the term goes on from the last work, and one's own lead stays since when."""
    lead = rows.get(LeadRow, fact.entity)
    if lead.owner != given.owner:
        rows.change(
            LeadRow, fact.entity, owner=given.owner, since=fact.recorded_at, by_position=fact.position
        )
        rows.put(_changed_hands(fact, owner=given.owner, reason=reason))
    elif isinstance(given, LeadUnmerged):
        rows.put(_changed_hands(fact, owner=given.owner, reason=reason))
    owned, worked_at = given.owner is not None, given.worked_at or fact.recorded_at
    rows.change(
        LeadRow,
        fact.entity,
        expires_at=worked_at + timedelta(days=given.protection_days) if owned else None,
        worked_position=fact.position if owned else None,
    )


def _free(
    fact: Recorded[Event], rows: Rows, reason: str | None = None, since: datetime | None = None
) -> None:
    if rows.get(LeadRow, fact.entity).owner is None:
        return
    rows.change(
        LeadRow,
        fact.entity,
        owner=None,
        since=since or fact.recorded_at,
        by_position=fact.position,
        expires_at=None,
        worked_position=None,
    )
    rows.put(_changed_hands(fact, owner=None, reason=reason, since=since))


def _changed_hands(
    fact: Recorded[Event], *, owner: str | None, reason: str | None = None, since: datetime | None = None
) -> Ownership:
    return Ownership(
        lead=fact.entity,
        position=fact.position,
        owner=owner,
        since=since or fact.recorded_at,
        event=fact.event.stored_name,
        reason=reason,
        actor=fact.actor,
    )


def _work(worked: LeadWorked, fact: Recorded[Event], rows: Rows) -> None:
    lead = rows.get(LeadRow, fact.entity)
    if worked.protection_days is not None and lead.owner is not None:
        expires_at = fact.recorded_at + timedelta(days=worked.protection_days)
        rows.change(LeadRow, fact.entity, expires_at=expires_at, worked_position=fact.position)
    if worked.deal is None or worked.work in ("contact", "stage_entered"):
        return
    open_deals, won_deals = set(lead.open_deals) - {worked.deal}, set(lead.won_deals) - {worked.deal}
    if worked.work in ("deal_opened", "deal_reopened"):
        open_deals.add(worked.deal)
    elif worked.work == "deal_won":
        won_deals.add(worked.deal)
    _set_deals(open_deals, won_deals, fact, rows)


def _set_deals(open_deals: set[str], won_deals: set[str], fact: Recorded[Event], rows: Rows) -> None:
    """Won while something was sold and nothing is on offer; else open, anew from now if it wasn't."""
    lead = rows.change(
        LeadRow,
        fact.entity,
        open_deals=tuple(sorted(open_deals)),
        won_deals=tuple(sorted(won_deals)),
    )
    if lead.status not in ("open", "won"):
        return
    if won_deals and not open_deals:
        rows.change(LeadRow, fact.entity, status="won")
    elif lead.status == "won":
        rows.change(LeadRow, fact.entity, status="open", open_since=fact.occurred_at)
