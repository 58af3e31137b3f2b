"""A figure of the funnel: each deal has a funnel of its own, and the figure is what those come to together.

So nothing of what counts is said twice: the report's own question is asked of each deal alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from domain.deals.events import DealAmended, DealLost, DealWon, StageEntered
from domain.leads.events import LeadRegistered
from projections import cohort, flow
from projections.asking import View, ratio
from projections.funnel import Kind
from projections.grouping import Dimension, Range
from projections.pipelines import stages as stages_of
from projections.tally import Figures
from projections.tracing.grouped import CLOSES, MERGES, Grouped, Kinds, grouped, in_group
from projections.tracing.places import NotTraced, Place
from projections.tracing.standing import by_path
from projections.tracing.trace import Counted, Fact, Log, Trace, look_up, percentile, traced

Path = tuple[Any, ...]

_MOVES: Kinds = (*CLOSES, StageEntered)
_MOVED: Kinds = (StageEntered, DealWon, DealLost)
_SHARES = {"median_days": 0.5, "p90_days": 0.9}
_COUNTS = frozenset({"leads", "deals", "open", "won", "lost", "reached", "current"})


def trace_funnel(
    view: View,
    log: Log,
    place: Place,
    *,
    pipeline: str,
    kind: Kind = "cohort",
    by: Dimension | None = None,
    span: Range | None = None,
) -> Trace:
    """The deals, or leads, behind a figure of the same question to `funnel`."""
    span, stages = span or Range(), stages_of(view, pipeline)
    group, path = (place.path[1:2], place.path[2:]) if place.path[0] == "groups" else ((), place.path)
    if path[-1] in ("pipeline", "view", "stage", "key"):
        raise NotTraced(report="funnel", figure=place.figure)
    means = cohort if kind == "cohort" else flow
    tallies = means.tally(view, pipeline, stages, "deal", span)
    own = {deal: tally.figures(stages) for deal, tally in tallies.items() if deal is not None}
    places = grouped(view, pipeline, by if group else None, month_of="d.opened_at")
    inside = {deal: own[deal] for deal in in_group(places, sorted(own), group)}
    recomputed, rule, values = _counted_again(path, stages, inside)
    kinds, bears = _bearing(path[-1], kind, span) if path[0] != "won_amount" else (_PAID, None)
    if path == ("leads",):
        counted = _leads(places, values, kinds, bears)
        recomputed, rule = len(counted), "their number, each lead once"
    else:
        says = by_path(path) if kind == "cohort" else None
        counted = [
            replace(places[deal].counted(deal, value, kinds, by if group else None), bears=bears, says=says)
            for deal, value in values.items()
        ]
    looked_up = look_up(view, log, counted)
    if path[0] in ("won_amount", "loss_reasons") or path[-1] in _COUNTS:
        recomputed = sum((one.gives for one in looked_up), Decimal(0) if path[0] == "won_amount" else 0)
    return traced("funnel", place, recomputed, rule, looked_up)


_PAID: Kinds = (*CLOSES, DealAmended)


def _bearing(figure: str, kind: Kind, span: Range) -> tuple[Kinds, Callable[[Fact], bool] | None]:
    """Which of a deal's events make it count. A flow counts what was done in the span."""
    by_stage = figure in ("reached", "current", "conversion", *_SHARES)
    if kind == "cohort" or by_stage:
        return (_MOVES if by_stage else CLOSES), None

    def in_span(fact: Fact) -> bool:
        after = span.start is None or fact.occurred_at >= span.start
        return after and (span.end is None or fact.occurred_at < span.end)

    return _MOVED, lambda fact: not isinstance(fact.event, _MOVED) or in_span(fact)


def _leads(
    places: Mapping[str, Grouped],
    deals: Mapping[str, Any],
    kinds: Kinds,
    bears: Callable[[Fact], bool] | None,
) -> list[Counted]:
    """The leads of those deals, each with what ties the deals to it."""
    streams: dict[str, set[str]] = {}
    for deal in deals:
        at = places[deal]
        streams.setdefault(at.lead, set()).update((f"deal-{deal}", *at.lead_streams()))
    kinds = (*kinds, LeadRegistered, *MERGES)
    return [
        Counted("lead", lead, 1, None, tuple(sorted(streams[lead])), kinds, bears) for lead in sorted(streams)
    ]


def _counted_again(
    path: Path, stages: Sequence[str], deals: Mapping[str, Figures]
) -> tuple[Any, str, dict[str, Any]]:
    """The figure from those of single deals, how, and what each deal gives."""
    if (parts := _parts(path, stages)) is not None:
        part, whole = parts
        given = {deal: (_sum(own, part), _sum(own, whole)) for deal, own in deals.items()}
        given = {deal: pair for deal, pair in given.items() if any(pair)}
        recomputed = ratio(sum(one for one, _ in given.values()), sum(one for _, one in given.values()))
        told = {deal: {"part": one, "of": other} for deal, (one, other) in given.items()}
        return recomputed, "the sum of the parts by the sum of the wholes", told
    if path[-1] == "conversion":
        return None, "an earlier version of the pipeline had this stage: there is no next one", {}
    values = {deal: value for deal, own in deals.items() if (value := _value(own, path)) is not None}
    if path[-1] in _SHARES:
        share = _SHARES[path[-1]]
        return percentile(values.values(), share), f"percentile_cont({share}) of the days", values
    if path[0] == "won_amount":
        return sum(values.values(), Decimal(0)), "the sum of the amounts", values
    values = {deal: value for deal, value in values.items() if value}
    return sum(values.values()), "the number of deals", values


def _parts(path: Path, stages: Sequence[str]) -> tuple[list[Path], list[Path]] | None:
    """Of a ratio: what is counted above the line, and below."""
    if path == ("win_rate_closed",):
        return [("won",)], [("won",), ("lost",)]
    if path == ("win_rate_all",):
        return [("won",)], [("deals",)]
    if path[-1] != "conversion" or path[1] not in stages:
        return None
    after = stages.index(path[1]) + 1
    further: Path = ("stages", stages[after], "reached") if after < len(stages) else ("won",)
    return [further], [("stages", path[1], "reached")]


def _sum(own: Figures, paths: Sequence[Path]) -> int:
    return sum(_value(own, path) or 0 for path in paths)


def _value(own: Figures, path: Path) -> Any:
    """The figure of a single deal; None for what it has not."""
    match path:
        case ("stages", stage, name):
            return next((getattr(one, name) for one in own.stages if one.stage == stage), None)
        case (name,):
            return getattr(own, name)
        case (name, key):
            return getattr(own, name).get(key)
    raise LookupError(path)
