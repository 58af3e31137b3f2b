"""Payroll's lists: ghosts, exceptions, disputes, plans, assignments, periods; and drafts of plans."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic_core import from_json

from adapters.http.asked import AskedFor, Rep
from adapters.http.bodies import read_body
from adapters.http.openapi import Answered, listed, report, taking
from adapters.http.problems import Problem
from adapters.reading.ledger import Ledger
from domain.payroll.plans import Plan
from domain.shared.periods import Period
from projections.payroll.exceptions import PayrollException, exceptions
from projections.payroll.payments import Ghost, ghosts
from projections.payroll.plans import Assignment, PlanVersion, assignments, plans
from projections.payroll.previews import must_have_begun
from projections.payroll.simulating import Simulated, simulate
from projections.payroll.statements import ClosedPeriod, Dispute, disputes, periods
from services.plan_documents import read_plan, read_plan_toml

router = APIRouter(prefix="/payroll", tags=["payroll"])

TOML = "application/toml"
PLAN_MAX = 1_048_576
"""Bytes of a draft."""


class SimulationReport(Answered):
    """What a draft would have paid, beside what was paid."""

    plan: str
    currency: str
    count: int
    items: list[Simulated]


@router.get("/ghosts", operation_id="ghosts", responses=report(listed(Ghost)))
async def get_ghosts(asked: AskedFor) -> Response:
    """Payments that belong to no recorded deal: nobody is paid for them."""
    return await asked.tables("ghosts", ("payments", "deals"), lambda source: ghosts(source.view))


@router.get(
    "/exceptions",
    operation_id="exceptions",
    responses=report(listed(PayrollException), "unknown_period", "unknown_rep", "nothing_recorded"),
)
async def get_exceptions(
    asked: AskedFor,
    rep: Rep = None,
    period: Annotated[str | None, Query(description="Only earnings that belong to this month.")] = None,
) -> Response:
    """Earnings that can't be paid until something is recorded: a rate, a plan, an owner, an amount."""
    month = None if period is None else Period.parse(period)

    def ask(book: Ledger) -> object:
        records = book.records()
        if month is not None:
            must_have_begun(records, month, book.view.moment)
        return exceptions(records, rep=rep, period=month)

    return await asked.ledger("exceptions", ask, rep=rep)


@router.get("/disputes", operation_id="disputes", responses=report(listed(Dispute), "unknown_rep"))
async def get_disputes(
    asked: AskedFor,
    rep: Rep = None,
    open_only: Annotated[bool, Query(alias="open", description="Only those without an answer.")] = False,
) -> Response:
    """Lines said to be wrong, and payroll's answers."""
    return await asked.tables(
        "disputes",
        ("statements", "team"),
        lambda source: disputes(source.view, open_only=open_only, rep=rep),
        rep=rep,
    )


@router.get("/plans", operation_id="plans", responses=report(listed(PlanVersion)))
async def get_plans(asked: AskedFor) -> Response:
    """Commission plans, version by version."""
    return await asked.tables("plans", ("plans",), lambda source: plans(source.view))


@router.get("/assignments", operation_id="assignments", responses=report(listed(Assignment), "unknown_rep"))
async def get_assignments(asked: AskedFor, rep: Rep = None) -> Response:
    """Who earns by which plan, and when; of a rep's that overlap the first one holds."""
    reads = ("plans", "assignments", "team")
    return await asked.tables("assignments", reads, lambda source: assignments(source.view, rep=rep), rep=rep)


@router.get("/periods", operation_id="periods", responses=report(listed(ClosedPeriod)))
async def get_periods(asked: AskedFor) -> Response:
    """The months that are closed, in order. Closing one is the action period.close."""
    return await asked.tables("periods", ("periods",), lambda source: periods(source.view))


@router.post(
    "/simulate",
    operation_id="simulate",
    responses=report(
        SimulationReport,
        "malformed",
        "invalid_plan",
        "unknown_period",
        "unknown_rep",
        "nothing_recorded",
        "plan_currency",
        "too_large",
        "unsupported_media_type",
    ),
    openapi_extra=taking({TOML: {"type": "string"}, "application/json": {"type": "object"}}),
)
async def post_simulate(
    asked: AskedFor,
    request: Request,
    first: Annotated[date, Query(alias="from", description="The first day.")],
    last: Annotated[date, Query(alias="to", description="The last day, inclusive.")],
    rep: Annotated[str | None, Query(description="Only this rep gets it. Default: everybody.")] = None,
) -> Response:
    """What a draft plan, in TOML or JSON, would have paid, beside what was paid. Nothing is recorded."""
    asked.caller.may("simulate")
    media_type, body = await read_body(request, types=(TOML, "application/json"), most=PLAN_MAX)
    if first > last:
        raise Problem("invalid_data", f"from: {first} is after {last}.", field="from")
    plan = read_plan_toml(body) if media_type == TOML else _read_plan_json(body)

    def ask(book: Ledger) -> object:
        records = book.records()
        must_have_begun(records, Period.of(last), book.view.moment)
        return simulate(records, plan, first, last, rep=rep).as_object()

    return await asked.ledger("simulate", ask, rep=rep)


def _read_plan_json(body: bytes) -> Plan:
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as broken:
        raise Problem("malformed", f"This is not JSON: {broken}.", problem=str(broken)) from None
    if not isinstance(found, dict):
        raise Problem("malformed", "This is not a plan: not a JSON object.", problem="not an object")
    return read_plan(found)
