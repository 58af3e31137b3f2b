"""Reports for people: tables that fit 80 columns, numbers aligned, what is not known a dash."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from projections.asking import View

NOTHING = "-"
_TEXT_MIN = 8
"""Columns of text may be folded down to this."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, how to show a row in it, whether it is a number or else must stay `whole`."""

    head: str
    show: Callable[[Any], str]
    number: bool = False
    whole: bool = False

    @property
    def on_one_line(self) -> bool:
        return self.number or self.whole


def console() -> Console:
    return Console(highlight=False, soft_wrap=False)


def head(title: str, view: View) -> None:
    """What the report is, and of what it is true."""
    out = console()
    out.print(Text(title, style="bold"))
    out.print(
        Text(f"as of {moment(view.moment, view)} · {view.axis} axis · position {view.position:,}", "dim")
    )


def draw(columns: Sequence[Column], rows: Iterable[Any], empty: str = "Nothing.") -> None:
    """The rows as a table, or `empty`."""
    shown = list(rows)
    if not shown:
        console().print(Text(f"\n{empty}"))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(
            column.head,
            justify="right" if column.number else "left",
            no_wrap=column.on_one_line,
            overflow="fold",
        )
    lines = [[column.show(row) for column in columns] for row in shown]
    for cells in lines:
        table.add_row(*map(Text, cells))
    out = console()
    out.width = max(out.width, _width_min(columns, lines))
    out.print(table)


def _width_min(columns: Sequence[Column], lines: Iterable[Sequence[str]]) -> int:
    """What the table needs at least: a narrower terminal breaks its lines, as figures must not be cut."""
    widths = [
        max(cell_len(part) for cell in (column.head, *cells) for part in cell.split("\n"))
        for column, *cells in zip(columns, *lines, strict=True)
    ]
    kept = [
        width if column.on_one_line else min(width, _TEXT_MIN)
        for column, width in zip(columns, widths, strict=True)
    ]
    return sum(kept) + 2 * len(columns)


def say(text: str) -> None:
    console().print(Text(text))


def text(value: object) -> str:
    return NOTHING if value is None else str(value)


def count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def days(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.1f}"


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    """A count as it is, anything else with two decimals."""
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def money(amount: Decimal | None, currency: str | None) -> str:
    return NOTHING if amount is None else f"{amount:,} {currency or ''}".rstrip()


def purse(amounts: Mapping[str, Decimal], between: str = " + ") -> str:
    return between.join(money(amount, currency) for currency, amount in amounts.items()) or NOTHING


def moment(value: datetime | None, view: View) -> str:
    """To the minute, in the company's time zone."""
    if value is None:
        return NOTHING
    return value.astimezone(ZoneInfo(view.timezone)).strftime("%Y-%m-%d %H:%M")


def day(value: datetime | None, view: View) -> str:
    return NOTHING if value is None else value.astimezone(ZoneInfo(view.timezone)).strftime("%Y-%m-%d")
