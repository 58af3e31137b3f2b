"""Dates and times as people write them."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo


def moment(text: str, formats: Sequence[str], timezone: ZoneInfo) -> datetime | None:
    """The moment that `text` names by one of the formats (strptime's, or `iso`); None if none fits.

    A time without an offset is taken in `timezone`, a date alone is its first moment there.
    """
    for form in formats:
        try:
            parsed = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
        except ValueError:
            continue
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone)
    return None


def constant_time(when: str | date | datetime, timezone: ZoneInfo) -> str:
    """ISO with offset; a date is its first moment in the time zone. Raises ValueError if it is neither."""
    told = moment(when if isinstance(when, str) else when.isoformat(), ["iso"], timezone)
    if told is None:
        raise ValueError(f"'{when}' is no ISO date or time")
    return told.isoformat()
