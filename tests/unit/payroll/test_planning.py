"""Publishing plans and assigning them: the decisions."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from scenario import Scenario

from domain.payroll.events import PlanAssigned, PlanPublished
from domain.payroll.model import ASSIGNMENTS, PLAN, PublishedPlan
from domain.payroll.planning import NoQuotaForRep, PlanCurrency, UnknownPlan, UnknownProducts, assign, publish
from domain.payroll.plans import Plan, Quota, Step, Tiers
from domain.shared.rejections import InvalidData

FLAT = Plan(name="Flat", currency="USD", basis="won", rate=Decimal(5))
MORE = FLAT.model_copy(update={"rate": Decimal(6)})
PRODUCTS = Plan(name="P", currency="USD", basis="won", products={"Licence": Decimal(8), "Desk": Decimal(2)})
BY_QUOTA = Plan(
    name="Q",
    currency="USD",
    basis="won",
    tiers=Tiers(
        method="marginal",
        measure="attainment",
        window="year",
        steps=(Step(above=Decimal(0), percent=Decimal(5)),),
    ),
    quota=Quota(reps={"ann": Decimal("100.00")}),
)
NOTHING_SOLD: frozenset[str] = frozenset()
JANUARY, MARCH, JUNE, LAST = date(2026, 1, 1), date(2026, 3, 1), date(2026, 6, 1), date(2026, 12, 31)


def plans(*versions: Plan) -> Scenario[PublishedPlan]:
    published = [PlanPublished(number=at, plan=plan) for at, plan in enumerate(versions, 1)]
    return Scenario(PLAN, "p").given(*published)


def held(first_day: date, last_day: date | None = None, number: int = 1, plan: str = "p") -> PlanAssigned:
    return PlanAssigned(plan=plan, number=number, first_day=first_day, last_day=last_day)


class Assigning:
    """`Assigning("ann", held(…)).to(FLAT).when(…)`: a rep with what they hold, and a plan's versions."""

    def __init__(self, rep: str, *before: PlanAssigned) -> None:
        self.rep = Scenario(ASSIGNMENTS, rep).given(*before)

    def to(self, *versions: Plan, plan: str = "p", **asked: Any) -> Scenario[Any]:
        of = PublishedPlan(plan, versions)
        days: dict[str, Any] = {"first_day": JANUARY, "last_day": None, "paid_in": None}
        return self.rep.when(assign, plan=of, **{**days, **asked})


def test_the_first_version_is_number_1_and_the_next_number_2() -> None:
    plans().when(publish, plan=FLAT, known=NOTHING_SOLD).then(PlanPublished(number=1, plan=FLAT))
    plans(FLAT).when(publish, plan=MORE, known=NOTHING_SOLD).then(PlanPublished(number=2, plan=MORE))


def test_publishing_the_latest_version_again_changes_nothing() -> None:
    plans(FLAT, MORE).when(publish, plan=MORE, known=NOTHING_SOLD).then_nothing()


def test_going_back_to_an_earlier_version_is_a_new_one() -> None:
    plans(FLAT, MORE).when(publish, plan=FLAT, known=NOTHING_SOLD).then(PlanPublished(number=3, plan=FLAT))


def test_products_that_no_deal_ever_named_are_refused() -> None:
    refused = (
        plans()
        .when(publish, plan=PRODUCTS, known={"Licence", "Chair"})
        .then_rejected(UnknownProducts, field="products.Desk", unknown=["Desk"], known=["Chair", "Licence"])
    )
    assert refused.code == "invalid_plan"
    assert refused.message == (
        "No deal has ever named Desk. The products that deals have named are: Chair, Licence."
    )


@pytest.mark.parametrize("known", [NOTHING_SOLD, {"Licence", "Desk", "Chair"}])
def test_products_are_taken_if_known_or_if_nothing_is_sold_yet(known: set[str]) -> None:
    plans().when(publish, plan=PRODUCTS, known=known).then(PlanPublished(number=1, plan=PRODUCTS))


def test_the_latest_version_is_assigned() -> None:
    Assigning("ann").to(FLAT, MORE).then(held(JANUARY, number=2))


def test_a_plan_that_nobody_published_is_unknown() -> None:
    refused = Assigning("ann").to(plan="ghost").then_rejected(UnknownPlan, plan="ghost")
    assert refused.code == "unknown_plan"


def test_the_last_day_is_not_before_the_first() -> None:
    Assigning("ann").to(FLAT, first_day=MARCH, last_day=JANUARY).then_rejected(InvalidData, field="to")
    Assigning("ann").to(FLAT, first_day=MARCH, last_day=MARCH).then(held(MARCH, MARCH))


def test_a_rep_is_paid_in_one_currency() -> None:
    refused = Assigning("ann", held(JANUARY, plan="old")).to(FLAT, paid_in="EUR")
    rejected = refused.then_rejected(PlanCurrency, plan="p", currency="USD", rep="ann", paid_in="EUR")
    assert rejected.code == "plan_currency"
    Assigning("ann", held(JANUARY, plan="old")).to(FLAT, paid_in="USD").then(held(JANUARY))


def test_tiers_by_attainment_need_a_quota_for_the_rep() -> None:
    rejected = Assigning("bob").to(BY_QUOTA).then_rejected(NoQuotaForRep, rep="bob", field="quota.reps.bob")
    assert rejected.code == "invalid_plan"
    assert "no quota for bob" in rejected.message
    Assigning("ann").to(BY_QUOTA).then(held(JANUARY))


def test_the_default_quota_is_everybodys() -> None:
    for_all = BY_QUOTA.model_copy(update={"quota": Quota(default=Decimal("5.00"))})
    Assigning("bob").to(for_all).then(held(JANUARY))


def test_assigning_what_holds_already_changes_nothing() -> None:
    Assigning("ann", held(JANUARY, LAST)).to(FLAT, last_day=LAST, paid_in="USD").then_nothing()
    Assigning("ann", held(JANUARY)).to(FLAT, paid_in="USD").then_nothing()


def test_an_assignment_of_other_days_does_not_matter_to_that() -> None:
    before = Assigning("ann", held(JANUARY, MARCH), held(JUNE, LAST, plan="q"))
    before.to(FLAT, last_day=MARCH).then_nothing()
    after = Assigning("ann", held(JUNE, LAST), held(JANUARY, MARCH, plan="q"))
    after.to(FLAT, first_day=JUNE, last_day=LAST).then_nothing()


@pytest.mark.parametrize("between", [held(MARCH, plan="q"), held(MARCH, MARCH, plan="q")])
def test_one_that_was_overlaid_since_is_assigned_anew(between: PlanAssigned) -> None:
    Assigning("ann", held(JANUARY, LAST), between).to(FLAT, last_day=LAST).then(held(JANUARY, LAST))


@pytest.mark.parametrize(
    "other", [held(JANUARY, JUNE), held(MARCH, LAST), held(JANUARY), held(JANUARY, LAST, plan="q")]
)
def test_other_days_or_another_plan_are_another_assignment(other: PlanAssigned) -> None:
    Assigning("ann", other).to(FLAT, last_day=LAST).then(held(JANUARY, LAST))


def test_a_new_version_binds_only_when_it_is_assigned() -> None:
    Assigning("ann", held(JANUARY)).to(FLAT, MORE).then(held(JANUARY, number=2))
