"""Which use case handles which type of action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.leads.model import LEAD
from domain.payments.model import PAYMENT
from domain.payroll.closing import read_statement_id, statement_id
from domain.payroll.model import ASSIGNMENTS, STATEMENT
from services.activities import Activities
from services.deals import Deals
from services.desk import Desk
from services.duties import Duties
from services.finance import Finance
from services.leads import Leads
from services.payloads import RecordPayment
from services.payments import Payments
from services.payroll import Payroll
from services.people import People
from services.pipelines import Pipelines
from services.plans import Plans
from services.ports import Claims, PayrollBooks
from services.team import Team


@dataclass(frozen=True, slots=True)
class Handler:
    """`internal` actions are the engine's own: nobody may send them, and nothing done leaves no trace."""

    decide: Callable[[Desk, Any], None]
    internal: bool = False


def handlers(duties: Duties, claims: Claims, books: PayrollBooks) -> Mapping[str, Handler]:
    """The use case of every type of action. A new action is one line here."""
    leads, deals, activities = Leads(duties), Deals(), Activities()
    team, pipelines = Team(), Pipelines()
    payments, finance = Payments(), Finance()
    plans, payroll = Plans(books), Payroll(books)
    people = People(claims)
    return {
        "pipeline.define": Handler(pipelines.define),
        "rep.hire": Handler(team.hire),
        "rep.leave": Handler(team.leave),
        "rep.erase": Handler(people.erase_rep),
        "lead.register": Handler(leads.register),
        "lead.claim": Handler(leads.claim),
        "lead.release": Handler(leads.release),
        "lead.disqualify": Handler(leads.disqualify),
        "lead.assign": Handler(leads.assign),
        "lead.merge": Handler(leads.merge),
        "lead.unmerge": Handler(leads.unmerge),
        "lead.erase": Handler(people.erase_lead),
        "lead.lapse": Handler(leads.lapse, internal=True),
        "lead.depart": Handler(leads.depart, internal=True),
        "contact.record": Handler(activities.record_contact),
        "task.plan": Handler(activities.plan),
        "task.complete": Handler(activities.complete),
        "task.cancel": Handler(activities.cancel),
        "deal.open": Handler(deals.open),
        "deal.move": Handler(deals.move),
        "deal.amend": Handler(deals.amend),
        "deal.split": Handler(deals.split),
        "deal.win": Handler(deals.win),
        "deal.lose": Handler(deals.lose),
        "deal.reopen": Handler(deals.reopen),
        "payment.record": Handler(payments.record),
        "refund.record": Handler(payments.refund),
        "payment.match": Handler(payments.match),
        "cost.record": Handler(finance.record_cost),
        "rate.record": Handler(finance.record_rate),
        "plan.publish": Handler(plans.publish),
        "plan.assign": Handler(plans.assign),
        "period.close": Handler(payroll.close),
        "statement.dispute": Handler(payroll.dispute),
        "statement.resolve": Handler(payroll.resolve),
    }


def subject_stream(desk: Desk) -> str:
    """The stream that the action is about; other names of a lead or a statement lead to its own."""
    category = desk.action.type.split(".", 1)[0]
    if isinstance(desk.action.data, RecordPayment):
        return PAYMENT.stream(desk.action.data.payment)
    if desk.action.type == "plan.assign":
        return ASSIGNMENTS.stream(desk.subject)
    if category == "statement":
        return STATEMENT.stream(statement_id(*read_statement_id(desk.subject)))
    if category in ("lead", "contact", "task"):
        lead = (
            desk.resolve(desk.subject) if desk.action.type != "lead.merge" else desk.state(LEAD, desk.subject)
        )
        return LEAD.stream(lead.id)
    return f"{category}-{desk.subject}"
