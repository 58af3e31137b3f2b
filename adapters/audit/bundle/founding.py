"""A line of a statement against the events that it names."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import accumulate

from adapters.audit.bundle.identity import decoded
from adapters.audit.bundle.refusals import LineUnfounded, UnreadableEvent, WrongAmount, WrongPlan
from domain.audit.leaf import Leaf
from domain.deals.events import DealWon
from domain.deals.model import DEAL
from domain.kernel import Event
from domain.payments.model import PAYMENT
from domain.payroll.events import DisputeResolved, Line, PlanAssigned, PlanPublished, StatementIssued
from domain.payroll.model import ASSIGNMENTS, PLAN, STATEMENT
from domain.payroll.plans import Plan
from domain.payroll.rating import plain
from domain.payroll.standing import WHOLE, ZERO, rounded
from domain.shared.money import minor_digits

EARNED = ("win", "payment", "override")
"""Kinds of lines that pay a percent of an earning; others are about a whole period, or a dispute."""


@dataclass(frozen=True, slots=True)
class Founded:
    """A line, and the events that it names."""

    statement: StatementIssued
    line: Line
    events: Sequence[Leaf]

    def must_be_in_place(self, number: int) -> None:
        """By its number, its period and its kind."""
        line, period = self.line, self.statement.period
        kind = line.of if line.for_period == period else "adjustment"
        if line.line != number or line.kind != kind or line.for_period > period:
            raise self._unfounded(
                f"as number {number}, of {line.of} for {line.for_period}, it can't stand here"
            )
        if list(line.events) != sorted(set(line.events)):
            raise self._unfounded("its events are not in order, each once")
        if line.of != "override" and line.credited != self.statement.rep:
            raise self._unfounded(f"it is credited to {line.credited}")

    def plan(self) -> Plan:
        """The plan's version by which the line is paid, and by which the rep was bound."""
        line, rep = self.line, self.statement.rep
        for leaf in self._named(PlanPublished, PLAN.stream(line.plan or "")):
            published = decoded(leaf, PlanPublished)
            if published.number == line.plan_version:
                break
        else:
            raise self._unfounded(f"none of its events published {line.plan} v{line.plan_version}")
        bound = [decoded(leaf, PlanAssigned) for leaf in self._named(PlanAssigned, ASSIGNMENTS.stream(rep))]
        if (line.plan, line.plan_version) not in [(one.plan, one.number) for one in bound]:
            raise self._unfounded(f"none of its events bound {rep} to {line.plan} v{line.plan_version}")
        if published.plan.currency != self.statement.currency:
            raise self._wrong_plan(f"the statement is in {self.statement.currency}, not its currency")
        return published.plan

    def must_be_of_deal(self, plan: Plan) -> None:
        """That the deal was won, by the win that it is paid for, or that there was such a payment."""
        line, stream = self.line, DEAL.stream(self.line.deal or "")
        won = [leaf.position for leaf in self._named(DealWon, stream)]
        if not won:
            raise self._unfounded(f"none of its events is a win of {line.deal}")
        if plan.basis == "won" and line.earning not in map(str, won):
            raise self._unfounded(f"its earning, {line.earning}, is not such a win")
        paid = PAYMENT.stream(line.earning)
        if plan.basis == "paid" and all(one.stream != paid for one in self.events):
            raise self._unfounded(f"none of its events is about the payment {line.earning}")
        if line.kind != "adjustment" and plan.tiers is None:
            for other in self.events:
                if other.stream.startswith(DEAL.stream("")) and other.stream != stream:
                    raise self._unfounded(f"event {other.position} is of {other.stream}")

    def must_be_at_rate(self, plan: Plan) -> None:
        """That the plan has such a percent for such lines."""
        line = self.line
        if line.of != "override" and (line.of == "win") != (plan.basis == "won"):
            raise self._wrong_plan(f"that pays nothing for a {line.of}")
        if line.rate not in _percents(plan, line):
            raise self._wrong_plan(f"that has no {line.rate} % for it")

    def must_be_percent(self) -> None:
        """Basis times rate, rounded; an adjustment is the difference of two such, each half a unit off."""
        line, currency = self.line, self.statement.currency
        exact = line.basis * (line.rate or ZERO) / WHOLE
        of = f"{plain(line.rate or ZERO)} % of {line.basis} is {plain(exact)}"
        if line.kind != "adjustment" and line.amount != rounded(exact, currency):
            raise self._wrong_amount(of)
        if abs(line.amount - exact) > Decimal(1).scaleb(-minor_digits(currency)):
            raise self._wrong_amount(f"{of}, from which rounding takes it no further than a minor unit")

    def must_be_conceded(self) -> None:
        """What payroll granted for the disputed line: the last answers, if earlier ones were paid before."""
        line = self.line
        statement, _, number = line.earning.rpartition("/")
        if statement.partition("/")[2] != self.statement.rep:
            raise self._unfounded(f"{line.earning} is no line of {self.statement.rep}")
        named = self._named(DisputeResolved, STATEMENT.stream(statement))
        granted = [amount for leaf in named for amount in _granted(leaf, number)]
        if line.amount not in accumulate(reversed(granted)):
            told = ", ".join(map(str, granted)) or "nothing"
            raise self._wrong_amount(f"what was granted for {line.earning} is {told}")

    def _named(self, kind: type[Event], stream: str) -> list[Leaf]:
        wanted = kind.stored_name, stream
        return [leaf for leaf in self.events if (leaf.name, leaf.stream) == wanted]

    def _unfounded(self, problem: str) -> LineUnfounded:
        return LineUnfounded(line=self.line.line, problem=problem)

    def _wrong_plan(self, problem: str) -> WrongPlan:
        plan = f"{self.line.plan} v{self.line.plan_version}"
        return WrongPlan(line=self.line.line, plan=plan, problem=problem)

    def _wrong_amount(self, reckoned: str) -> WrongAmount:
        return WrongAmount(line=self.line.line, amount=self.line.amount, reckoned=reckoned)


def _percents(plan: Plan, line: Line) -> set[Decimal | None]:
    """What the plan may pay on such a line. Products of deals are not looked up."""
    if line.of == "override":
        return {plan.override} - {None}
    if plan.tiers is not None:
        return {step.percent for step in plan.tiers.steps}
    named = [*(plan.products or {}).values(), *(plan.roles or {}).values()]
    return {plan.rate, *named} - {None}


def _granted(leaf: Leaf, line: str) -> Iterator[Decimal]:
    """What an answer to a dispute of the line granted; no more of it is read: its note may be sealed."""
    try:
        answer = json.loads(leaf.state)
        if answer.get("accepted") is True and str(answer.get("line")) == line and answer.get("amount"):
            yield Decimal(answer["amount"])
    except (InvalidOperation, TypeError, ValueError, RecursionError) as bad:
        raise UnreadableEvent(position=leaf.position, name=leaf.name, problem=repr(bad)) from bad
