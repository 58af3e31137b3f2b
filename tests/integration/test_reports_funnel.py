"""The funnel, rule by rule, on histories small enough to count by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from reporting import DealAmended, Story, day

from domain.shared.rejections import UnknownPipeline
from projections.asking import answer
from projections.funnel import Funnel, FunnelBy, funnel
from projections.grouping import Range
from projections.tally import StageFigures


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    story = Story(database_url)
    yield story.pipeline().rep("ann", branch="north").rep("bob", branch="south")
    story.close()


def stage(report: Funnel, name: str) -> StageFigures:
    return next(figures for figures in report.stages if figures.stage == name)


def reached(report: Funnel) -> list[int]:
    return [figures.reached for figures in report.stages]


def test_an_unknown_pipeline_is_refused(story: Story) -> None:
    with story.view() as view, pytest.raises(UnknownPipeline):
        funnel(view, pipeline="rental")


def test_a_pipeline_without_deals_has_zeros_and_no_rates(story: Story) -> None:
    with story.view() as view:
        report = funnel(view, pipeline="sales")
    assert (report.deals, report.leads, report.won, report.win_rate_closed, report.win_rate_all) == (
        0,
        0,
        0,
        None,
        None,
    )
    assert [(one.reached, one.conversion, one.median_days) for one in report.stages] == [(0, None, None)] * 3


def test_skipping_counts_as_passed_and_moving_back_lowers_nothing(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").on(1).move("D-1", "Contract").on(2).move("D-1", "Call")
    with story.view() as view:
        report = funnel(view, pipeline="sales")
    assert reached(report) == [1, 1, 1]
    assert [one.current for one in report.stages] == [1, 0, 0]
    assert [one.conversion for one in report.stages] == [1, 1, 0]


def test_a_won_deal_has_reached_all_and_a_lost_one_stays_where_it_was_lost(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").deal("D-2", "L-1", "Offer").deal("D-3", "L-1")
    story.on(3).win("D-1", "L-1").lose("D-2", "L-1", "Offer", reason="time")
    with story.view() as view:
        report = funnel(view, pipeline="sales")
    assert reached(report) == [3, 2, 1]
    assert [one.conversion for one in report.stages] == [2 / 3, 1 / 2, 1]
    assert [one.lost for one in report.stages] == [0, 1, 0]
    assert (report.deals, report.open, report.won, report.lost, report.leads) == (3, 1, 1, 1, 1)
    assert (report.win_rate_closed, report.win_rate_all) == (1 / 2, 1 / 3)
    assert report.loss_reasons == {"time": 1}
    assert report.won_amount == {"USD": Decimal("100.00")}


def test_time_in_stage_is_the_total_of_all_visits_and_a_running_one_counts_till_now(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1")
    story.on(2).move("D-1", "Offer").on(3).move("D-1", "Call").on(7).move("D-1", "Offer")
    with story.view(days=10.5) as view:
        report = funnel(view, pipeline="sales")
    assert (stage(report, "Call").median_days, stage(report, "Offer").median_days) == (6, 4.5)
    assert stage(report, "Contract").median_days is None


def test_percentiles_interpolate_linearly(story: Story) -> None:
    story.lead("L-1", "ann")
    for number, left_on in enumerate((1, 2, 3, 10)):
        story.on(0).deal(f"D-{number}", "L-1")
        story.on(left_on).lose(f"D-{number}", "L-1")
    with story.view() as view:
        call = stage(funnel(view, pipeline="sales"), "Call")
    assert call.median_days == pytest.approx(2.5, abs=1e-12)
    assert call.p90_days == pytest.approx(3 + 0.7 * 7, abs=1e-12)


def test_a_reopened_deal_is_open_and_an_amended_win_has_its_new_amount(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").deal("D-2", "L-1")
    story.on(1).lose("D-1", "L-1").win("D-2", "L-1").on(2).reopen("D-1", "L-1")
    story.tell(("deal-D-2", DealAmended(amount=Decimal("70.00"), currency="USD")))
    with story.view() as view:
        report = funnel(view, pipeline="sales")
    assert (report.open, report.won, report.lost, report.loss_reasons) == (1, 1, 0, {})
    assert report.won_amount == {"USD": Decimal("70.00")}


def test_the_cohort_is_what_was_opened_in_the_span(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").on(10).deal("D-2", "L-1").on(20).win("D-1", "L-1")
    with story.view() as view:
        report = funnel(view, pipeline="sales", span=Range(day(0), day(10)))
        later = funnel(view, pipeline="sales", span=Range(day(10), None))
    assert (report.deals, report.won) == (1, 1)
    assert (later.deals, later.won) == (1, 0)


def test_the_flow_is_what_moved_in_the_span(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").deal("D-2", "L-1").deal("D-3", "L-1")
    story.on(10).move("D-1", "Contract").move("D-2", "Offer")
    story.on(11).move("D-2", "Call").win("D-1", "L-1", "Contract")
    story.on(20).lose("D-3", "L-1")
    with story.view() as view:
        report = funnel(view, pipeline="sales", kind="flow", span=Range(day(10), day(15)))
    assert reached(report) == [1, 2, 1]  # D-2 came back to Call; D-1 passed Offer on its way to Contract.
    assert [one.conversion for one in report.stages] == [2, 1 / 2, 1]
    assert (report.deals, report.open, report.won, report.lost, report.leads) == (2, 1, 1, 0, 1)
    assert [one.current for one in report.stages] == [1, 0, 0]
    assert report.won_amount == {"USD": Decimal("100.00")}
    assert stage(report, "Call").median_days == 9


def test_in_the_flow_an_opening_enters_and_a_close_undone_later_stays_in_its_month(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1", "Offer").on(1).lose("D-1", "L-1", "Offer")
    story.on(40).reopen("D-1", "L-1", "Offer").on(41).win("D-1", "L-1", "Offer")
    with story.view() as view:
        january = funnel(view, pipeline="sales", kind="flow", span=Range(day(0), day(30)))
        later = funnel(view, pipeline="sales", kind="flow", span=Range(day(30), None))
        cohort = funnel(view, pipeline="sales")
    assert (reached(january), january.won, january.lost) == ([1, 1, 0], 0, 1)
    assert (stage(january, "Offer").lost, january.loss_reasons) == (1, {"price": 1})
    assert (reached(later), later.won, later.lost) == ([0, 1, 1], 1, 0)
    assert (cohort.won, cohort.lost) == (1, 0)


def test_stages_of_an_earlier_version_are_not_dropped(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1", "Offer").on(1).pipeline(stages=("Call", "Contract"))
    with story.view() as view:
        report = funnel(view, pipeline="sales")
        flow = funnel(view, pipeline="sales", kind="flow")
    for one in (report, flow):
        assert [figures.stage for figures in one.stages] == ["Call", "Contract", "Offer"]
        assert (stage(one, "Offer").reached, stage(one, "Offer").current) == (1, 1)
        assert stage(one, "Offer").conversion is None


def groups(report: Funnel) -> dict[str | None, tuple[int, int]]:
    assert isinstance(report, FunnelBy)
    return {group.key: (group.deals, group.won) for group in report.groups}


@pytest.mark.parametrize("kind", ["cohort", "flow"])
def test_groups_are_told_apart_by_what_is_known(story: Story, kind: str) -> None:
    story.lead("L-1", "ann", channel="site", branch="west").lead("L-2", "bob").lead("L-3")
    story.deal("D-1", "L-1", product="Boat").deal("D-2", "L-2").deal("D-3", "L-3")
    story.on(31).deal("D-4", "L-2", product="Boat").win("D-1", "L-1", owner="bob")
    with story.view() as view:

        def by(dimension: str) -> dict[str | None, tuple[int, int]]:
            return groups(funnel(view, pipeline="sales", kind=kind, by=dimension))  # type: ignore[arg-type]

        assert by("rep") == {"bob": (3, 1), None: (1, 0)}  # D-1 was bob's at its close.
        assert by("channel") == {"site": (1, 1), None: (3, 0)}
        assert by("product") == {"Boat": (2, 1), None: (2, 0)}
        assert by("branch") == {"south": (2, 0), "west": (1, 1), None: (1, 0)}
        assert by("month") == {"2026-01": (3, 1), "2026-02": (1, 0)}


def test_groups_stand_beside_the_whole_and_their_times_are_their_own(story: Story) -> None:
    story.lead("L-1").deal("D-1", "L-1", product="Boat").deal("D-2", "L-1", product="Car")
    story.on(2).move("D-1", "Offer").on(4).move("D-2", "Offer")
    with story.view() as view:
        report = funnel(view, pipeline="sales", by="product")
    assert isinstance(report, FunnelBy)
    assert (report.leads, [group.leads for group in report.groups]) == (1, [1, 1])
    assert stage(report, "Call").median_days == 3
    assert [group.stages[0].median_days for group in report.groups] == [2, 4]


def test_the_month_is_the_companys(story: Story) -> None:
    story.now = datetime(2026, 1, 31, 22, tzinfo=UTC)
    story.lead("L-1").deal("D-1", "L-1")
    with story.view(timezone="Europe/Moscow") as view:
        report = funnel(view, pipeline="sales", by="month")
    assert groups(report) == {"2026-02": (1, 0)}


def test_an_open_deal_is_nobodys_when_the_claim_is_past_its_term(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1")
    with story.view(days=89.9) as view:
        assert groups(funnel(view, pipeline="sales", by="rep")) == {"ann": (1, 0)}
    with story.view(days=90) as view:
        assert groups(funnel(view, pipeline="sales", by="rep")) == {None: (1, 0)}


def test_deals_of_merged_leads_count_for_the_one_that_stands_for_them(story: Story) -> None:
    story.lead("L-1", "ann", channel="site").lead("L-2", "bob", branch="west").lead("L-3", "ann")
    story.deal("D-1", "L-1").deal("D-2", "L-2").deal("D-3", "L-3")
    story.on(1).merge("L-2", "L-1", "ann", "ann").on(2).merge("L-1", "L-3", "ann", "ann")
    with story.view() as view:
        report = funnel(view, pipeline="sales", by="rep")
        assert (report.leads, groups(report)) == (1, {"ann": (3, 0)})
        assert groups(funnel(view, pipeline="sales", by="channel")) == {"site": (1, 0), None: (2, 0)}
        assert groups(funnel(view, pipeline="sales", by="branch")) == {"north": (2, 0), "west": (1, 0)}


def test_the_answer_says_what_it_is_true_of_and_keeps_money_exact(story: Story) -> None:
    story.lead("L-1").deal("D-1", "L-1").on(1).win("D-1", "L-1", amount="0.10")
    with story.view(timezone="Europe/Moscow") as view:
        told = answer(view, funnel(view, pipeline="sales"))
    assert (told["as_of"], told["axis"]) == ("2026-01-02T12:00:00+03:00", "recorded")
    assert told["position"] == story.position
    assert told["won_amount"] == {"USD": "0.10"}
    assert "groups" not in told
    assert told["stages"][0]["median_days"] == 1
