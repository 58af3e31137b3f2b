"""Payroll periods: calendar months in the company's time zone, written `2026-10`."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain.shared.rejections import InvalidData

_WRITTEN = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A month. `index` counts months from the year 0, so that periods are ordered and can be counted."""

    index: int

    @classmethod
    def of(cls, day: date) -> "Period":
        return cls(day.year * 12 + day.month - 1)

    @classmethod
    def at(cls, moment: datetime, zone: ZoneInfo) -> "Period":
        """The period that the moment falls in, by the clocks of the zone."""
        return cls.of(moment.astimezone(zone).date())

    @classmethod
    def parse(cls, text: str, field: str = "period") -> "Period":
        """`2026-10`. Raises InvalidData for anything else."""
        written = _WRITTEN(text)
        if written is None or int(written[1]) == 0:
            raise InvalidData(field=field, problem=f"{text!r} is not a month such as 2026-10")
        return cls(int(written[1]) * 12 + int(written[2]) - 1)

    @property
    def first_day(self) -> date:
        return date(self.index // 12, self.index % 12 + 1, 1)

    @property
    def last_day(self) -> date:
        first = self.first_day
        return first.replace(day=monthrange(first.year, first.month)[1])

    @property
    def next(self) -> "Period":
        return Period(self.index + 1)

    @property
    def previous(self) -> "Period":
        return Period(self.index - 1)

    def start(self, zone: ZoneInfo) -> datetime:
        """The first moment, in UTC."""
        return datetime.combine(self.first_day, datetime.min.time(), zone).astimezone(UTC)

    def end(self, zone: ZoneInfo) -> datetime:
        """The first moment after it, in UTC."""
        return self.next.start(zone)

    def __str__(self) -> str:
        return f"{self.index // 12:04d}-{self.index % 12 + 1:02d}"
