"""What payroll rests on, as the first events of the log tell it: plain values, filled by a fold."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.payroll.events import StatementIssued
from domain.payroll.plans import Plan
from domain.shared.periods import Period


@dataclass(frozen=True, slots=True)
class Part:
    """A rep's percent of a deal's credit, for the role they played."""

    rep: str
    role: str | None
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Split:
    position: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The deal's amount was corrected while it was won."""

    position: int
    occurred_at: datetime
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was recorded, and when it happened."""

    position: int
    occurred_at: datetime


@dataclass(slots=True)
class Win:
    """One win of a deal. A missing `owner` may come later, recorded at `owned_position`."""

    position: int
    occurred_at: datetime
    amount: Decimal | None
    currency: str | None
    owner: str | None
    owned_position: int | None = None
    changes: list[Change] = field(default_factory=list)
    reopened: Moment | None = None


@dataclass(slots=True)
class DealRecord:
    """A deal's wins and splits in the order of the log."""

    id: str
    lead: str
    product: str | None
    wins: list[Win] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Money:
    """Received, or given back; always positive."""

    position: int
    occurred_at: datetime
    amount: Decimal
    currency: str


@dataclass(slots=True)
class PaymentRecord:
    """Money received for `deal`, known since `linked_position`; None while nobody knows what for.

    `received` is None in a stream that knows only refunds.
    """

    id: str
    deal: str | None = None
    linked_position: int = 0
    received: Money | None = None
    refunds: list[Money] = field(default_factory=list)

    @property
    def money(self) -> Money:
        """What was received. ValueError where only refunds are known."""
        if self.received is None:
            raise ValueError(f"nothing was received as {self.id}")
        return self.received


@dataclass(slots=True)
class Employment:
    hired_at: datetime
    left_at: datetime | None = None


@dataclass(slots=True)
class RepRecord:
    """`managers` are pairs of a position and who was the rep's head from there on."""

    id: str
    employments: list[Employment] = field(default_factory=list)
    managers: list[tuple[int, str | None]] = field(default_factory=list)

    def manager_at(self, position: int) -> str | None:
        found = None
        for since, manager in self.managers:
            if since > position:
                break
            found = manager
        return found

    def employed_in(self, period: Period, zone: ZoneInfo) -> bool:
        start, end = period.start(zone), period.end(zone)
        return any(
            one.hired_at < end and (one.left_at is None or one.left_at > start) for one in self.employments
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    position: int
    plan: str
    number: int
    first_day: date
    last_day: date | None

    def covers(self, day: date) -> bool:
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Published:
    position: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Closed:
    period: Period
    cutoff_position: int


@dataclass(frozen=True, slots=True)
class Concession:
    """A dispute that was accepted with an amount: so much more (or less) for that line."""

    position: int
    rep: str
    line: str
    for_period: str
    deal: str | None
    amount: Decimal


@dataclass(slots=True)
class Records:
    """Everything that payroll rests on, up to a position of the log.

    `zone` is the company's, in which months are months; `begin` the period of the log's first event;
    `currency` what a rep without a plan is paid in. `rates` are by currency, quote and day: the rate and the
    position it was recorded at.
    """

    zone: ZoneInfo
    begin: Period
    currency: str
    deals: dict[str, DealRecord] = field(default_factory=dict)
    payments: dict[str, PaymentRecord] = field(default_factory=dict)
    reps: dict[str, RepRecord] = field(default_factory=dict)
    plans: dict[tuple[str, int], Published] = field(default_factory=dict)
    assignments: defaultdict[str, list[Assignment]] = field(default_factory=lambda: defaultdict(list))
    rates: dict[tuple[str, str, date], tuple[Decimal, int]] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    statements: defaultdict[str, list[StatementIssued]] = field(default_factory=lambda: defaultdict(list))
    concessions: list[Concession] = field(default_factory=list)

    @property
    def first_open(self) -> Period:
        """The period that is to be closed next."""
        return Period(self.begin.index + len(self.closed))

    def open_at(self, position: int) -> Period:
        """The first period that was open when the event of that position was recorded."""
        closed = bisect_left(self.closed, position, key=lambda one: one.cutoff_position)
        return Period(self.begin.index + closed)

    def assigned(self, rep: str, day: date) -> tuple[Assignment, Published] | None:
        """The plan that binds the rep on that day: of assignments that overlap, the one recorded last."""
        for assignment in reversed(self.assignments.get(rep, ())):
            if assignment.covers(day):
                return assignment, self.plans[assignment.plan, assignment.number]
        return None

    def with_draft(self, plan: Plan, reps: Iterable[str], first_day: date, last_day: date) -> "Records":
        """The same, had the reps been assigned this plan on these days; these records stay as they are."""
        name = (f"{plan.name} (draft)", 0)
        assignment = Assignment(0, *name, first_day, last_day)
        assignments = defaultdict(list, {rep: list(held) for rep, held in self.assignments.items()})
        for rep in reps:
            assignments[rep].append(assignment)
        return replace(self, plans={**self.plans, name: Published(0, plan)}, assignments=assignments)
