"""Publishing plans, and assigning them to reps."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date

from domain.kernel import Rejected
from domain.payroll.checking import InvalidPlan
from domain.payroll.events import PlanAssigned, PlanPublished
from domain.payroll.model import Assignments, PublishedPlan
from domain.payroll.plans import Plan
from domain.shared.rejections import InvalidData


class UnknownProducts(InvalidPlan):
    """No deal has ever named {unknown}. The products that deals have named are: {known}."""


class NoQuotaForRep(InvalidPlan):
    """The plan {plan} goes by attainment, but has no quota for {rep}. Publish it with {field} first."""


class UnknownPlan(Rejected):
    """There is no plan {plan}. Publish it first (plan.publish)."""

    code = "unknown_plan"


class PlanCurrency(Rejected):
    """The plan {plan} pays in {currency}, but {rep} is paid in {paid_in}, and for ever in that alone."""

    code = "plan_currency"


def publish(published: PublishedPlan, *, plan: Plan, known: AbstractSet[str]) -> Sequence[PlanPublished]:
    """A new version of a sound plan. `known` are the products that deals have named.

    Raises UnknownProducts, unless no deal has named any: a company may publish before it sells.
    """
    unknown = sorted(set(plan.products or ()) - known)
    if known and unknown:
        raise UnknownProducts(field=f"products.{unknown[0]}", unknown=unknown, known=sorted(known))
    if published.versions and published.versions[-1] == plan:
        return []
    return [PlanPublished(number=len(published.versions) + 1, plan=plan)]


def assign(
    assignments: Assignments,
    *,
    plan: PublishedPlan,
    first_day: date,
    last_day: date | None,
    paid_in: str | None,
) -> Sequence[PlanAssigned]:
    """The plan's latest version binds the rep on these days, both inclusive; without the last, for good.

    `paid_in` is the currency that the rep's earlier plans pay in, if there are any. Raises UnknownPlan,
    InvalidData for days in the wrong order, PlanCurrency, NoQuotaForRep.
    """
    if not plan.versions:
        raise UnknownPlan(plan=plan.id)
    if last_day is not None and last_day < first_day:
        raise InvalidData(field="to", problem=f"{last_day} is before {first_day}")
    latest, rep = plan.versions[-1], assignments.rep
    if paid_in not in (None, latest.currency):
        raise PlanCurrency(plan=plan.id, currency=latest.currency, rep=rep, paid_in=paid_in)
    by_attainment = latest.tiers is not None and latest.tiers.measure == "attainment"
    if by_attainment and (latest.quota is None or latest.quota.of(rep) is None):
        raise NoQuotaForRep(plan=plan.id, rep=rep, field=f"quota.reps.{rep}")
    assigned = PlanAssigned(plan=plan.id, number=len(plan.versions), first_day=first_day, last_day=last_day)
    held = [one for one in assignments.assigned if _overlap(one, assigned)]
    return [] if held and held[-1] == assigned else [assigned]


def _overlap(one: PlanAssigned, other: PlanAssigned) -> bool:
    return (one.last_day is None or other.first_day <= one.last_day) and (
        other.last_day is None or one.first_day <= other.last_day
    )
