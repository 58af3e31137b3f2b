"""Moments and dates as people give them, in the company's time zone."""

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from projections.asking import Axis
from projections.grouping import Range

DIGITS_MAX = 18
"""Of a position; PostgreSQL has 19 at most."""
INSTANT = timedelta(microseconds=1)
"""The finest difference that PostgreSQL keeps."""


class BadMoment(ValueError):  # noqa: N818 - named for what was given
    """What was given says no moment, day or position; the message says what would."""


def past(as_of: str | None, axis: Axis, zone: ZoneInfo) -> tuple[int | None, datetime | None]:
    """As of which position or moment, neither for the present. Raises BadMoment."""
    if as_of is None:
        return None, None
    number = position(as_of)
    if number is None:
        return None, last_instant(as_of, zone)
    if axis == "occurred":
        raise BadMoment("positions are on the recorded axis; for the occurred one give a moment")
    return number, None


def span(begin: str | None, end: str | None, zone: ZoneInfo) -> Range:
    """From the first moment of `begin` to the last one of `end`. Raises BadMoment."""
    return Range(None if begin is None else start(begin, zone), None if end is None else until(end, zone))


def position(text: str) -> int | None:
    """The position in `#4711`, None for what isn't one. Raises BadMoment for # alone."""
    if not text.startswith("#"):
        return None
    digits = text[1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        raise BadMoment(f"{text!r} is no position such as #4711")
    return int(digits)


def last_instant(text: str, zone: ZoneInfo) -> datetime:
    """The moment given, or the end of the day given, inclusive. Raises BadMoment."""
    return until(text, zone) - INSTANT


def until(text: str, zone: ZoneInfo) -> datetime:
    """The first instant after the moment or the day given. Raises BadMoment."""
    day = _day(text)
    if day is not None:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return _moment(text) + INSTANT


def start(text: str, zone: ZoneInfo) -> datetime:
    """The moment given, or the beginning of the day given. Raises BadMoment."""
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
        raise BadMoment(
            f"{text!r} is neither a date such as 2026-10-31 nor a moment such as 2026-10-31T18:00:00+03:00"
        ) from None
    if moment.tzinfo is None:
        raise BadMoment(f"{text!r} has no offset from UTC; write 2026-10-31T18:00:00+03:00 or …Z")
    _in_every_calendar(moment, text)
    return moment.astimezone(UTC)


def _in_every_calendar(day: date, text: str) -> None:
    """In another time zone, what is in the first or the last year may lie outside of the calendar."""
    if day.year in (MINYEAR, MAXYEAR):
        raise BadMoment(f"{text!r} is not in the years {MINYEAR + 1} to {MAXYEAR - 1}")
