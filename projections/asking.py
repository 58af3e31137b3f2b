"""How a report asks the read tables, and what every answer says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from domain.kernel import Event, Recorded

Axis = Literal["recorded", "occurred"]

MICROSECONDS_PER_DAY = 86_400_000_000


class Query(Protocol):
    """One SQL statement over the read tables, whose names stand bare: the search path decides which."""

    def __call__(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """All rows. Parameters are named, `%(pipeline)s`."""


@dataclass(frozen=True, slots=True)
class View:
    """The read tables as they stood after `position`, true at `moment`; `timezone` is the company's.

    Figures over many deals are of those of `reps` only, where these are given.
    """

    query: Query
    moment: datetime
    axis: Axis
    position: int
    timezone: str = "UTC"
    reps: tuple[str, ...] | None = None

    def ask(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Rows of the statement; `moment`, `timezone` and `reps` are always among its parameters."""
        reps = None if self.reps is None else list(self.reps)
        given = {"moment": self.moment, "timezone": self.timezone, "reps": reps}
        return self.query(sql, given | parameters)

    def knows(self, fact: Recorded[Event]) -> bool:
        """Whether the event counts in what is told: recorded by then, and on the other axis occurred too."""
        return fact.position <= self.position and (self.axis == "recorded" or fact.occurred_at <= self.moment)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list report: `{count, items}`."""

    count: int
    items: tuple[Any, ...]

    @classmethod
    def of(cls, items: list[Any]) -> "Listing":
        return cls(len(items), tuple(items))


def answer(view: View, report: object) -> dict[str, Any]:
    """The report as a JSON object that says what it is true of: as_of, axis, position."""
    plain: dict[str, Any] = as_json(report, ZoneInfo(view.timezone))
    as_of = view.moment.astimezone(ZoneInfo(view.timezone)).isoformat()
    return {"as_of": as_of, "axis": view.axis, "position": view.position} | plain


def as_json(value: object, zone: ZoneInfo) -> Any:
    """Dataclasses as objects, decimals as strings, moments as ISO in the given zone."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name), zone) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: as_json(one, zone) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one, zone) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def days(microseconds: float | Decimal | None) -> float | None:
    """A duration in days, unrounded."""
    return None if microseconds is None else float(microseconds) / MICROSECONDS_PER_DAY


def ratio(part: int, whole: int) -> float | None:
    """A share of the whole as a number, unrounded; None of nothing."""
    return part / whole if whole else None


STANDS_FOR = """
WITH RECURSIVE hop(lead, target) AS (
    SELECT lead, points_to FROM lead_pointer
    UNION
    SELECT hop.lead, further.points_to FROM hop JOIN lead_pointer further ON further.lead = hop.target
), stands_for AS MATERIALIZED (
    SELECT hop.lead, hop.target FROM hop
    WHERE NOT EXISTS (SELECT FROM lead_pointer further WHERE further.lead = hop.target)
)"""
"""Opens a statement: for every merged lead and alias, the lead that stands for it.

UNION, not UNION ALL: on the occurred axis badly dated merges could point in a circle, which must end.
"""

OWNER_NOW = "CASE WHEN l.status IN ('open', 'won') AND l.expires_at > %(moment)s THEN l.owner END"
"""Whose the lead `l` is at the view's moment: a claim past its term is nobody's, written as lapsed or not."""
