"""By what deals are told apart: rep, channel, product, branch, month."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from projections.asking import OWNER_NOW, View

Dimension = Literal["rep", "channel", "product", "branch", "month"]
DIMENSIONS: tuple[Dimension, ...] = ("rep", "channel", "product", "branch", "month")
Key = Dimension | Literal["deal"]
"""Each deal for itself: so a figure is traced to the deals that make it up."""

_REP = f"CASE WHEN d.status = 'open' THEN {OWNER_NOW} ELSE d.closed_owner END"
_KEYS = {
    None: "NULL::text",
    "deal": "d.deal",
    "rep": _REP,
    "channel": "coalesce(l.channel, own.channel)",
    "product": "d.product",
    "branch": "coalesce(l.branch, own.branch, r.branch)",
    "month": "to_char({month_of} AT TIME ZONE %(timezone)s, 'YYYY-MM')",
}
STAND_IN = " LEFT JOIN stands_for s ON s.lead = d.lead"
_STANDING_LEAD = STAND_IN + " LEFT JOIN lead l ON l.lead = coalesce(s.target, d.lead)"
_OWN_LEAD = _STANDING_LEAD + " LEFT JOIN lead own ON own.lead = s.lead"
_THEIR_REP = f" LEFT JOIN rep r ON r.rep = {_REP}"
_JOINS = {"rep": _STANDING_LEAD, "channel": _OWN_LEAD, "branch": _OWN_LEAD + _THEIR_REP}


def in_scope(view: View) -> str:
    """SQL, after STANDS_FOR: the deal `d` is one that the view shows, all or those of its `reps`."""
    if view.reps is None:
        return "true"
    return f"d.deal IN (SELECT d.deal FROM deal d{_STANDING_LEAD} WHERE {_REP} = ANY(%(reps)s))"


def key_of(by: Key | None, *, month_of: str) -> str:
    """SQL for the group of the deal `d`: the rep is its lead's owner at the close, or now while it is open.

    `month_of` is SQL for the moment whose month counts. What isn't known is null.
    """
    return f'({_KEYS[by].format(month_of=month_of)}) COLLATE "C"'


def joins_for(by: Key | None, *, stand_in: bool = False, own: bool = False) -> str:
    """SQL that joins to the deal `d` what its group needs, and nothing more: it is asked of many rows.

    `s` is the stand-in of its lead (also for `stand_in`), `l` the lead standing for it, `own` (also for
    `own`) its own lead where another stands for it.
    """
    if own and by != "branch":
        return _OWN_LEAD
    return _JOINS.get(by or "", STAND_IN if stand_in else "")


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
