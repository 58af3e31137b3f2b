"""Every figure of every report is what its traced events come to: a random company, both axes."""

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from histories import REPS, History

from adapters.cli.asking import Source
from adapters.cli.audit.trace import trace_figure
from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.as_of import AsOf
from adapters.reading import moments
from projections import contacts, cycle_time, funnel, neglected, owner, queue, scorecard
from projections.asking import Axis, as_json
from projections.grouping import DIMENSIONS, Range
from projections.tracing.places import NotTraced, UnknownFigure

ZONE = ZoneInfo("Europe/Berlin")
AXES: tuple[Axis, ...] = ("recorded", "occurred")
NAMES = {"stages": "stage", "groups": "key"}
NO_FIGURES = {"pipeline", "view", "stage", "key", "outcome", "since", "rep", "name", "manager", "team"}


class Looks:
    """A company as it was at some moments."""

    def __init__(self, url: str, keep: ExitStack) -> None:
        self.history = History(url, 11)
        keep.callback(self.history.close)
        self.history.live(380)
        assert self.history.projector.catch_up() == []
        self.sources = []
        for axis in AXES:
            for text in ("2026-02-20", "2026-05-20T12:00:00+02:00"):
                at = AsOf(moment=moments.last_instant(text, ZONE), axis=axis)
                snapshot = keep.enter_context(self.history.projector.snapshot(at=at))
                view = replace(view_of(snapshot, ZONE.key), axis=axis)
                self.sources.append(Source(view, self.history.store.load, self.history.store.at))


@pytest.fixture(scope="module")
def looks(module_database_url: str) -> Iterator[Looks]:
    with ExitStack() as keep:
        yield Looks(module_database_url, keep)


def leaves(at: Any, path: str = "", name: str = "") -> Iterator[str]:
    """The path of each figure."""
    if isinstance(at, dict):
        for key, one in at.items():
            if key not in NO_FIGURES or path:
                yield from leaves(one, f"{path}.{key}".lstrip("."), key)
    elif isinstance(at, list):
        for number, one in enumerate(at):
            by = NAMES.get(name)
            step = number if by is None else "-" if one[by] is None else one[by]
            yield from leaves(one, f"{path}.{step}")
    elif name not in ("stage", "key"):
        yield path


def must_hold(
    report: str, source: Source, found: Any, options: dict[str, Any], most: int | None = None
) -> int:
    """All figures, or so many of them by chance, are what their items come to; how many were looked at."""
    figures = list(leaves(json.loads(json.dumps(as_json(found, ZONE)))))
    if most is not None and len(figures) > most:
        figures = random.Random(len(figures)).sample(figures, most)
    for figure in figures:
        traced = trace_figure(report, source, found, options, figure, ZONE)
        assert traced.holds, (source.view.axis, source.view.moment, options, traced)
        assert traced.count == len(traced.items)
        assert all(item.events for item in traced.items), (figure, traced)
        for event in (event for item in traced.items for event in item.events):
            assert event.position <= source.view.position
            assert source.view.axis == "recorded" or event.occurred_at <= source.view.moment
    return len(figures)


def test_the_funnel(looks: Looks) -> None:
    looked_at = 0
    for source in looks.sources:
        for kind in ("cohort", "flow"):
            for start, end in ((None, None), ("2026-02-01", "2026-03-20")):
                for by in (None, *DIMENSIONS):
                    options = {"pipeline": "sales", "kind": kind, "by": by, "start": start, "end": end}
                    span = Range(
                        None if start is None else moments.start(start, ZONE),
                        None if end is None else moments.until(end, ZONE),
                    )
                    found = funnel.funnel(source.view, pipeline="sales", kind=kind, by=by, span=span)  # type: ignore[arg-type]
                    looked_at += must_hold("funnel", source, found, options, None if by is None else 8)
    assert looked_at > 1000


def test_cycle_times(looks: Looks) -> None:
    for source in looks.sources:
        for by in (None, *DIMENSIONS):
            for outcome in ("won", "closed"):
                for since in ("deal", "lead"):
                    options = {"pipeline": "sales", "by": by, "outcome": outcome, "since": since}
                    found = cycle_time.cycle_time(source.view, **options)  # type: ignore[arg-type]
                    must_hold("cycle-time", source, found, options, 12)


def test_lists(looks: Looks) -> None:
    counts: dict[str, int] = {}
    for source in looks.sources:
        view = source.view
        lists = {
            "neglected": neglected.neglected(view),
            "overdue": neglected.overdue(view),
            "encroachments": contacts.encroachments(view),
            "refusals": owner.refusals(view),
            "pool": owner.pool(view),
        }
        for report, found in lists.items():
            traced = trace_figure(report, source, found, {}, "count", ZONE)
            assert traced.holds, (view.axis, report, traced.recomputed, found.count)
            assert all(item.events for item in traced.items)
            counts[report] = counts.get(report, 0) + found.count
            if found.count:
                whole = trace_figure(report, source, found, {}, "items.0", ZONE)
                part = trace_figure(report, source, found, {}, "items.0.lead", ZONE)
                assert whole.holds
                assert part.items == whole.items == traced.items[:1]
        for rep in REPS:
            found = queue.queue(view, rep=rep)
            traced = trace_figure("queue", source, found, {}, "count", ZONE)
            assert traced.holds, (view.axis, rep, traced)
            assert all(item.events for item in traced.items)
            counts["queue"] = counts.get("queue", 0) + found.count
    assert min(counts.values()) > 3, counts


def test_scorecards(looks: Looks) -> None:
    for source in looks.sources:
        for rep in REPS:
            found = scorecard.scorecard(source.view, rep=rep)
            assert must_hold("scorecard", source, found, {}) >= 30


def test_owners(looks: Looks) -> None:
    for source in looks.sources:
        for lead in looks.history.leads[:25]:
            if not source.view.ask("SELECT FROM lead WHERE lead = %(lead)s", lead=lead):
                continue
            found = owner.owner(source.view, lead=lead)
            for figure in ("owner", "since", "by_position", "history.0.owner", "history.0.until"):
                traced = trace_figure("owner", source, found, {}, figure, ZONE)
                assert traced.holds, (found, traced)


def test_what_is_no_figure_is_told(looks: Looks) -> None:
    source = looks.sources[-1]
    options = {"pipeline": "sales", "kind": "cohort", "by": None, "start": None, "end": None}
    found = funnel.funnel(source.view, pipeline="sales")
    for figure in (
        "",
        "wons",
        "stages",
        "stages.Nowhere.reached",
        "stages.Call",
        "won.x",
        "stages.0.reached",
    ):
        with pytest.raises(UnknownFigure) as refused:
            trace_figure("funnel", source, found, options, figure, ZONE)
        assert refused.value.details["figures"]
    with pytest.raises(NotTraced):
        trace_figure("funnel", source, found, options, "pipeline", ZONE)


def test_a_report_that_is_not_what_the_deals_say_is_found_out(looks: Looks) -> None:
    source = looks.sources[1]
    options = {"pipeline": "sales", "kind": "cohort", "by": None, "start": None, "end": None}
    found = funnel.funnel(source.view, pipeline="sales")
    for figure, changed in {"won": found.won + 1, "win_rate_all": 0.5, "won_amount": {"USD": 1}}.items():
        wrong = replace(found, **{figure: changed})
        path = "won_amount.USD" if figure == "won_amount" else figure
        traced = trace_figure("funnel", source, wrong, options, path, ZONE)
        assert not traced.holds
        assert trace_figure("funnel", source, found, options, path, ZONE).holds
