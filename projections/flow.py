"""The funnel of the moves made in a span: stages entered or passed, deals closed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from projections.asking import STANDS_FOR, View, days
from projections.grouping import Key, Range, in_scope, joins_for, key_of, within
from projections.tally import Tally

Tallies = dict[str | None, Tally]


def tally(view: View, pipeline: str, stages: Sequence[str], by: Key | None, span: Range) -> Tallies:
    """The moves of the span by group of their deals."""
    tallies: Tallies = defaultdict(Tally)
    parameters = {"pipeline": pipeline, "start": span.start, "end": span.end}
    key = key_of(by, month_of="d.opened_at")
    _count_deals(view, key, by, parameters, tallies)
    _count_closes(view, key, by, parameters, tallies)
    _count_passed(view, key, by, parameters, tallies)
    _measure_stays(view, key, by, parameters, tallies)
    return tallies


def overall(view: View, pipeline: str, groups: Tallies, span: Range) -> Tally:
    """The tally of all that the groups hold."""
    tallies: Tallies = defaultdict(Tally, {None: Tally.whole(groups.values())})
    parameters = {"pipeline": pipeline, "start": span.start, "end": span.end}
    ((tallies[None].counts["leads"],),) = view.ask(
        f"""{STANDS_FOR}, moved AS ({_MOVED})
        SELECT count(DISTINCT coalesce(s.target, d.lead) COLLATE "C")
        FROM deal d JOIN moved USING (deal) {joins_for(None, stand_in=True)}
        WHERE {in_scope(view)} AND d.pipeline = %(pipeline)s""",
        **parameters,
    )
    _measure_stays(view, key_of(None, month_of=""), None, parameters, tallies)
    return tallies[None]


Parameters = dict[str, str | datetime | None]

_MOVED = f"""
    SELECT v.deal FROM stage_visit v WHERE {within("v.entered_at")}
    UNION
    SELECT c.deal FROM deal_close c WHERE {within("c.closed_at")}"""


def _count_deals(view: View, key: str, by: Key | None, parameters: Parameters, tallies: Tallies) -> None:
    rows = view.ask(
        f"""{STANDS_FOR}, moved AS ({_MOVED}), closed AS (
            SELECT DISTINCT c.deal FROM deal_close c WHERE {within("c.closed_at")}
        ), counted AS (
            SELECT {key} AS key, coalesce(s.target, d.lead) AS lead, closed.deal IS NULL AS open,
                   CASE WHEN d.status = 'open' THEN d.stage END AS stage
            FROM deal d JOIN moved USING (deal) LEFT JOIN closed USING (deal) {joins_for(by, stand_in=True)}
            WHERE {in_scope(view)} AND d.pipeline = %(pipeline)s
        )
        SELECT key, stage, count(*), count(*) FILTER (WHERE open), NULL FROM counted GROUP BY key, stage
        UNION ALL
        SELECT key, NULL, 0, 0, count(*) FROM (SELECT DISTINCT key, lead FROM counted) one GROUP BY key""",
        **parameters,
    )
    for group, stage, deals, still_open, leads in rows:
        counted = tallies[group]
        counted.counts["deals"] += deals
        counted.counts["open"] += still_open
        counted.counts["leads"] += leads or 0
        if stage is not None:
            counted.current[stage] += deals


def _count_closes(view: View, key: str, by: Key | None, parameters: Parameters, tallies: Tallies) -> None:
    """Each deal counts once as won and once as lost, by its last such close in the span."""
    rows = view.ask(
        f"""{STANDS_FOR}, closed AS (
            SELECT DISTINCT ON (c.deal, c.outcome) c.*
            FROM deal_close c WHERE {within("c.closed_at")}
            ORDER BY c.deal, c.outcome, c.ordinal DESC
        )
        SELECT {key}, c.outcome, c.stage, c.reason, c.currency, count(*), sum(c.amount)
        FROM deal d JOIN closed c USING (deal) {joins_for(by)}
        WHERE {in_scope(view)} AND d.pipeline = %(pipeline)s
        GROUP BY 1, 2, 3, 4, 5""",
        **parameters,
    )
    for group, outcome, stage, reason, currency, deals, amount in rows:
        if outcome == "lost":
            tallies[group].close_as_lost(stage, reason, deals)
        else:
            tallies[group].counts["won"] += deals
            tallies[group].earn(currency, amount)


def _count_passed(view: View, key: str, by: Key | None, parameters: Parameters, tallies: Tallies) -> None:
    """A move reaches the stages behind the one it came from up to the one it went to, or only that one."""
    rows = view.ask(
        f"""{STANDS_FOR}, moves AS (
            SELECT v.deal, before.stage AS came_from, v.stage AS went_to, false AS won
            FROM stage_visit v LEFT JOIN stage_visit before
              ON before.deal = v.deal AND before.visit = v.visit - 1
            WHERE {within("v.entered_at")}
            UNION ALL
            SELECT c.deal, c.stage, NULL, true
            FROM deal_close c WHERE c.outcome = 'won' AND {within("c.closed_at")}
        ), kinds AS (
            SELECT {key} AS key, d.deal, came_from, went_to, won
            FROM deal d JOIN moves USING (deal) {joins_for(by)}
            WHERE {in_scope(view)} AND d.pipeline = %(pipeline)s
        ), stages AS (SELECT name, ordinal FROM stage WHERE pipeline = %(pipeline)s)
        SELECT key, name, ordinal, count(*) FROM (
            SELECT DISTINCT key, reached.name, reached.ordinal, deal FROM (
                SELECT kinds.key, kinds.deal, kinds.won, coalesce(f.ordinal, 0) AS low,
                       CASE WHEN kinds.won THEN (SELECT max(ordinal) FROM stages) ELSE t.ordinal END AS high,
                       kinds.went_to
                FROM kinds LEFT JOIN stages f ON f.name = came_from LEFT JOIN stages t ON t.name = went_to
            ) passed JOIN LATERAL (
                SELECT name, ordinal FROM stages
                WHERE (ordinal > low AND ordinal <= high) OR (NOT won AND ordinal = high)
                UNION ALL SELECT went_to, 0 WHERE high IS NULL
            ) reached ON true
        ) deals
        GROUP BY 1, 2, 3""",
        **parameters,
    )
    for group, stage, ordinal, deals in rows:
        tallies[group].reached[ordinal] = deals
        tallies[group].visited[stage] = deals


def _measure_stays(view: View, key: str, by: Key | None, parameters: Parameters, tallies: Tallies) -> None:
    rows = view.ask(
        f"""{STANDS_FOR}, stays AS (
            SELECT v.deal, v.stage, sum(coalesce(
                v.spent_us, round(date_part('epoch', %(moment)s - v.entered_at) * 1000000))) AS spent_us
            FROM stage_visit v WHERE {within("v.entered_at")} GROUP BY v.deal, v.stage
        )
        SELECT {key}, stays.stage COLLATE "C",
               percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY stays.spent_us)
        FROM deal d JOIN stays USING (deal) {joins_for(by)}
        WHERE {in_scope(view)} AND d.pipeline = %(pipeline)s
        GROUP BY 1, 2""",
        **parameters,
    )
    for group, stage, (median, p90) in rows:
        tallies[group].spreads[stage] = days(median), days(p90)
