"""Moments and dates as people give them on the command line, in the company's time zone."""

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

INSTANT = timedelta(microseconds=1)
"""The finest difference that PostgreSQL keeps."""


def position(text: str) -> int | None:
    """The position in `#4711`, None for what isn't one. Raises click.BadParameter for # alone."""
    if not text.startswith("#"):
        return None
    digits = text[1:]
    if not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter(f"{text!r} is no position such as #4711")
    return int(digits)


def last_instant(text: str, zone: ZoneInfo) -> datetime:
    """The moment given, or the end of the day given, inclusive. Raises click.BadParameter."""
    return until(text, zone) - INSTANT


def until(text: str, zone: ZoneInfo) -> datetime:
    """The first instant after the moment or the day given. Raises click.BadParameter."""
    day = _day(text)
    if day is not None:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return _moment(text) + INSTANT


def start(text: str, zone: ZoneInfo) -> datetime:
    """The moment given, or the beginning of the day given. Raises click.BadParameter."""
    day = _day(text)
    return _moment(text) if day is None else datetime.combine(day, time(), zone).astimezone(UTC)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    _in_every_calendar(day, text)
    return day


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither a date such as 2026-10-31 nor a moment such as 2026-10-31T18:00:00+03:00"
        ) from None
    if moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no offset from UTC; write 2026-10-31T18:00:00+03:00 or …Z")
    _in_every_calendar(moment, text)
    return moment.astimezone(UTC)


def _in_every_calendar(day: date, text: str) -> None:
    """In another time zone, what is in the first or the last year may lie outside of the calendar."""
    if day.year in (MINYEAR, MAXYEAR):
        raise click.BadParameter(f"{text!r} is not in the years {MINYEAR + 1} to {MAXYEAR - 1}")
