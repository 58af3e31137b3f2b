"""How long do deals take from opening to close, counting those still open?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from projections.asking import MICROSECONDS_PER_DAY, STANDS_FOR, View, days
from projections.grouping import Dimension, in_scope, joins_for, key_of
from projections.pipelines import must_know_pipeline

Outcome = Literal["won", "lost", "closed"]
Start = Literal["deal", "lead"]

_STARTED = {
    "deal": "d.opened_at",
    # What the merged lead or alias knew counts too: the customer first showed interest then.
    "lead": "coalesce(least(l.registered_at, own.registered_at), d.opened_at)",
}
_MICROSECONDS = "round(date_part('epoch', {end} - {start}) * 1000000)::bigint"

_CYCLE = """
, cycle AS MATERIALIZED (
    SELECT d.deal, {key} AS key, {duration} AS us,
           d.status <> 'open' AND (%(outcome)s = 'closed' OR d.status = %(outcome)s) AS ended
    FROM deal d {joins}
    WHERE {in_scope} AND d.pipeline = %(pipeline)s AND (d.status <> 'open' OR NOT %(by_month)s)
)
"""

# The Kaplan-Meier estimate: S(t) is the product of 1 - ended/at_risk over all times up to t, here as a sum of
# logarithms. The tolerance lets a product that is 0.5 but for float noise count as 0.5.
_FIGURES = """
, plain AS (
    SELECT key, count(*) AS at_risk, count(*) FILTER (WHERE ended) AS n, avg(us) FILTER (WHERE ended) AS mean,
           percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY us) FILTER (WHERE ended) AS points,
           min(us) FILTER (WHERE ended) AS low, max(us) FILTER (WHERE ended) AS high,
           count(*) FILTER (WHERE ended AND us < 0) AS negative
    FROM cycle GROUP BY key
), times AS (
    SELECT key, us, count(*)::int AS leaving, (count(*) FILTER (WHERE ended))::int AS ended
    FROM cycle GROUP BY key, us
), risks AS (
    SELECT key, us, ended,
           sum(leaving) OVER (PARTITION BY key ORDER BY us DESC ROWS UNBOUNDED PRECEDING) AS at_risk
    FROM times
), survival AS (
    SELECT key, us, sum(CASE WHEN ended = at_risk THEN -'Infinity'::float8
                             ELSE ln(1 - ended::float8 / at_risk) END)
                    OVER (PARTITION BY key ORDER BY us ROWS UNBOUNDED PRECEDING) AS log_survival
    FROM risks WHERE ended > 0
), censored AS (
    SELECT key, min(us) AS median FROM survival WHERE log_survival <= ln(0.5::float8) + 1e-9 GROUP BY key
)
SELECT plain.key, n, mean, points, low, high, censored.median, at_risk, negative
FROM plain LEFT JOIN censored ON censored.key IS NOT DISTINCT FROM plain.key
ORDER BY plain.key COLLATE "C" NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Cycles:
    """The cycles of one group, in days; `n` deals that ended so, `negative` of them before they began.

    `censored_median_days` is the Kaplan-Meier median over all `at_risk` deals: those of another outcome count
    as lasting at least until their close, open ones until the view's moment; None if half never end.
    """

    key: str | None
    n: int
    mean_days: float | None
    median_days: float | None
    p90_days: float | None
    min_days: float | None
    max_days: float | None
    censored_median_days: float | None
    at_risk: int
    negative: int


@dataclass(frozen=True, slots=True)
class CycleTime:
    """The cycles of a pipeline's deals by group; one group with key None without any."""

    pipeline: str
    outcome: Outcome
    since: Start
    groups: Sequence[Cycles]


def cycle_time(
    view: View,
    *,
    pipeline: str,
    by: Dimension | None = None,
    outcome: Outcome = "won",
    since: Start = "deal",
) -> CycleTime:
    """Cycles of the deals that ended in `outcome`, from the deal's opening or its lead's registration.

    Month is that of the close, so deals still open belong to none and are left out of `--by month`.
    Raises UnknownPipeline.
    """
    must_know_pipeline(view, pipeline)
    groups = [_cycles(*row) for row in _ask(view, _FIGURES, pipeline, by, outcome, since)]
    if by is None and not groups:
        groups = [Cycles(None, 0, None, None, None, None, None, None, 0, 0)]
    return CycleTime(pipeline, outcome, since, groups)


@dataclass(frozen=True, slots=True)
class Cycle:
    """How long a deal of a group took, or takes so far; `ended` as asked for."""

    deal: str
    key: str | None
    days: float
    ended: bool


def cycles(
    view: View, *, pipeline: str, by: Dimension | None = None, outcome: Outcome = "won", since: Start = "deal"
) -> list[Cycle]:
    """The deals that the same question to `cycle_time` counts."""
    rows = _ask(view, "SELECT deal, key, us, ended FROM cycle ORDER BY 1", pipeline, by, outcome, since)
    return [Cycle(deal, key, us / MICROSECONDS_PER_DAY, ended) for deal, key, us, ended in rows]


def _ask(
    view: View, figures: str, pipeline: str, by: Dimension | None, outcome: Outcome, since: Start
) -> list[tuple[Any, ...]]:
    cycle = _CYCLE.format(
        key=key_of(by, month_of="d.closed_at"),
        joins=joins_for(by, own=since == "lead"),
        duration=_duration(since),
        in_scope=in_scope(view),
    )
    sql = STANDS_FOR + cycle + figures
    return view.ask(sql, pipeline=pipeline, outcome=outcome, by_month=by == "month")


def _duration(since: Start) -> str:
    """SQL: microseconds until the close, or until now; the deal's own cycle is in its row already."""
    if since == "deal":
        running = _MICROSECONDS.format(end="%(moment)s", start=_STARTED["deal"])
        return f"coalesce(d.cycle_us, {running})"
    return _MICROSECONDS.format(end="coalesce(d.closed_at, %(moment)s)", start=_STARTED["lead"])


def _cycles(
    key: str | None,
    n: int,
    mean: float | None,
    points: Sequence[float] | None,
    low: int | None,
    high: int | None,
    censored: int | None,
    at_risk: int,
    negative: int,
) -> Cycles:
    median, p90 = points or (None, None)
    return Cycles(
        key,
        n,
        days(mean),
        days(median),
        days(p90),
        days(low),
        days(high),
        days(censored),
        at_risk,
        negative,
    )
