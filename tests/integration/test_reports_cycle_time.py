"""Cycle times by hand, and the censored median beside an independent library's."""

import random
import warnings
from collections.abc import Iterator
from datetime import timedelta

import pytest
from reporting import START, Story, day

from domain.deals.events import DealOpened
from domain.kernel import Event
from domain.shared.rejections import UnknownPipeline
from projections.asking import View
from projections.cycle_time import Cycles, cycle_time


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    story = Story(database_url)
    yield story.pipeline().rep("ann").rep("bob")
    story.close()


def only(view: View, **asked: object) -> Cycles:
    (group,) = cycle_time(view, pipeline="sales", **asked).groups  # type: ignore[arg-type]
    return group


def closed_after(story: Story, *days: float, outcome: str = "won") -> None:
    for at, length in enumerate(sorted(days)):
        name = f"{outcome}-{at}-{length}"
        opened: list[tuple[str, Event]] = [(f"deal-{name}", DealOpened(lead="L-1", pipeline="sales"))]
        story.on(max(length, 0)).tell(*opened, occurred=0 if length >= 0 else -length)
        if outcome == "won":
            story.tell(*story_win(name), occurred=max(length, 0))
        else:
            story.tell(*story_loss(name), occurred=max(length, 0))


def story_win(deal: str) -> list[tuple[str, Event]]:
    from domain.deals.events import DealWon

    return [(f"deal-{deal}", DealWon(stage="Call", owner="ann"))]


def story_loss(deal: str) -> list[tuple[str, Event]]:
    from domain.deals.events import DealLost

    return [(f"deal-{deal}", DealLost(stage="Call", owner="bob", reason="price"))]


def test_an_unknown_pipeline_is_refused(story: Story) -> None:
    with story.view() as view, pytest.raises(UnknownPipeline):
        cycle_time(view, pipeline="rental")


def test_without_a_deal_there_is_one_empty_group(story: Story) -> None:
    with story.view() as view:
        assert only(view) == Cycles(None, 0, None, None, None, None, None, None, 0, 0)


def test_mean_median_and_p90_are_those_of_percentile_cont(story: Story) -> None:
    closed_after(story.lead("L-1"), 1, 2, 3, 10)
    with story.view() as view:
        found = only(view)
    assert (found.n, found.mean_days, found.median_days, found.min_days, found.max_days) == (4, 4, 2.5, 1, 10)
    assert found.p90_days == pytest.approx(7.9, abs=1e-12)
    assert (found.at_risk, found.negative) == (4, 0)


def test_seconds_are_exact(story: Story) -> None:
    story.lead("L-1").deal("D-1", "L-1")
    story.now = START + timedelta(days=3, seconds=1, microseconds=1)
    story.win("D-1", "L-1")
    with story.view() as view:
        assert only(view).median_days == (3 * 86_400 + 1.000001) / 86_400


def test_a_negative_cycle_is_said_and_not_dropped(story: Story) -> None:
    closed_after(story.lead("L-1"), -2, 4)
    with story.view() as view:
        found = only(view)
    assert (found.n, found.negative, found.min_days, found.mean_days) == (2, 1, -2, 1)


def test_open_deals_and_lost_ones_are_censored(story: Story) -> None:
    closed_after(story.lead("L-1"), 1, 2)
    closed_after(story, 3, outcome="lost")
    story.on(0).deal("D-open", "L-1").on(5).deal("D-2", "L-1").on(9).win("D-2", "L-1")
    with story.view(days=20) as view:
        found = only(view)
        lost = only(view, outcome="lost")
        closed = only(view, outcome="closed")
    # Wins after 1, 2 and 4 days of five: S = 4/5, 3/5, then 3/5 x 1/2 with two of five left at risk.
    assert (found.n, found.at_risk, found.median_days, found.censored_median_days) == (3, 5, 2, 4)
    assert (lost.n, lost.at_risk, lost.censored_median_days) == (1, 5, None)  # S = 2/3: half never lose.
    assert (closed.n, closed.at_risk, closed.censored_median_days) == (4, 5, 3)


def test_the_estimate_is_half_at_exactly_half(story: Story) -> None:
    closed_after(story.lead("L-1"), 1, 2, 3)
    story.on(0).deal("D-1", "L-1").deal("D-2", "L-1").deal("D-3", "L-1")
    with story.view(days=20) as view:
        assert only(view).censored_median_days == 3  # 5/6 x 4/5 x 3/4 = 1/2, in floats a hair above.


def test_since_the_lead_counts_from_its_first_registration_also_when_merged(story: Story) -> None:
    story.lead("L-1", "ann").on(2).lead("L-2", "ann").on(5).deal("D-1", "L-2").on(9).win("D-1", "L-2")
    with story.view() as view:
        assert (only(view).median_days, only(view, since="lead").median_days) == (4, 7)
    story.merge("L-2", "L-1", "ann", "ann")
    with story.view() as view:
        assert only(view, since="lead").median_days == 9


def test_a_reopened_deal_is_open_until_its_second_close(story: Story) -> None:
    story.lead("L-1").deal("D-1", "L-1").on(1).win("D-1", "L-1").on(2).reopen("D-1", "L-1")
    with story.view() as view:
        assert (only(view).n, only(view).at_risk) == (0, 1)
    story.on(6).win("D-1", "L-1")
    with story.view() as view:
        assert (only(view).n, only(view).median_days) == (1, 6)


def test_groups_are_the_owner_at_the_close_and_the_month_of_it(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1", product="Boat").deal("D-2", "L-1").deal("D-3", "L-1")
    story.on(10).win("D-1", "L-1", owner="bob").on(40).win("D-2", "L-1", owner="bob")
    with story.view() as view:

        def by(dimension: str) -> dict[str | None, tuple[int, int]]:
            found = cycle_time(view, pipeline="sales", by=dimension)  # type: ignore[arg-type]
            return {group.key: (group.n, group.at_risk) for group in found.groups}

        assert by("rep") == {"ann": (0, 1), "bob": (2, 2)}
        assert by("product") == {"Boat": (1, 1), None: (1, 2)}
        assert by("month") == {"2026-01": (1, 1), "2026-02": (1, 1)}  # The open deal is in none.


@pytest.mark.parametrize("seed", range(6))
def test_the_censored_median_is_that_of_lifelines(story: Story, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What the library warns of as it is imported isn't ours.
        from lifelines import KaplanMeierFitter
        from lifelines.utils import median_survival_times

    dice = random.Random(seed)
    sample = [
        (dice.choice((dice.randrange(1, 12), dice.randrange(1, 60))), dice.random() < dice.choice((0.4, 0.9)))
        for _ in range(dice.randrange(5, 80))
    ]
    with story.view() as live:

        def query(sql: str, parameters: object) -> list[tuple[object, ...]]:
            rows = ", ".join(
                f"('won-{at}', 'L', 'sales', '{START}'::timestamptz, '{START + timedelta(days=length)}'"
                f"::timestamptz, {length * 86_400_000_000}, '{'won' if ended else 'lost'}', 'x')"
                for at, (length, ended) in enumerate(sample)
            )
            made = f"(VALUES {rows}) d(deal, lead, pipeline, opened_at, closed_at, cycle_us, status, product)"
            return live.query(sql.replace("FROM deal d ", f"FROM {made} "), parameters)  # type: ignore[arg-type]

        found = only(View(query, day(100), "recorded", 1))  # type: ignore[arg-type]
    fitter = KaplanMeierFitter().fit([length for length, _ in sample], [ended for _, ended in sample])
    expected = float(median_survival_times(fitter.survival_function_))
    assert (found.censored_median_days or float("inf")) == expected
    assert found.at_risk == len(sample)
