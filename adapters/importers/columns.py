"""What a cell says: text, a moment, a day or an amount, after default, aliases and known values."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from adapters.importers.mapping import Column
from adapters.importers.moments import moment
from adapters.importers.refusals import InvalidAmount, InvalidDate, UnmappedValue

Reading = Callable[[str], str | None]
"""From a stripped cell to what it says; None if that is nothing."""

_REMEMBERED_MAX = 50_000


def reading(name: str, column: Column, timezone: ZoneInfo) -> Reading | None:
    """How cells of the column are read, None where they are taken as they stand."""
    parse = _PARSERS[column.type](name, column, timezone)
    if parse is None and not (column.aliases or column.values or column.default):
        return None
    aliases, known, default = column.aliases, frozenset(column.values), column.default or ""
    seen: dict[str, str | None] = {}

    def read(cell: str) -> str | None:
        if cell in seen:
            return seen[cell]
        value = cell or default
        value = aliases.get(value, value)
        if known and value not in known:
            raise UnmappedValue(column=name, value=value, known=column.values)
        said = (parse(value) if parse else value) if value else None
        if len(seen) < _REMEMBERED_MAX:
            seen[cell] = said
        return said

    return read


def _moment_parser(name: str, column: Column, timezone: ZoneInfo) -> Reading:
    formats, zone = column.formats, column.zone or timezone

    def parse(text: str) -> str:
        parsed = moment(text, formats, zone)
        if parsed is None:
            raise InvalidDate(column=name, value=text, expected=formats)
        return parsed.isoformat()

    return parse


def _day_parser(name: str, column: Column, timezone: ZoneInfo) -> Reading:
    formats, zone = column.formats, column.zone or timezone

    def parse(text: str) -> str:
        parsed = moment(text, formats, zone)
        if parsed is None:
            raise InvalidDate(column=name, value=text, expected=formats)
        return date(parsed.year, parsed.month, parsed.day).isoformat()

    return parse


def _amount_parser(name: str, column: Column, timezone: ZoneInfo) -> Reading:
    decimal, thousands = column.decimal, column.thousands
    whole = r"\d+"
    if thousands:
        sign = r"[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
        whole = rf"(?:\d{{1,3}}(?:{sign}\d{{3}})+|\d+)"
    form = re.compile(rf"([+-]?)({whole})(?:{re.escape(decimal)}(\d+))?", re.ASCII)

    def parse(text: str) -> str:
        match = form.fullmatch(text)
        if match is None:
            raise InvalidAmount(column=name, value=text, example=f"1{thousands}234{decimal}50")
        sign, whole, fraction = match.groups()
        digits = re.sub(r"\D", "", whole)
        return str(Decimal(f"{sign}{digits}.{fraction}" if fraction else f"{sign}{digits}"))

    return parse


def _text_parser(name: str, column: Column, timezone: ZoneInfo) -> None:
    return None


_PARSERS: dict[str, Callable[[str, Column, ZoneInfo], Reading | None]] = {
    "text": _text_parser,
    "time": _moment_parser,
    "day": _day_parser,
    "amount": _amount_parser,
}
