"""Next steps: what is neglected, what is overdue, what comes next, and the scorecard that counts them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from reporting import LeadDisqualified, Story, TaskCancelled, day

from domain.shared.rejections import UnknownRep
from projections.neglected import neglected, overdue
from projections.queue import queue
from projections.scorecard import scorecard

Item = tuple[str, str, str | None, str | None, datetime]


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    story = Story(database_url)
    yield story.pipeline().rep("eva").rep("ann", "eva").rep("bob", "eva")
    story.close()


def idle(story: Story, rep: str | None = None, days: float | None = None) -> list[Item]:
    with story.view(days) as view:
        return [(one.kind, one.lead, one.deal, one.rep, one.since) for one in neglected(view, rep=rep).items]


def test_an_open_lead_without_a_step_is_neglected_since_its_registration(story: Story) -> None:
    story.lead("L-1", "ann").on(1).lead("L-2")
    assert idle(story) == [("lead", "L-1", None, "ann", day(0)), ("lead", "L-2", None, None, day(1))]
    assert idle(story, "ann") == [("lead", "L-1", None, "ann", day(0))]


def test_a_planned_step_that_names_no_deal_covers_the_lead_and_all_its_deals(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").deal("D-2", "L-1").plan("L-1", "T-1", 5)
    assert idle(story) == []


def test_a_planned_step_that_names_a_deal_covers_that_deal_and_the_lead(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").on(1).deal("D-2", "L-1").plan("L-1", "T-1", 5, deal="D-1")
    assert idle(story) == [("deal", "L-1", "D-2", "ann", day(1))]


def test_neglect_begins_when_the_last_step_ended(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").plan("L-1", "T-1", 5).plan("L-1", "T-2", 6, deal="D-1")
    story.on(3).done("L-1", "T-1").on(4).tell(("activity-L-1", TaskCancelled(task="T-2", reason="moved")))
    assert idle(story) == [("lead", "L-1", None, "ann", day(4)), ("deal", "L-1", "D-1", "ann", day(4))]
    with story.view(days=6) as view:
        assert [one.days for one in neglected(view).items] == [2, 2]


def test_what_ended_is_not_neglected(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").win("D-1", "L-1").lead("L-2", "ann")
    story.of_lead("L-2", LeadDisqualified(reason="spam")).lead("L-3", "ann").lead("L-4", "ann")
    story.plan("L-4", "T-1", 9).merge("L-3", "L-4", "ann", "ann")
    assert idle(story) == []


def test_a_lost_deal_leaves_its_lead_open_and_a_reopened_one_is_neglected_anew(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-1", "L-1").on(2).lose("D-1", "L-1")
    assert idle(story) == [("lead", "L-1", None, "ann", day(0))]
    story.on(3).reopen("D-1", "L-1").win("D-1", "L-1").on(7).reopen("D-1", "L-1")
    assert idle(story) == [("lead", "L-1", None, "ann", day(7)), ("deal", "L-1", "D-1", "ann", day(7))]


def test_steps_and_deals_of_a_merged_lead_count_for_the_one_that_stands_for_it(story: Story) -> None:
    story.lead("L-1", "ann").lead("L-2", "ann").deal("D-2", "L-2").merge("L-2", "L-1", "ann", "ann")
    assert idle(story) == [("lead", "L-1", None, "ann", day(0)), ("deal", "L-1", "D-2", "ann", day(0))]
    story.plan("L-1", "T-1", 5)
    assert idle(story) == []


def test_a_lapsed_leads_neglect_is_nobodys(story: Story) -> None:
    story.lead("L-1", "ann", term=5)
    assert idle(story, days=5) == [("lead", "L-1", None, None, day(0))]
    assert idle(story, "ann", days=5) == []


def test_a_step_is_overdue_the_instant_after_it_is_due(story: Story) -> None:
    story.lead("L-1", "ann").plan("L-1", "T-1", 2)
    hair = timedelta(microseconds=1) / timedelta(days=1)
    with story.view(days=2) as view:
        assert overdue(view).count == 0
    with story.view(days=2 + hair) as view:
        (one,) = overdue(view).items
    assert (one.task, one.lead, one.rep, one.since) == ("T-1", "L-1", "ann", day(2))
    assert one.days == hair


def test_an_overdue_step_is_its_assignees_else_the_owners(story: Story) -> None:
    story.lead("L-1", "ann").plan("L-1", "T-1", 1).plan("L-1", "T-2", 2, assignee="bob")
    story.lead("L-2", "ann").plan("L-2", "T-3", 1).of_lead("L-2", LeadDisqualified(reason="spam"))
    story.on(3).lead("L-3", "ann").plan("L-3", "T-4", 1).done("L-3", "T-4")
    with story.view() as view:
        assert [one.task for one in overdue(view).items] == ["T-1", "T-2"]
        assert [one.task for one in overdue(view, rep="bob").items] == ["T-2"]
        assert [one.task for one in overdue(view, rep="ann").items] == ["T-1"]


def test_the_queue_has_overdue_first_then_deals_near_the_finish_then_by_due_time(story: Story) -> None:
    story.lead("L-1", "ann").deal("D-far", "L-1").deal("D-near", "L-1", "Contract", title="Big")
    story.lead("L-2", "ann").plan("L-2", "T-late", 1).lead("L-3", "ann").plan("L-3", "T-soon", 9)
    story.lead("L-4", "ann").plan("L-4", "T-sooner", 8).lead("L-5", "bob")
    story.plan("L-5", "T-help", 7, assignee="ann").plan("L-5", "T-own", 6)
    with story.view(days=5) as view:
        found = queue(view, rep="ann")
        with pytest.raises(UnknownRep):
            queue(view, rep="nobody")
    told = [(one.kind, one.deal or one.task or one.lead, one.overdue) for one in found.items]
    assert told == [
        ("lead", "T-late", True),
        ("deal", "D-near", False),
        ("deal", "D-far", False),
        ("task", "T-help", False),
        ("lead", "T-sooner", False),
        ("lead", "T-soon", False),
    ]
    near = found.items[1]
    assert (near.name, near.stage, near.ordinal, near.stages) == ("Big", "Contract", 3, 3)


def test_a_scorecard_stands_beside_the_teams_median_and_best(story: Story) -> None:
    story.rep("kim", "eva").rep("zoe").lead("L-1", "ann").deal("D-1", "L-1").deal("D-2", "L-1")
    story.lead("L-2", "bob").deal("D-3", "L-2").lead("L-9", "zoe").deal("D-9", "L-9")
    story.contact("L-1", "ann").contact("L-1", "bob", past="ann").plan("L-2", "T-1", 1)
    story.on(2).win("D-1", "L-1", owner="ann", amount="30.01").lose("D-2", "L-1", owner="ann")
    story.on(4).win("D-3", "L-2", owner="bob", amount="10.00").win("D-9", "L-9", owner="zoe", amount="99.00")
    with story.view() as view:
        found = scorecard(view, rep="ann")
        with pytest.raises(UnknownRep):
            scorecard(view, rep="nobody")

    def beside(name: str) -> tuple[float | None, float | None, float | None]:
        one = found.figures[name]
        return one.rep, one.team_median, one.team_best

    assert found.team == ("ann", "bob", "kim")
    assert beside("deals_won") == (1, 1, 1)
    assert beside("win_rate_closed") == (0.5, 0.75, 1)
    assert beside("median_cycle_days") == (2, 3, 2)
    assert (beside("contacts"), beside("encroachments")) == ((1, 1, 1), (0, 0, 0))
    assert (beside("neglected"), beside("overdue")) == ((0, 0, 0), (0, 0, 0))
    assert found.won_amount.rep == {"USD": Decimal("30.01")}
    assert found.won_amount.team_median == {"USD": Decimal("10.00")}
    assert found.won_amount.team_best == {"USD": Decimal("30.01")}
