"""Statements, line by line and as files, and what their lines rest on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from adapters.http.asked import AskedFor, sent
from adapters.http.openapi import Answered, answered, report
from adapters.reading.explaining import explained
from adapters.reading.ledger import Ledger
from adapters.statements.files import file_name
from adapters.statements.frozen import Frozen, PeriodOpen, frozen
from adapters.statements.html import html_writer
from adapters.statements.pdf import pdf_writer
from adapters.statements.tables import lines_csv
from adapters.statements.wording import page
from domain.payroll.closing import UnknownLine, UnknownStatement
from domain.shared.periods import Period
from projections.payroll.explaining import Explanation

router = APIRouter(prefix="/payroll", tags=["payroll"])
Month = Annotated[str, Query(description="The month.", examples=["2026-10"])]

FILES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


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
