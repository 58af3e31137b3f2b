"""Commission plans and whom they bind."""

from domain.payroll import planning
from domain.payroll.model import ASSIGNMENTS, PLAN, Assignments
from services.desk import Desk
from services.payloads import AssignPlan, PublishPlan
from services.plan_documents import read_plan
from services.ports import PayrollBooks

WHO = "only payroll, a service or an admin may"


class Plans:
    """One method per intention."""

    def __init__(self, books: PayrollBooks) -> None:
        self._books = books

    def publish(self, desk: Desk, data: PublishPlan) -> None:
        """A plan, or a new version of it."""
        if desk.actor.role == "rep":
            raise desk.actor.refuse("publish plans", WHO)
        plan = read_plan(data.model_extra or {})
        for rep in plan.quota.reps if plan.quota else ():
            desk.known_rep(rep)
        known = self._books.products() if plan.products else frozenset()
        published = desk.state(PLAN, desk.subject)
        desk.record(PLAN.stream(published.id), planning.publish(published, plan=plan, known=known))

    def assign(self, desk: Desk, data: AssignPlan) -> None:
        """A rep earns by the plan's latest version from a day on."""
        if desk.actor.role == "rep":
            raise desk.actor.refuse("assign plans", WHO)
        rep = desk.known_rep(desk.subject)
        assignments = desk.state(ASSIGNMENTS, rep.id)
        events = planning.assign(
            assignments,
            plan=desk.state(PLAN, data.plan),
            first_day=data.first_day,
            last_day=data.last_day,
            paid_in=_paid_in(desk, assignments),
        )
        desk.record(ASSIGNMENTS.stream(rep.id), events)


def _paid_in(desk: Desk, assignments: Assignments) -> str | None:
    """The currency of the rep's plans so far: all have the same."""
    if not assignments.assigned:
        return None
    last = assignments.assigned[-1]
    return desk.peek(PLAN, last.plan).versions[last.number - 1].currency
