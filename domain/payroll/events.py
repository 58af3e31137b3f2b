"""Facts about plans, whom they bind, and what was paid."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.kernel import Event
from domain.payroll.plans import Plan

EntryKind = Literal["win", "payment", "override", "cap", "draw", "recovery", "dispute"]
LineKind = Literal["win", "payment", "override", "cap", "draw", "recovery", "dispute", "adjustment"]


class PlanPublished(Event, stored_name="payroll.PlanPublished"):
    """A plan's version 1, 2, 3 …; it is never edited."""

    number: int
    plan: Plan


class PlanAssigned(Event, stored_name="payroll.PlanAssigned"):
    """The rep whose stream this is in earns by that version of the plan on these days, both inclusive.

    Where assignments overlap, the one recorded last holds.
    """

    plan: str
    number: int
    first_day: date
    last_day: date | None = None


class Line(BaseModel):
    """One line of a statement: what one rule pays a rep for one earning, or what changed of it since.

    `kind` is `adjustment` where `for_period` is an earlier period than the statement's; `of` is then what is
    adjusted, else the same. `earning` is the win's position or the payment's id, for a dispute the disputed
    line, and empty for what concerns a whole period. `credited` is whose credit it rests on: the rep's own,
    or for an override that of somebody below. `basis` (their part, in the statement's currency) times `rate`
    (in percent) is `amount`, rounded half-even to the minor unit; an adjustment is the difference of two
    such. `share` is their percent of the deal. `events` are positions in the log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int
    kind: LineKind
    of: EntryKind
    deal: str | None
    earning: str
    credited: str
    role: str | None
    for_period: str
    basis: Decimal
    rate: Decimal | None
    share: Decimal | None
    amount: Decimal
    rule: str
    plan: str | None
    plan_version: int | None
    events: tuple[int, ...]


class PeriodClosed(Event, stored_name="payroll.PeriodClosed"):
    """The period whose stream this is in is paid by what the log said up to the cutoff, and never reopened.

    `timezone` is the company's, in which months are months; it stays that of the first close. `currency` is
    the company's then, which statements of reps without a plan are in.
    """

    cutoff_position: int
    timezone: str
    currency: str
    statements: int
    totals: dict[str, Decimal]


class StatementIssued(Event, stored_name="payroll.StatementIssued"):
    """One rep's pay for a period, frozen. The stream is `statement-PERIOD/REP`."""

    period: str
    rep: str
    currency: str
    cutoff_position: int
    total: Decimal
    lines: tuple[Line, ...]


class LineDisputed(Event, stored_name="payroll.LineDisputed"):
    """The rep says that a line is wrong."""

    line: int
    reason: str


class DisputeResolved(Event, stored_name="payroll.DisputeResolved"):
    """Payroll's answer. Accepted with an `amount`, that much is paid (or taken) by the next statement.

    Accepted without one, the correction is recorded where the fault was, and flows from there.
    """

    line: int
    accepted: bool
    note: str
    amount: Decimal | None = None
