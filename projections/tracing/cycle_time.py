"""A figure of the cycle times: the deals' own cycles, and the estimate made again from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from domain.leads.events import LeadRegistered
from projections.asking import View
from projections.cycle_time import Cycle, Outcome, Start, cycles
from projections.grouping import Dimension
from projections.tracing.grouped import CLOSES, MERGES, Kinds, grouped
from projections.tracing.places import NotTraced, Place
from projections.tracing.standing import lasted, status
from projections.tracing.trace import Fact, Log, Trace, look_up, percentile, traced


def trace_cycle_time(
    view: View,
    log: Log,
    place: Place,
    *,
    pipeline: str,
    by: Dimension | None = None,
    outcome: Outcome = "won",
    since: Start = "deal",
) -> Trace:
    """The deals behind a figure of the same question to `cycle_time`."""
    key, name = place.path[1], place.path[-1]
    if name not in _FIGURES:
        raise NotTraced(report="cycle-time", figure=place.figure)
    asked = cycles(view, pipeline=pipeline, by=by, outcome=outcome, since=since)
    group = [one for one in asked if one.key == key]
    rule, recompute, counts = _FIGURES[name]
    counting = [one for one in group if counts(one)]
    kinds: Kinds = CLOSES if since == "deal" else (*CLOSES, LeadRegistered, *MERGES)
    places = grouped(view, pipeline, by, month_of="d.closed_at")
    counted = [places[one.deal].counted(one.deal, _gives(one, name), kinds, by) for one in counting]
    looked_up = look_up(view, log, counted)
    if since == "deal":
        pairs = zip(counting, looked_up, strict=True)
        counting = [_by_events(one, found.facts, outcome, view.moment) for one, found in pairs]
    recomputed = recompute([one for one in counting if counts(one)])
    return traced("cycle-time", place, recomputed, rule, looked_up)


def _by_events(one: Cycle, facts: Sequence[Fact], outcome: Outcome, moment: datetime) -> Cycle:
    """How long the deal took, and whether it ended so, without the read tables."""
    ended = status(facts) in (("won", "lost") if outcome == "closed" else (outcome,))
    days = lasted(facts, moment)
    return replace(one, days=one.days if days is None else days, ended=ended)


def _gives(one: Cycle, name: str) -> Any:
    if name in ("at_risk", "censored_median_days"):
        return {"days": one.days, "ended": one.ended}
    return one.days


def _ended(one: Cycle) -> bool:
    return one.ended


def _every(one: Cycle) -> bool:
    return True


def _days(group: Sequence[Cycle]) -> list[float]:
    return [one.days for one in group]


def _mean(group: Sequence[Cycle]) -> float | None:
    return sum(_days(group)) / len(group) if group else None


def _lasting(one: Cycle) -> float:
    return one.days


def _kaplan_meier(group: Sequence[Cycle]) -> float | None:
    """When half have ended: the first time at which survival, a product over all times, is at most 1/2."""
    survival, at_risk = 1.0, len(group)
    for days, alike in groupby(sorted(group, key=_lasting), key=_lasting):
        leaving = list(alike)
        survival *= 1 - sum(one.ended for one in leaving) / at_risk
        if survival <= 0.5 + 1e-9:
            return days
        at_risk -= len(leaving)
    return None


_FIGURES: Mapping[str, tuple[str, Callable[[Sequence[Cycle]], Any], Callable[[Cycle], bool]]] = {
    "n": ("the number of deals that ended so", len, _ended),
    "mean_days": ("the mean of the days", _mean, _ended),
    "median_days": ("percentile_cont(0.5) of the days", lambda group: percentile(_days(group), 0.5), _ended),
    "p90_days": ("percentile_cont(0.9) of the days", lambda group: percentile(_days(group), 0.9), _ended),
    "min_days": ("the least of the days", lambda group: min(_days(group), default=None), _ended),
    "max_days": ("the most of the days", lambda group: max(_days(group), default=None), _ended),
    "censored_median_days": (
        "the Kaplan-Meier median, deals that haven't ended so lasting at least their days",
        _kaplan_meier,
        _every,
    ),
    "at_risk": ("the number of deals", len, _every),
    "negative": (
        "the number of deals that ended before they began",
        len,
        lambda one: one.ended and one.days < 0,
    ),
}
