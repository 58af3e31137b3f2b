"""The demo's clock: it counts only the seconds in which the company works, in the company's time zone."""

from datetime import date, datetime, time, timedelta, tzinfo
from itertools import accumulate

HOUR = 3600
DAY = 9 * HOUR
_OPENS = 9
_BEYOND_DAYS = 400
_FREE = {(1, 1), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31)}
_SEASON = (0.95, 1.05, 1.2, 1.0, 1.0, 1.05, 0.85, 0.6, 1.15, 1.1, 1.05, 0.6)
"""How many leads come in January, February … in units of a usual month."""
_MINUTES = [f"{_OPENS + minute // 60:02}:{minute % 60:02}:" for minute in range(DAY // 60)]
_SECONDS = [f"{second:02}" for second in range(60)]


class WorkingTime:
    """Working days of the company up to `end` and some beyond, for what is planned.

    A moment is a count of working seconds since the opening of the first day; `end` is the first moment
    that is not past any more.
    """

    def __init__(self, end: datetime, days: int, zone: tzinfo) -> None:
        local = end.astimezone(zone)
        first = local.date() - timedelta(days=days)
        calendar = [first + timedelta(days=n) for n in range(days + _BEYOND_DAYS)]
        self._dates = [day for day in calendar if day.weekday() < 5 and (day.month, day.day) not in _FREE]
        self._zone = zone
        self._prefixes = [f"{day.isoformat()}T" for day in self._dates]
        self._offsets = [_offset(day, zone) for day in self._dates]
        self._ordinals = [day.toordinal() for day in self._dates]
        self._quarter_ends = _quarter_ends(self._dates)
        self.days = sum(day < local.date() for day in self._dates)
        self.end = self.days * DAY
        if self._dates[self.days] == local.date():
            opening = datetime.combine(local.date(), time(_OPENS), zone)
            self.end += min(max(int((local - opening).total_seconds()), 0), DAY)
            self.days += self.end > self.days * DAY

    def moment(self, when: int) -> str:
        """RFC 3339, with the company's offset of that day."""
        day, second = divmod(min(when, len(self._dates) * DAY - 1), DAY)
        return f"{self._prefixes[day]}{_MINUTES[second // 60]}{_SECONDS[second % 60]}{self._offsets[day]}"

    def evening_before(self, when: int, minutes: int) -> str:
        """RFC 3339 of so many minutes past 19:00 on the eve of that working day, weekends included."""
        eve = self._dates[when // DAY] - timedelta(days=1)
        hour, minute = divmod(minutes, 60)
        return f"{eve.isoformat()}T{19 + hour:02}:{minute:02}:00{_offset(eve, self._zone)}"

    def date_at(self, when: int) -> date:
        return self._dates[when // DAY]

    def ordinal(self, when: int) -> int:
        """The calendar day, counted: differences are calendar days."""
        return self._ordinals[when // DAY]

    def quarter_end(self, when: int) -> int:
        """The moment at which the quarter's last working day is over."""
        return (self._quarter_ends[when // DAY] + 1) * DAY

    def arrivals(self, total: int) -> list[int]:
        """How many of `total` leads come on each working day: by season, weekday and slow growth."""
        weights = [
            _SEASON[day.month - 1] * (0.85 if day.weekday() == 4 else 1.0) * (1 + 0.4 * n / self.days)
            for n, day in enumerate(self._dates[: self.days])
        ]
        shares = list(accumulate(weights))
        come = [int(total * share / shares[-1] + 0.5) for share in shares]
        return [upto - before for before, upto in zip([0, *come], come, strict=False)]


def _offset(day: date, zone: tzinfo) -> str:
    return datetime.combine(day, time(12), zone).isoformat()[19:]


def _quarter_ends(dates: list[date]) -> list[int]:
    ends = [0] * len(dates)
    last = len(dates) - 1
    for n in range(len(dates) - 2, -1, -1):
        if (dates[n].month - 1) // 3 != (dates[n + 1].month - 1) // 3:
            last = n
        ends[n] = last
    return ends
