"""Which commission plans are there, and whom do they bind?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from domain.kernel import Event, Recorded
from domain.payroll.events import PlanAssigned, PlanPublished
from projections.asking import Listing, View
from projections.kernel import Projection, Row, Rows
from projections.team import must_know_rep


@dataclass(slots=True)
class PlanVersionRow(Row):
    """A version of a plan; `document` is the plan as JSON, `recorded_at` when it was published."""

    table: ClassVar[str] = "plan_version"
    key: ClassVar[tuple[str, ...]] = ("plan", "number")
    written_once: ClassVar[bool] = True

    plan: str
    number: int
    name: str
    currency: str
    basis: str
    document: str
    position: int
    recorded_at: datetime


class Plans(Projection):
    """Which commission plans are there?"""

    name = "plans"
    category = "plan"
    rows = (PlanVersionRow,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case PlanPublished(number=number, plan=plan):
                rows.put(
                    PlanVersionRow(
                        plan=fact.entity,
                        number=number,
                        name=plan.name,
                        currency=plan.currency,
                        basis=plan.basis,
                        document=plan.model_dump_json(exclude_none=True),
                        position=fact.position,
                        recorded_at=fact.recorded_at,
                    )
                )


@dataclass(slots=True)
class PlanAssignmentRow(Row):
    """A rep earns by a version of a plan on these days, both inclusive; `last_day` None is for good.

    Where a rep's assignments overlap, the one with the greatest `ordinal` holds; ordinals may leave gaps.
    """

    table: ClassVar[str] = "plan_assignment"
    key: ClassVar[tuple[str, ...]] = ("rep", "ordinal")
    written_once: ClassVar[bool] = True

    rep: str
    ordinal: int
    plan: str
    number: int
    first_day: date
    last_day: date | None
    position: int
    recorded_at: datetime


class Assignments(Projection):
    """Whom do the plans bind?"""

    name = "assignments"
    category = "assignment"
    rows = (PlanAssignmentRow,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case PlanAssigned() as assigned:
                rows.put(
                    PlanAssignmentRow(
                        rep=fact.entity,
                        ordinal=fact.version,
                        plan=assigned.plan,
                        number=assigned.number,
                        first_day=assigned.first_day,
                        last_day=assigned.last_day,
                        position=fact.position,
                        recorded_at=fact.recorded_at,
                    )
                )


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan; `document` is the plan's object, as it can be published again."""

    plan: str
    number: int
    name: str
    currency: str
    basis: str
    document: Mapping[str, Any]
    position: int
    recorded_at: datetime


def plans(view: View) -> Listing:
    """Every version of every plan, a plan's latest first."""
    rows = view.ask(
        """
        SELECT plan, number, name, currency, basis, document::json, position, recorded_at
        FROM plan_version ORDER BY plan COLLATE "C", number DESC
        """
    )
    return Listing.of([PlanVersion(*row) for row in rows])


@dataclass(frozen=True, slots=True)
class Assignment:
    """A rep earns by a version of a plan on these days, both inclusive, or for good.

    `name` is the plan's; None on the occurred axis before the day from which it was published.
    """

    rep: str
    plan: str
    number: int
    name: str | None
    first_day: date
    last_day: date | None
    position: int
    recorded_at: datetime


def assignments(view: View, *, rep: str | None = None) -> Listing:
    """Every assignment, or the rep's; of each rep the one recorded last first, which holds over the others.

    Needs the projections `plans`, `assignments` and `team`. Raises UnknownRep.
    """
    must_know_rep(view, rep)
    rows = view.ask(
        """
        SELECT a.rep, a.plan, a.number, p.name, a.first_day, a.last_day, a.position, a.recorded_at
        FROM plan_assignment a LEFT JOIN plan_version p USING (plan, number)
        WHERE %(rep)s::text IS NULL OR a.rep = %(rep)s
        ORDER BY a.rep COLLATE "C", a.ordinal DESC
        """,
        rep=rep,
    )
    return Listing.of([Assignment(*row) for row in rows])
