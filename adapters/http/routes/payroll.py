"""Payroll's reports: statements and what they rest on, lists, and drafts of plans."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from pydantic_core import from_json

from adapters.http.asked import AskedFor, sent
from adapters.http.bodies import read_body
from adapters.http.openapi import Answered, answered, listed, report, taking
from adapters.http.problems import Problem
from adapters.reading.explaining import explained
from adapters.reading.ledger import Ledger
from adapters.statements.files import file_name
from adapters.statements.frozen import Frozen, PeriodOpen, frozen
from adapters.statements.html import html_writer
from adapters.statements.pdf import pdf_writer
from adapters.statements.tables import lines_csv
from adapters.statements.wording import page
from domain.payroll.closing import UnknownLine, UnknownStatement
from domain.payroll.plans import Plan
from domain.shared.periods import Period
from projections.payroll.exceptions import PayrollException, exceptions
from projections.payroll.explaining import Explanation
from projections.payroll.payments import Ghost, ghosts
from projections.payroll.plans import Assignment, PlanVersion, assignments, plans
from projections.payroll.previews import must_have_begun
from projections.payroll.simulating import Simulated, simulate
from projections.payroll.statements import ClosedPeriod, Dispute, disputes, periods
from services.plan_documents import read_plan, read_plan_toml

router = APIRouter(prefix="/payroll", tags=["payroll"])
Rep = Annotated[str | None, Query(description="Only this rep's.")]
Month = Annotated[str, Query(description="The month.", examples=["2026-10"])]

FILES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
TOML = "application/toml"
PLAN_MAX = 1_048_576
"""Bytes of a draft."""


class StatementLine(BaseModel):
    """A line; what it rests on is told by /payroll/explain."""

    line: str
    kind: str
    of: str
    for_period: str
    deal: str | None
    basis: str | None
    rate: str | None
    share: str | None
    amount: str
    rule: str
    events: list[int]


class Statement(BaseModel):
    """What a rep is paid for a period: frozen if it is closed, else as things stand."""

    statement: str
    rep: str
    period: str
    currency: str
    cutoff_position: int
    checkpoint: str | None
    total: str
    lines: list[StatementLine]


class StatementReport(Answered, Statement):
    """One statement."""

    closed: bool


class StatementsReport(Answered):
    """Everybody's statements of a period."""

    period: str
    cutoff_position: int
    closed: bool
    checkpoint: str | None
    totals: dict[str, str]
    statements: list[Statement]


class SimulationReport(Answered):
    """What a draft would have paid, beside what was paid."""

    plan: str
    currency: str
    count: int
    items: list[Simulated]


@router.get(
    "/statements",
    operation_id="statements",
    responses=report(StatementsReport, "unknown_period", "nothing_recorded"),
)
async def get_statements(asked: AskedFor, period: Month) -> Response:
    """What everybody is paid for a period: frozen by its close, or as things stand so far."""
    month = Period.parse(period)
    return await asked.ledger("statements", lambda book: book.payday(month).as_object())


@router.get(
    "/statements/{period}/{rep:whole}",
    operation_id="statement",
    responses=report(
        StatementReport,
        "unknown_period",
        "unknown_rep",
        "unknown_statement",
        "period_open",
        "nothing_recorded",
        files={kind.partition(";")[0]: {"type": "string"} for kind in FILES.values()},
    ),
)
async def get_statement(
    asked: AskedFor,
    period: str,
    rep: str,
    format: Annotated[
        Literal["json", "html", "csv", "pdf"], Query(description="Files are of closed periods only.")
    ] = "json",
) -> Response:
    """What a rep is paid for a period, line by line: frozen by its close, or as things stand so far."""
    month = Period.parse(period)
    if format == "json":
        return await asked.ledger("statement", lambda book: book.pay(rep, month).as_object(), rep=rep)

    def file(book: Ledger) -> Response:
        if month not in (closed for closed, _ in book.closes()):
            raise PeriodOpen(period=str(month))
        alone = _alone(frozen(asked.parts.store, asked.parts.checkpoints, month, titled=format != "csv"), rep)
        answer = sent(_MAKERS[format](alone), FILES[format], position=book.view.position)
        name = f"{month}-{file_name(rep)}.{format}"
        answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
        return answer

    return await asked.by_ledger("statement", file, rep=rep)


def _alone(all_: Frozen, rep: str) -> Frozen:
    """Raises UnknownStatement."""
    issued = [one for one in all_.statements if one.rep == rep]
    if not issued:
        reason = "the period is closed, and the rep had none"
        raise UnknownStatement(statement=f"{all_.period}/{rep}", reason=reason)
    return replace(all_, statements=issued)


def _html(of: Frozen) -> bytes:
    return html_writer()(page(of.statements[0], of))


def _pdf(of: Frozen) -> bytes:
    with pdf_writer() as write:
        return write(page(of.statements[0], of))


_MAKERS: dict[str, Callable[[Frozen], bytes]] = {"html": _html, "csv": lines_csv, "pdf": _pdf}


@router.get(
    "/explain/{period}/{rep:whole}/{number}",
    operation_id="explain",
    responses=report(
        answered(Explanation),
        "unknown_period",
        "unknown_rep",
        "unknown_statement",
        "unknown_line",
        "nothing_recorded",
    ),
)
async def get_explanation(asked: AskedFor, period: str, rep: str, number: str) -> Response:
    """Why a line, such as 2026-10/rep-7/3, is what it is: the events behind it, in words and figures."""
    month = Period.parse(period)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise UnknownLine(statement=f"{month}/{rep}", line=number, lines="lines counted from 1")
    return await asked.ledger("explain", lambda book: explained(book, month, rep, int(number)), rep=rep)


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
