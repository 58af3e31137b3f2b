"""What decisions know of plans, whom they bind, periods and statements."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from domain.kernel import Decider, Event, Recorded
from domain.payroll.events import (
    DisputeResolved,
    Line,
    LineDisputed,
    PeriodClosed,
    PlanAssigned,
    PlanPublished,
    StatementIssued,
)
from domain.payroll.plans import Plan


@dataclass(frozen=True, slots=True)
class PublishedPlan:
    """A plan by its id; `versions` in the order of publishing, the first is version 1."""

    id: str
    versions: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignments:
    """The plans that bind a rep, in the order of recording."""

    rep: str
    assigned: tuple[PlanAssigned, ...] = ()


@dataclass(frozen=True, slots=True)
class PayrollPeriod:
    """`2026-10`, closed or not."""

    id: str
    closed: PeriodClosed | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A frozen statement, and by line what became of its disputes: the last word on each."""

    id: str
    rep: str = ""
    currency: str = ""
    lines: tuple[Line, ...] | None = None
    disputes: tuple[tuple[int, Literal["open", "accepted", "declined"]], ...] = ()

    @property
    def open_disputes(self) -> tuple[int, ...]:
        """Disputed lines that wait for an answer, the one that waits longest first."""
        return tuple(line for line, state in self.disputes if state == "open")


def _evolve_plan(plan: PublishedPlan, fact: Recorded[Event]) -> PublishedPlan:
    match fact.event:
        case PlanPublished(plan=version):
            return replace(plan, versions=(*plan.versions, version))
        case _:
            return plan


def _evolve_assignments(assignments: Assignments, fact: Recorded[Event]) -> Assignments:
    match fact.event:
        case PlanAssigned() as assigned:
            return replace(assignments, assigned=(*assignments.assigned, assigned))
        case _:
            return assignments


def _evolve_period(period: PayrollPeriod, fact: Recorded[Event]) -> PayrollPeriod:
    match fact.event:
        case PeriodClosed() as closed:
            return replace(period, closed=closed, closed_at=fact.recorded_at)
        case _:
            return period


def _evolve_statement(statement: Statement, fact: Recorded[Event]) -> Statement:
    match fact.event:
        case StatementIssued(rep=rep, currency=currency, lines=lines):
            return replace(statement, rep=rep, currency=currency, lines=lines)
        case LineDisputed(line=line):
            others = tuple(one for one in statement.disputes if one[0] != line)
            return replace(statement, disputes=(*others, (line, "open")))
        case DisputeResolved(line=line, accepted=accepted):
            others = tuple(one for one in statement.disputes if one[0] != line)
            return replace(statement, disputes=(*others, (line, "accepted" if accepted else "declined")))
        case _:
            return statement


PLAN = Decider[PublishedPlan](category="plan", initial=PublishedPlan, evolve=_evolve_plan)
ASSIGNMENTS = Decider[Assignments](category="assignment", initial=Assignments, evolve=_evolve_assignments)
PERIOD = Decider[PayrollPeriod](category="period", initial=PayrollPeriod, evolve=_evolve_period)
STATEMENT = Decider[Statement](category="statement", initial=Statement, evolve=_evolve_statement)
