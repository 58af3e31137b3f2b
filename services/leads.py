"""Registering leads and what becomes of the right to them."""

from collections.abc import Sequence

from domain.leads import decisions
from domain.leads.decisions import LeadAlreadyClaimed
from domain.leads.events import ClaimRefused, KeyBound, KeysAdded, LeadClaimed, LeadRegistered, SubjectAliased
from domain.leads.model import LEAD, Key, Lead
from domain.shared.keys import IdentityKey, normalise
from domain.shared.rejections import InvalidData
from services.desk import Desk
from services.duties import Duties
from services.payloads import AssignLead, Because, DepartLead, MergeLead, NoData, RegisterLead, UnmergeLead

Bound = Sequence[tuple[IdentityKey, str, Key]]


class Leads:
    """One method per intention. `duties` says whether a rep's own next steps are in order."""

    def __init__(self, duties: Duties) -> None:
        self._duties = duties

    def register(self, desk: Desk, data: RegisterLead) -> None:
        """A lead with its keys comes in, or comes again."""
        owner = self._registering_for(desk, data)
        keys = [(key, *desk.key(key)) for key in normalise(data.keys.given(), source=desk.action.source)]
        lead = self._recognise(desk, keys, owner)
        if lead is None:
            lead_id = desk.subject
            registered = LeadRegistered(
                keys={key.kind: key.value for key, _, _ in keys},
                **data.model_dump(include={"name", "channel", "campaign", "branch"}),
            )
            desk.record(LEAD.stream(lead_id), [registered])
            if owner is not None:
                days = desk.state(LEAD, lead_id).protection_days
                desk.record(LEAD.stream(lead_id), [LeadClaimed(rep=owner, protection_days=days)])
            added = keys
        else:
            lead_id = lead.id
            if owner is not None:
                desk.record(LEAD.stream(lead_id), decisions.claim(lead, rep=owner, now=desk.now))
            if desk.state(LEAD, desk.subject).status == "unknown":
                desk.record(LEAD.stream(desk.subject), [SubjectAliased(lead=lead_id)])
            added = [known for known in keys if not self._points_to(desk, known[2], lead_id)]
            if added:
                new = KeysAdded(keys={key.kind: key.value for key, _, _ in added})
                desk.record(LEAD.stream(lead_id), [new])
        for _, stream, _ in added:
            desk.record(stream, [KeyBound(lead=lead_id)])

    def claim(self, desk: Desk, data: NoData) -> None:
        """A rep takes a lead out of the pool."""
        rep = desk.actor.rep
        if rep is None:
            raise InvalidData(
                field="actor", problem="only a rep can claim a lead; to give it to one use lead.assign"
            )
        lead = desk.resolve(desk.subject)
        try:
            events = decisions.claim(lead, rep=rep, now=desk.now)
        except LeadAlreadyClaimed as refusal:
            self._keep_attempt(desk, refusal, rep)
            raise
        if events:
            self._hand_out(desk, rep)
        desk.record(LEAD.stream(lead.id), events)

    def assign(self, desk: Desk, data: AssignLead) -> None:
        """Someone entitled hands a lead over, or hands one out from the pool."""
        lead, rep = desk.resolve(desk.subject), desk.rep(data.rep).id
        owner = desk.owner_of(lead)
        events = decisions.assign(
            lead,
            rep=rep,
            reason=data.reason,
            actor=desk.actor,
            heads=desk.heads(owner or rep),
            now=desk.now,
        )
        if events and owner is None:
            self._hand_out(desk, rep)
        desk.record(LEAD.stream(lead.id), events)

    def release(self, desk: Desk, data: Because) -> None:
        """An owned lead goes back to the pool."""
        lead = desk.resolve(desk.subject)
        heads = desk.heads(desk.owner_of(lead))
        desk.record(
            LEAD.stream(lead.id),
            decisions.release(lead, reason=data.reason, actor=desk.actor, heads=heads, now=desk.now),
        )

    def disqualify(self, desk: Desk, data: Because) -> None:
        """There is nobody to sell to."""
        lead = desk.resolve(desk.subject)
        heads = desk.heads(desk.owner_of(lead))
        desk.record(
            LEAD.stream(lead.id),
            decisions.disqualify(lead, reason=data.reason, actor=desk.actor, heads=heads, now=desk.now),
        )

    def merge(self, desk: Desk, data: MergeLead) -> None:
        """Two leads turn out to be one customer."""
        lead, into = desk.resolve(desk.subject), desk.resolve(data.into)
        of_lead, of_into = decisions.merge(
            lead, into, actor=desk.actor, heads=self._heads_of_both(desk, lead, into), now=desk.now
        )
        desk.record(LEAD.stream(lead.id), of_lead)
        desk.record(LEAD.stream(into.id), of_into)

    def unmerge(self, desk: Desk, data: UnmergeLead) -> None:
        """They were two customers after all."""
        lead = desk.state(LEAD, desk.subject)
        while lead.status == "alias" and lead.points_to is not None:
            lead = desk.state(LEAD, lead.points_to)
        if decisions.known(lead).points_to is None:
            raise decisions.NotMerged(lead=lead.id)
        if data.into is not None and desk.resolve(data.into).id != desk.resolve(lead.id).id:
            raise InvalidData(field="into", problem=f"{lead.id} isn't merged into {data.into}")
        parted_from = desk.state(LEAD, lead.points_to or "")
        of_lead, of_other = decisions.unmerge(
            lead,
            parted_from,
            deals=self._own_deals(desk, lead, parted_from),
            actor=desk.actor,
            heads=desk.heads(desk.owner_of(parted_from)),
            now=desk.now,
            gone=frozenset(
                rep
                for rep in sorted(lead.claimants | parted_from.claimants)
                if desk.known_rep(rep).status == "left"
            ),
        )
        for one, events in ((lead.id, of_lead), (parted_from.id, of_other)):
            desk.record(LEAD.stream(one), events)
            desk.record(LEAD.stream(one), decisions.end_if_forgotten(desk.state(LEAD, one)))

    def lapse(self, desk: Desk, data: NoData) -> None:
        """Resolving a lead writes down that its claim is past its term; there is nothing else to do."""
        desk.resolve(desk.subject)

    def depart(self, desk: Desk, data: DepartLead) -> None:
        """The owner left the company."""
        lead = desk.resolve(desk.subject)
        owner = desk.owner_of(lead)
        if owner is None or desk.known_rep(owner).status != "left":
            return
        successor = data.successor
        if successor is not None and desk.known_rep(successor).status == "left":
            successor = None
        desk.record(LEAD.stream(lead.id), decisions.depart(lead, successor=successor, now=desk.now))

    def _registering_for(self, desk: Desk, data: RegisterLead) -> str | None:
        actor = desk.actor
        actor.must_not_be_payroll("register leads")
        owner = data.owner if data.names_owner else actor.rep
        if owner is None or owner == actor.rep:
            return owner
        desk.rep(owner)
        if actor.rep is not None and actor.rep not in desk.heads(owner):
            raise actor.refuse(f"register a lead for {owner}", "a rep acts for themselves")
        return owner

    def _recognise(self, desk: Desk, keys: Bound, owner: str | None) -> Lead | None:
        found: dict[str, Lead] = {}
        named = desk.state(LEAD, desk.subject)
        if named.status != "unknown":
            lead = decisions.alive(desk.resolve(decisions.identified(named).id))
            found[lead.id] = decisions.identified(lead)
        for _, _, key in keys:
            meant = self._meant_by(desk, key)
            if meant is not None and not meant.ended:
                found[meant.id] = meant
        try:
            return decisions.recognise(list(found.values()), rep=owner, now=desk.now)
        except LeadAlreadyClaimed as refusal:
            self._keep_attempt(desk, refusal, owner)
            raise

    def _keep_attempt(self, desk: Desk, refusal: LeadAlreadyClaimed, rep: str | None) -> None:
        facts = refusal.details
        attempt = ClaimRefused(rep=rep, subject=desk.subject, owner=facts["owner"], since=facts["since"])
        desk.keep(LEAD.stream(facts["lead"]), attempt)

    def _own_deals(self, desk: Desk, lead: Lead, parted_from: Lead) -> frozenset[str]:
        ours = {lead.id, *(one.lead for one in lead.absorbed)}
        deals = parted_from.open_deals | parted_from.won_deals
        return frozenset(deal for deal in sorted(deals) if desk.deal(deal).lead in ours)

    def _points_to(self, desk: Desk, key: Key, lead: str) -> bool:
        meant = self._meant_by(desk, key)
        return meant is not None and meant.id == lead

    def _meant_by(self, desk: Desk, key: Key) -> Lead | None:
        """The lead that stands for the one that the key was bound to, unless that was erased since."""
        if key.lead is None or desk.state(LEAD, key.lead).erased:
            return None
        return desk.resolve(key.lead)

    def _hand_out(self, desk: Desk, rep: str) -> None:
        overdue, missing = self._duties.owed(desk, rep)
        decisions.hand_out(rep=rep, overdue=overdue, missing=missing)

    def _heads_of_both(self, desk: Desk, lead: Lead, into: Lead) -> frozenset[str]:
        owners = {owner for owner in (desk.owner_of(lead), desk.owner_of(into)) if owner is not None}
        circles = [desk.heads(owner) | {owner} for owner in owners]
        return frozenset.intersection(*circles) if circles else frozenset()
