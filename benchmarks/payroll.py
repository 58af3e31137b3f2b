"""Closing periods, asking for statements and simulating plans, over a year of many reps."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import perf_counter

from adapters.wiring import Engine
from benchmarks.figures import Figure, quantile
from domain.activities.events import ContactRecorded
from domain.deals.events import DealOpened, DealWon, StageEntered
from domain.kernel import Event
from domain.leads.events import LeadClaimed, LeadRegistered, LeadWorked
from domain.payroll.events import PlanAssigned, PlanPublished, StatementIssued
from domain.payroll.plans import Plan, Step, Tiers
from domain.shared.periods import Period
from domain.team.events import RepHired
from projections.payroll.documents import statement_object
from projections.payroll.previews import preview
from projections.payroll.simulating import simulate
from services.intake import Submission
from services.ports import Unit

REPS, EVENTS_PER_DEAL, AT_ONCE, QUERIES = 1_000, 10, 2_000, 200
BEGIN = datetime(2025, 1, 1, 9, tzinfo=UTC)
YEAR = timedelta(days=365)
FLAT = Plan(name="Flat", currency="USD", basis="won", rate=Decimal(5))
TIERED = Plan(
    name="Tiered",
    currency="USD",
    basis="won",
    tiers=Tiers(
        method="retroactive",
        measure="amount",
        window="quarter",
        steps=(Step(above=Decimal(0), percent=Decimal(3)), Step(above=Decimal(50_000), percent=Decimal(6))),
    ),
)


def fill(engine: Engine, deals: int) -> int:
    """A year of so many won deals by REPS reps, half of them on each plan; gives the events."""
    units = list(_founding())
    for number in range(deals):
        units.append(_deal(number, BEGIN + YEAR * number / deals))
        if len(units) >= AT_ONCE:
            engine.store.append(units)
            units.clear()
    engine.store.append(units)
    engine.projector.catch_up()
    return engine.store.head()


def paying(engine: Engine) -> list[Figure]:
    """Seconds to close the year's first and last month, and what questions cost in between."""
    head = engine.store.head()
    took = [_closed(engine, f"2025-{month:02d}") for month in range(1, 12)]
    asked = [*_asking(engine, "2025-12"), _simulating(engine)]
    took.append(_closed(engine, "2025-12"))
    frozen = _times(lambda rep: _frozen(engine, "2025-12", rep))
    return [
        Figure(f"close the first month, {REPS:,} reps, {head:,} events", took[0], "s"),
        Figure("  the twelfth", took[-1], "s"),
        *_quantiles("a closed statement", frozen),
        *asked,
    ]


def _closed(engine: Engine, period: str) -> float:
    began = perf_counter()
    (answer,) = engine.intake().submit([_close(period)])
    if answer.error is not None:
        raise RuntimeError(answer.error["message"])
    return perf_counter() - began


def _asking(engine: Engine, period: str) -> list[Figure]:
    """A statement of a month that is not closed yet, which is computed."""
    month, now = Period.parse(period), datetime.now(UTC)

    def one(rep: str) -> None:
        position, records = engine.books.of_rep(rep)
        preview(records, rep, month, position=position, moment=now)

    return _quantiles("a statement not closed yet", _times(one))


def _simulating(engine: Engine) -> Figure:
    began = perf_counter()
    _, records = engine.books.records()
    found = simulate(records, TIERED, date(2025, 1, 1), date(2025, 12, 31))
    if len(found.items) != REPS:
        raise RuntimeError(f"{len(found.items)} reps instead of {REPS}")
    return Figure("simulate a plan over the year, all reps", perf_counter() - began, "s")


def _frozen(engine: Engine, period: str, rep: str) -> None:
    stream = f"statement-{period}/{rep}"
    (fact,) = engine.store.load([stream])[stream]
    if isinstance(fact.event, StatementIssued):
        statement_object(fact.event)


def _times(ask: Callable[[str], None]) -> list[float]:
    """Milliseconds of asking for one rep after the other."""
    took = []
    for number in range(QUERIES):
        began = perf_counter()
        ask(f"r{number * 37 % REPS}")
        took.append((perf_counter() - began) * 1_000)
    return took


def _quantiles(name: str, took: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}, p50", quantile(took, 0.5), "ms"),
        Figure("  the same, p99", quantile(took, 0.99), "ms"),
    ]


def _founding() -> Iterator[Unit]:
    for name, plan in (("flat", FLAT), ("tiered", TIERED)):
        yield _unit(f"plan {name}", BEGIN, [(f"plan-{name}", PlanPublished(number=1, plan=plan))])
    for rep in range(REPS):
        plan_of_theirs = ("flat", "tiered")[rep % 2]
        assigned = PlanAssigned(plan=plan_of_theirs, number=1, first_day=date(2025, 1, 1))
        hired = RepHired(name=f"Rep {rep}", manager=f"r{rep // 10}" if rep >= 10 else None)
        yield _unit(f"rep {rep}", BEGIN, [(f"rep-r{rep}", hired), (f"assignment-r{rep}", assigned)])


def _deal(number: int, won_at: datetime) -> Unit:
    lead, deal, rep = f"lead-L{number}", f"deal-D{number}", f"r{number % REPS}"
    amount = Decimal(number * 7_919 % 900_000 + 10_000) / 100
    contact = ContactRecorded(kind="call", direction="out", outcome="reached")
    events: list[tuple[str, Event]] = [
        (lead, LeadRegistered(keys={"external": str(number)})),
        (lead, LeadClaimed(rep=rep, protection_days=90)),
        (deal, DealOpened(lead=f"L{number}", pipeline="sales", amount=amount, currency="USD")),
        (deal, StageEntered(stage="Call")),
        (lead, LeadWorked(work="deal_opened", deal=f"D{number}", protection_days=90)),
        (f"activity-L{number}", contact),
        (deal, StageEntered(stage="Contract")),
        (f"activity-L{number}", contact),
        (deal, DealWon(stage="Contract", owner=rep, amount=amount, currency="USD")),
        (lead, LeadWorked(work="deal_won", deal=f"D{number}", protection_days=90)),
    ]
    return _unit(f"deal {number}", won_at, events)


def _unit(action: str, at: datetime, events: list[tuple[str, Event]]) -> Unit:
    return Unit(
        events=events,
        expected={stream: 0 for stream, _ in events},
        occurred_at=at,
        decided_at=at,
        actor="service:bench",
        source="bench",
        action=action,
        migrated=True,
    )


def _close(period: str) -> Submission:
    return Submission(
        {
            "specversion": "1.0",
            "id": f"close {period}",
            "source": "bench",
            "type": "period.close",
            "subject": period,
            "time": datetime.now(UTC).isoformat(),
            "actor": "payroll:bench",
        }
    )
