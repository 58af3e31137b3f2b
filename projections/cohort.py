"""The funnel of the deals opened in a span, whatever became of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from projections.asking import STANDS_FOR, View, days
from projections.grouping import Key, Range, in_scope, joins_for, key_of, within
from projections.tally import Tally

Tallies = dict[str | None, Tally]


def tally(view: View, pipeline: str, stages: Sequence[str], by: Key | None, span: Range) -> Tallies:
    """The deals opened in the span by group; their stays are counted in full, running ones till now."""
    tallies: Tallies = defaultdict(Tally)
    parameters = {"pipeline": pipeline, "start": span.start, "end": span.end}
    _count_deals(view, stages, by, parameters, tallies)
    _count_leads(view, by, parameters, tallies)
    _measure_stays(view, by, parameters, tallies)
    return tallies


def overall(view: View, pipeline: str, groups: Tallies, span: Range) -> Tally:
    """The tally of all that the groups hold."""
    tallies: Tallies = defaultdict(Tally, {None: Tally.whole(groups.values())})
    parameters = {"pipeline": pipeline, "start": span.start, "end": span.end}
    _count_leads(view, None, parameters, tallies)
    _measure_stays(view, None, parameters, tallies)
    return tallies[None]


def _deals(view: View, by: Key | None, *, visits: str = "", stand_in: bool = False) -> str:
    return f"""
        FROM deal d {visits} {joins_for(by, stand_in=stand_in)}
        WHERE {in_scope(view)} AND d.pipeline = %(pipeline)s AND {within("d.opened_at")}"""


def _count_deals(
    view: View,
    stages: Sequence[str],
    by: Key | None,
    parameters: dict[str, str | datetime | None],
    tallies: Tallies,
) -> None:
    """Deals alike in all that counts come as one row, so what they reached is worked out once."""
    ordinals = {stage: ordinal for ordinal, stage in enumerate(stages, start=1)}
    rows = view.ask(
        f"""{STANDS_FOR}
        SELECT {key_of(by, month_of="d.opened_at")}, d.status, d.stage, d.visited, d.loss_reason, d.currency,
               count(*), sum(d.amount)
        {_deals(view, by)}
        GROUP BY 1, 2, 3, 4, 5, 6""",
        **parameters,
    )
    for key, status, stage, visited, reason, currency, deals, amount in rows:
        group = tallies[key]
        group.counts["deals"] += deals
        furthest = max((ordinals.get(name, 0) for name in visited), default=0)
        for ordinal in range(1, (len(stages) if status == "won" else furthest) + 1):
            group.reached[ordinal] += deals
        for name in visited:
            group.visited[name] += deals
        if status == "lost":
            group.close_as_lost(stage, reason, deals)
            continue
        group.counts[status] += deals
        if status == "won":
            group.earn(currency, amount)
        elif stage is not None:
            group.current[stage] += deals


def _count_leads(
    view: View, by: Key | None, parameters: dict[str, str | datetime | None], tallies: Tallies
) -> None:
    rows = view.ask(
        f"""{STANDS_FOR}
        SELECT key, count(*) FROM (
            SELECT {key_of(by, month_of="d.opened_at")} AS key, coalesce(s.target, d.lead) AS lead
            {_deals(view, by, stand_in=True)}
            GROUP BY 1, 2
        ) leads GROUP BY key""",
        **parameters,
    )
    for key, leads in rows:
        tallies[key].counts["leads"] = leads


def _measure_stays(
    view: View, by: Key | None, parameters: dict[str, str | datetime | None], tallies: Tallies
) -> None:
    rows = view.ask(
        f"""{STANDS_FOR}
        SELECT key, stage, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY spent_us) FROM (
            SELECT {key_of(by, month_of="d.opened_at")} AS key, v.stage COLLATE "C" AS stage,
                   {SPENT_US} AS spent_us
            {_deals(view, by, visits="JOIN stage_visit v ON v.deal = d.deal")}
            AND v.latest
        ) stays GROUP BY key, stage""",
        **parameters,
    )
    for key, stage, (median, p90) in rows:
        tallies[key].spreads[stage] = days(median), days(p90)


SPENT_US = """
    v.earlier_us + coalesce(v.spent_us, round(date_part('epoch', %(moment)s - v.entered_at) * 1000000))"""
"""Microseconds that a deal spent in the stage of its visit `v` over all visits, a running one till now."""
