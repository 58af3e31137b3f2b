"""Contacts and next steps."""

from domain.activities import decisions
from domain.activities.model import ACTIVITIES
from domain.leads.decisions import alive, work
from domain.leads.model import LEAD, Lead
from domain.pipelines.decisions import known
from domain.shared.rejections import InvalidData
from services.desk import Desk
from services.payloads import CancelTask, CompleteTask, PlanTask, RecordContact


class Activities:
    """One method per intention."""

    def record_contact(self, desk: Desk, data: RecordContact) -> None:
        """A contact is a fact, whoever made it; by somebody else's rep it is an encroachment."""
        desk.actor.must_not_be_payroll("record contacts")
        lead = desk.resolve(desk.subject)
        self._deal_of(desk, lead, data.deal)
        owner = desk.owner_of(lead)
        outsider = owner is not None and self._is_outsider(desk, lead, owner)
        desk.record(
            ACTIVITIES.stream(lead.id),
            decisions.record_contact(
                kind=data.kind,
                direction=data.direction,
                outcome=data.outcome,
                note=data.note,
                deal=data.deal,
                encroached_on=owner if outsider else None,
            ),
        )
        if owner is not None and not outsider:
            days = self._protection(desk, lead, data.deal)
            worked = work(lead, "contact", deal=data.deal, protection_days=days, now=desk.now)
            desk.record(LEAD.stream(lead.id), worked)

    def plan(self, desk: Desk, data: PlanTask) -> None:
        """A next step; without an assignee it is the owner's, or the rep's who plans it."""
        lead = self._entitled(desk)
        self._deal_of(desk, lead, data.deal)
        assignee = data.assignee or desk.owner_of(lead) or desk.actor.rep
        if assignee is not None:
            desk.rep(assignee)
        events = decisions.plan(
            desk.activities(lead.id),
            task=data.task,
            due_at=data.due_at,
            kind=data.kind,
            assignee=assignee,
            deal=data.deal,
        )
        desk.record(ACTIVITIES.stream(lead.id), events)

    def complete(self, desk: Desk, data: CompleteTask) -> None:
        """The step was done."""
        lead = self._entitled(desk, data.task, lead_must_live=False)
        events = decisions.complete(desk.activities(lead.id), task=data.task, result=data.result)
        desk.record(ACTIVITIES.stream(lead.id), events)

    def cancel(self, desk: Desk, data: CancelTask) -> None:
        """The step will not be done."""
        lead = self._entitled(desk, data.task, lead_must_live=False)
        events = decisions.cancel(desk.activities(lead.id), task=data.task, reason=data.reason)
        desk.record(ACTIVITIES.stream(lead.id), events)

    def _entitled(self, desk: Desk, task: str | None = None, *, lead_must_live: bool = True) -> Lead:
        lead = desk.resolve(desk.subject)
        if lead_must_live:
            alive(lead)
        known_task = desk.activities(lead.id).tasks.get(task) if task else None
        assignee = known_task.planned.assignee if known_task else None
        owner = desk.owner_of(lead)
        if desk.actor.role == "rep" and (owner is None or desk.actor.rep == assignee):
            return lead
        beside = desk.heads(owner) | self._on_a_split(desk, lead)
        desk.actor.must_work_for(owner, beside=beside, action="plan the next steps with the lead")
        return lead

    def _is_outsider(self, desk: Desk, lead: Lead, owner: str) -> bool:
        rep = desk.actor.rep
        if rep is None or rep == owner:
            return False
        return rep not in desk.heads(owner) and rep not in self._on_a_split(desk, lead)

    def _on_a_split(self, desk: Desk, lead: Lead) -> frozenset[str]:
        deals = lead.open_deals | lead.won_deals
        return frozenset().union(*(desk.deal(deal).on_the_split for deal in sorted(deals)))

    def _deal_of(self, desk: Desk, lead: Lead, deal: str | None) -> None:
        if deal is not None and desk.resolve(desk.deal(deal).lead).id != lead.id:
            raise InvalidData(field="deal", problem=f"the deal {deal} is not one with the lead {lead.id}")

    def _protection(self, desk: Desk, lead: Lead, deal: str | None) -> int:
        if deal is None:
            return lead.protection_days
        return known(desk.pipeline(desk.deal(deal).pipeline)).protection_days
