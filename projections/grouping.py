"""By what deals are told apart: rep, channel, product, branch, month."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from projections.asking import OWNER_NOW

Dimension = Literal["rep", "channel", "product", "branch", "month"]
DIMENSIONS: tuple[Dimension, ...] = ("rep", "channel", "product", "branch", "month")

_REP = f"CASE WHEN d.status = 'open' THEN {OWNER_NOW} ELSE d.closed_owner END"
_KEYS = {
    None: "NULL::text",
    "rep": _REP,
    "channel": "coalesce(l.channel, s.channel)",
    "product": "d.product",
    "branch": "coalesce(l.branch, s.branch, r.branch)",
    "month": "to_char({month_of} AT TIME ZONE %(timezone)s, 'YYYY-MM')",
}
_STANDING_LEAD = " LEFT JOIN lead l ON l.lead = coalesce(s.target, d.lead)"
_THEIR_REP = f" LEFT JOIN rep r ON r.rep = {_REP}"
_JOINS = {"rep": _STANDING_LEAD, "channel": _STANDING_LEAD, "branch": _STANDING_LEAD + _THEIR_REP}


def key_of(by: Dimension | None, *, month_of: str) -> str:
    """SQL for the group of the deal `d`: the rep is its lead's owner at the close, or now while it is open.

    `month_of` is SQL for the moment whose month counts. What isn't known is null.
    """
    return _KEYS[by].format(month_of=month_of)


def joins_for(by: Dimension | None, *, lead: bool = False) -> str:
    """SQL that joins to the deal `d` what its group needs: `s` its lead's stand-in, `l` the standing lead."""
    return "LEFT JOIN stands_for s ON s.lead = d.lead" + _JOINS.get(by or "", _STANDING_LEAD if lead else "")


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` until before `end`; None is open."""

    start: datetime | None = None
    end: datetime | None = None


def within(column: str) -> str:
    """SQL: the moment lies in the range whose ends are the parameters `start` and `end`."""
    return (
        f"(%(start)s::timestamptz IS NULL OR {column} >= %(start)s)"
        f" AND (%(end)s::timestamptz IS NULL OR {column} < %(end)s)"
    )


def in_order(keys: set[str | None]) -> list[str | None]:
    """Groups by name, what isn't known last."""
    return sorted(keys, key=lambda key: (key is None, key or ""))
