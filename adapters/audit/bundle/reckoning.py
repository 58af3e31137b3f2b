"""What of a statement can be worked out anew from the events in its bundle alone."""

from collections.abc import Mapping

from adapters.audit.bundle.founding import EARNED, Founded
from adapters.audit.bundle.refusals import WrongAmount, WrongTotal
from domain.audit.leaf import Leaf
from domain.payroll.events import StatementIssued
from domain.payroll.plans import Plan
from domain.payroll.standing import ZERO


def must_add_up(statement: StatementIssued, events: Mapping[int, Leaf]) -> None:
    """That each line follows from the events that it names, all in `events`, and the total from the lines.

    Raises WrongTotal, LineUnfounded, WrongPlan, WrongAmount or UnreadableEvent.
    """
    summed = sum((line.amount for line in statement.lines), ZERO)
    if summed != statement.total:
        raise WrongTotal(sum=summed, total=statement.total)
    plans = dict[int, Plan]()
    for at, line in enumerate(statement.lines, start=1):
        found = Founded(statement, line, [events[position] for position in line.events])
        found.must_be_in_place(at)
        if line.of == "dispute":
            found.must_be_conceded()
            continue
        plan = plans[at] = found.plan()
        if line.of in EARNED:
            found.must_be_of_deal(plan)
            found.must_be_at_rate(plan)
            found.must_be_percent()
    _must_be_bounded(statement, plans)


def _must_be_bounded(statement: StatementIssued, plans: Mapping[int, Plan]) -> None:
    """That cap and draw bring what the period itself earned to the plan's, and no recovery goes below."""
    own = [line for line in statement.lines if line.kind != "adjustment"]
    earned = sum((line.amount for line in own if line.of in EARNED), ZERO)
    for line in own:
        if line.of in EARNED or line.of == "dispute":
            continue
        plan, reached = plans[line.line], earned + line.amount
        most, least = plan.cap, plan.draw.amount if plan.draw else None
        fits = {
            "cap": line.amount < 0 and reached == most,
            "draw": line.amount > 0 and reached == least,
            "recovery": line.amount < 0 and least is not None and reached >= least,
        }
        if not fits[line.of]:
            reckoned = f"with {earned} earned before it, a {line.of} of {line.plan} gives another"
            raise WrongAmount(line=line.line, amount=line.amount, reckoned=reckoned)
        earned = reached
