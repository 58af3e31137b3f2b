"""What brute force found wrong once, each told as the small story that shows it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from histories import BEGIN, History

from adapters.postgres.lookups import view_of
from adapters.postgres.projecting.as_of import AsOf
from projections.asking import Axis, View
from projections.funnel import funnel
from projections.owner import owner
from projections.queue import queue


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    """Ann and Bob, a pipeline, and Ann's lead L-1."""
    told = History(database_url, seed=0)
    told.exact = True
    told.live(0)
    assert told.act("lead.register", "L-1", "ann", keys={"external": "one"})
    yield told
    told.close()


def ask(history: History, axis: Axis = "recorded", *, days: float = 0) -> Iterator[View]:
    moment = history.now + timedelta(days=days)
    with history.projector.snapshot(at=AsOf(moment=moment, axis=axis)) as snapshot:
        yield replace(view_of(snapshot), axis=axis)


def test_a_disqualified_lead_gets_no_owner_back_when_another_is_parted_from_it(history: History) -> None:
    assert history.act("lead.register", "L-2", "bob", keys={"external": "two"})
    assert history.act("lead.merge", "L-1", into="L-2")
    history.now += timedelta(days=1)
    ended_at = history.now
    assert history.act("lead.disqualify", "L-2", reason="bankrupt")
    history.now += timedelta(days=1)
    assert history.act("lead.unmerge", "L-1")
    for view in ask(history, days=200):
        found = owner(view, lead="L-2")
        assert (found.status, found.owner, found.since) == ("disqualified", None, ended_at)
        assert [one.owner for one in found.history] == ["bob", "ann", None]
    for view in ask(history):
        assert owner(view, lead="L-1").owner == "ann"


@pytest.mark.parametrize("sold", [True, False])
def test_a_step_for_a_closed_deal_stays_in_the_queue_beside_an_open_one(history: History, sold: bool) -> None:
    for deal in ("D-1", "D-2"):
        assert history.act("deal.open", deal, "ann", lead="L-1", pipeline="sales")
    due = (BEGIN + timedelta(hours=1)).isoformat()
    assert history.act("task.plan", "L-1", "ann", task="T-1", due_at=due, kind="call", deal="D-1")
    if sold:
        assert history.act("deal.win", "D-1", "ann")
    else:
        assert history.act("deal.lose", "D-1", "ann", reason="price")
    for view in ask(history, days=1):
        items = queue(view, rep="ann").items
        assert [(one.kind, one.deal, one.task, one.overdue) for one in items] == [
            ("task", "D-1", "T-1", True),
            ("deal", "D-2", None, False),
        ]


def test_a_step_of_nobody_with_a_lead_that_was_claimed_and_won_since_is_its_owners(history: History) -> None:
    assert history.act("lead.register", "L-3", "service:site", keys={"external": "three"})
    due = (BEGIN + timedelta(hours=1)).isoformat()
    assert history.act("task.plan", "L-3", "service:site", task="T-3", due_at=due, kind="call")
    assert history.act("lead.register", "L-4", "bob", keys={"external": "three"})
    assert history.act("deal.open", "D-3", "bob", lead="L-3", pipeline="sales")
    assert history.act("deal.win", "D-3", "bob")
    for view in ask(history, days=1):
        assert [(one.kind, one.task) for one in queue(view, rep="bob").items] == [("task", "T-3")]


def test_a_reopening_dated_before_the_close_counts_no_time_twice(history: History) -> None:
    assert history.act("deal.open", "D-1", "ann", lead="L-1", pipeline="sales")
    history.now += timedelta(days=8)
    assert history.act("deal.lose", "D-1", "ann", reason="price")
    assert history.act("deal.reopen", "D-1", "ann", reason="they called", occurred=BEGIN + timedelta(days=2))
    for view in ask(history, "occurred", days=-2):
        first, *_ = funnel(view, pipeline="sales").stages
        assert first.median_days == pytest.approx(6)
