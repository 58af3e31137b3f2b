"""A statement in words that a rep understands: what both the page and the PDF show."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType

from adapters.statements.frozen import Frozen
from domain.payroll.events import EntryKind, Line, StatementIssued
from domain.payroll.rating import plain
from domain.payroll.standing import WHOLE
from domain.shared.periods import Period
from projections.payroll.documents import full, sealed_as

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WHAT: Mapping[EntryKind, str] = MappingProxyType(
    {
        "win": "Deal won",
        "payment": "Payment received",
        "override": "Override",
        "cap": "Cap",
        "draw": "Draw",
        "recovery": "Draw taken back",
        "dispute": "Dispute accepted",
    }
)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Controls, line ends and what turns the direction of text: with them an id could look like another."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line. Texts under `what` name the deal, those under `how` the rule and the events."""

    number: str
    what: str
    title: str | None
    deal: str | None
    of: str | None
    how: str | None
    rule: str
    events: str
    amount: str
    negative: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What was earned in the period itself, or corrections of one earlier period."""

    heading: str
    note: str | None
    rows: tuple[Row, ...]
    subtotal: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is shown, written out."""

    statement: str
    name: str
    rep: str
    month: str
    period: str
    currency: str
    total: str
    negative: bool
    cutoff: str
    checkpoint: str | None
    example: str
    sections: tuple[Section, ...]


def page(issued: StatementIssued, frozen: Frozen) -> Page:
    """The statement, worded."""
    statement = shown(f"{issued.period}/{issued.rep}")
    return Page(
        statement=statement,
        name=shown(frozen.name(issued.rep)),
        rep=shown(issued.rep),
        month=month(issued.period),
        period=issued.period,
        currency=issued.currency,
        total=money(issued.total, issued.currency),
        negative=issued.total < 0,
        cutoff=str(issued.cutoff_position),
        checkpoint=None if frozen.checkpoint is None else sealed_as(frozen.checkpoint),
        example=f"{statement}/{issued.lines[0].line if issued.lines else 1}",
        sections=tuple(
            _section(period, tuple(lines), issued, frozen)
            for period, lines in groupby(issued.lines, key=lambda line: line.for_period)
        ),
    )


def month(period: str) -> str:
    """`October 2026` for `2026-10`."""
    first = Period.parse(period).first_day
    return f"{MONTHS[first.month - 1]} {first.year}"


def money(amount: Decimal, currency: str) -> str:
    """Full minor units with thousands set apart, without the currency."""
    return format(Decimal(full(amount, currency)), ",f")


def shown(text: str) -> str:
    """The text with a replacement character for each that can't be seen."""
    return _UNSEEN.sub("\ufffd", text)


def _section(period: str, lines: tuple[Line, ...], issued: StatementIssued, frozen: Frozen) -> Section:
    own = period == issued.period
    return Section(
        heading=f"Earned in {month(period)}" if own else f"Corrections of {month(period)}",
        note=None if own else f"{month(period)} was paid before; this is what changed of it since.",
        rows=tuple(_row(line, issued.currency, frozen) for line in lines),
        subtotal=money(sum((line.amount for line in lines), Decimal(0)), issued.currency),
    )


def _row(line: Line, currency: str, frozen: Frozen) -> Row:
    title = frozen.titles.get(line.deal) if line.deal is not None else None
    return Row(
        number=str(line.line),
        what=WHAT[line.of],
        title=shown(title) if title else None,
        deal=shown(line.deal) if line.deal is not None else None,
        of=_of(line, frozen),
        how=_how(line, currency),
        rule=shown(line.rule),
        events=", ".join(map(str, line.events)),
        amount=money(line.amount, currency),
        negative=line.amount < 0,
    )


def _of(line: Line, frozen: Frozen) -> str | None:
    """Whose sale, which payment, which part of the deal: where that isn't plain."""
    said = []
    if line.of == "override":
        said.append(f"on what {frozen.name(line.credited)} sold")
    if line.of == "payment":
        said.append(f"payment {line.earning}")
    if line.share is not None and (line.share != WHOLE or line.role is not None):
        role = f" as {line.role}" if line.role is not None else ""
        said.append(f"part of the deal: {plain(line.share)} %{role}")
    return shown(", ".join(said)) or None


def _how(line: Line, currency: str) -> str | None:
    """The calculation; None where the rule says it all."""
    if line.rate is None:
        return None
    basis, percent = money(line.basis, currency), plain(line.rate)
    if line.kind == "adjustment":
        return f"The basis changed by {basis}, at {percent} %"
    return f"{basis} × {percent} %"  # noqa: RUF001 - the sign of multiplication
