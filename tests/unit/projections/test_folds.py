"""Events to rows, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.projecting.rows import Memory
from domain.activities.events import TaskCompleted, TaskPlanned
from domain.deals.events import (
    DealAmended,
    DealLost,
    DealOpened,
    DealReopened,
    DealSplit,
    DealWon,
    Share,
    StageEntered,
)
from domain.kernel import Event, Recorded
from domain.leads.events import (
    ClaimLapsed,
    LeadAbsorbed,
    LeadAssigned,
    LeadClaimed,
    LeadDisqualified,
    LeadMerged,
    LeadParted,
    LeadRegistered,
    LeadReleased,
    LeadUnmerged,
    LeadWorked,
    SubjectAliased,
)
from domain.leads.model import LEAD
from domain.pipelines.events import PipelineDefined, Stage
from domain.team.events import RepHired, RepLeft, RepTransferred
from projections.deals import DealClose, DealRow, Deals, DealShare, StageVisit
from projections.kernel import Projection
from projections.leads import LeadPointer, LeadRow, Leads, Ownership
from projections.next_steps import NextSteps, TaskRow
from projections.pipelines import PipelineRow, Pipelines, StageRow
from projections.team import RepRow, Team

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000


def facts(stream: str, events: Sequence[Event]) -> list[Recorded[Event]]:
    """One event an hour, each recorded as it occurs."""
    return [
        Recorded(
            event=event,
            stream=stream,
            version=at,
            position=at,
            occurred_at=NOON + at * HOUR,
            recorded_at=NOON + at * HOUR,
            actor="ann",
            source="test",
            action=str(at),
        )
        for at, event in enumerate(events, start=1)
    ]


def fold(projection: Projection, stream: str, *events: Event) -> Memory:
    rows = Memory(projection.rows)
    for fact in facts(stream, events):
        rows.entity = fact.entity
        projection.apply(fact, rows)
    return rows


OPENED = DealOpened(lead="L-1", pipeline="sales", amount=Decimal("5.00"), currency="USD")


def entered(stage: str) -> StageEntered:
    return StageEntered(stage=stage)


def won(amount: str | None = None) -> DealWon:
    return DealWon(
        stage="a", owner="ann", amount=Decimal(amount) if amount else None, currency=amount and "EUR"
    )


def test_the_latest_visit_to_a_stage_knows_what_the_earlier_ones_took() -> None:
    rows = fold(Deals(), "deal-D", OPENED, entered("a"), entered("b"), entered("a"), entered("b"), won())
    visits = [rows.get(StageVisit, "D", at) for at in range(1, 5)]
    assert [(one.stage, one.latest, one.earlier_us, one.spent_us) for one in visits] == [
        ("a", False, 0, HOUR_US),
        ("b", False, 0, HOUR_US),
        ("a", True, HOUR_US, HOUR_US),
        ("b", True, HOUR_US, HOUR_US),
    ]
    assert rows.get(DealRow, "D").visited == ("a", "b")


def test_a_close_is_kept_when_the_deal_is_reopened_and_closed_again() -> None:
    lost = DealLost(stage="a", owner="ann", reason="price")
    reopened = DealReopened(stage="a", reason="came back")
    rows = fold(Deals(), "deal-D", OPENED, entered("a"), lost, reopened, won("7.00"))
    deal = rows.get(DealRow, "D")
    assert (deal.status, deal.loss_reason, deal.amount, deal.currency) == (
        "won",
        None,
        Decimal("7.00"),
        "EUR",
    )
    assert (deal.cycle_us, deal.open_since, deal.closed_owner) == (4 * HOUR_US, NOON + 4 * HOUR, "ann")
    closes = [rows.get(DealClose, "D", at) for at in (1, 2)]
    assert [(one.outcome, one.reason, one.position, one.reopened_at) for one in closes] == [
        ("lost", "price", 3, NOON + 4 * HOUR),
        ("won", None, 5, None),
    ]


def test_while_a_deal_is_open_its_close_is_empty() -> None:
    rows = fold(Deals(), "deal-D", OPENED, entered("a"), won(), DealReopened(stage="a", reason="oops"))
    deal = rows.get(DealRow, "D")
    assert (deal.status, deal.closed_at, deal.closed_position, deal.closed_owner, deal.cycle_us) == (
        "open",
        None,
        None,
        None,
        None,
    )


def test_amending_a_won_deal_amends_its_close_and_leaves_earlier_ones() -> None:
    amended = DealAmended(amount=Decimal("9.00"), currency="USD")
    rows = fold(
        Deals(),
        "deal-D",
        OPENED,
        entered("a"),
        won("6.00"),
        DealReopened(stage="a", reason="x"),
        won(),
        amended,
    )
    assert [rows.get(DealClose, "D", at).amount for at in (1, 2)] == [Decimal("6.00"), Decimal("9.00")]


def test_a_smaller_split_leaves_no_share_of_the_larger_one() -> None:
    three = DealSplit(shares=tuple(Share(rep=rep, percent=Decimal(20)) for rep in "abc"))
    one = DealSplit(shares=(Share(rep="z", role="closer", percent=Decimal(100)),))
    rows = fold(Deals(), "deal-D", OPENED, entered("a"), three, one)
    assert rows.get(DealShare, "D", 1).rep == "z"
    assert len(rows.kept[DealShare]) == 1


def test_an_event_of_a_deal_never_opened_is_an_error_and_not_skipped() -> None:
    with pytest.raises(LookupError):
        fold(Deals(), "deal-D", entered("a"))


def test_a_step_planned_anew_is_moved_and_an_ended_one_says_when() -> None:
    def planned(hours: int) -> TaskPlanned:
        return TaskPlanned(task="T", due_at=NOON + hours * HOUR, kind="call")

    rows = fold(NextSteps(), "activity-L", planned(5), planned(9))
    assert rows.get(TaskRow, "L", "T").due_at == NOON + 9 * HOUR
    rows = fold(NextSteps(), "activity-L", planned(5), TaskCompleted(task="T", result="spoke"))
    task = rows.get(TaskRow, "L", "T")
    assert (task.status, task.ended_at, task.result) == ("done", NOON + 2 * HOUR, "spoke")


def test_a_pipeline_defined_anew_has_the_new_stages_only() -> None:
    def defined(*names: str) -> PipelineDefined:
        stages = tuple(Stage(name=name, days=3) for name in names)
        return PipelineDefined(stages=stages, loss_reasons=("price",), protection_days=30)

    rows = fold(Pipelines(), "pipeline-P", defined("a", "b", "c"), defined("a", "z"))
    assert [rows.get(StageRow, "P", at).name for at in (1, 2)] == ["a", "z"]
    assert (len(rows.kept[StageRow]), rows.get(PipelineRow, "P").version) == (2, 2)


def test_a_rep_moves_and_leaves_and_comes_back() -> None:
    hired, moved = RepHired(name="Ann"), RepTransferred(name="Ann", manager="eva", branch="north")
    rep = fold(Team(), "rep-ann", hired, moved, RepLeft(successor="bob")).get(RepRow, "ann")
    assert (rep.status, rep.manager, rep.branch, rep.successor) == ("left", "eva", "north", "bob")
    rep = fold(Team(), "rep-ann", hired, RepLeft(successor="bob"), hired).get(RepRow, "ann")
    assert (rep.status, rep.left_at, rep.successor) == ("employed", None, None)


def test_an_alias_points_and_a_merged_lead_points_until_it_is_parted() -> None:
    assert fold(Leads(), "lead-L", SubjectAliased(lead="M")).get(LeadPointer, "L").points_to == "M"
    merged = (LeadRegistered(keys={}), LeadMerged(into="M"))
    assert fold(Leads(), "lead-L", *merged).get(LeadPointer, "L").points_to == "M"
    parted = LeadUnmerged(parted_from="M", owner=None, protection_days=90)
    assert fold(Leads(), "lead-L", *merged, parted).find(LeadPointer, "L") is None


REPS = st.sampled_from(["ann", "bob"])
MAYBE = st.none() | REPS
DAYS = st.integers(min_value=0, max_value=2)
DEALS = st.sampled_from(["D-1", "D-2"])
SETS = st.lists(DEALS, unique=True, max_size=2).map(tuple)
WORKED_AT = st.none() | st.integers(min_value=-30, max_value=0).map(lambda hours: NOON + hours * HOUR)
GIVEN: dict[str, Any] = {
    "lead": st.just("M"),
    "owner": MAYBE,
    "protection_days": DAYS,
    "worked_at": WORKED_AT,
}
WORKS = st.sampled_from(["contact", "deal_opened", "stage_entered", "deal_won", "deal_lost", "deal_reopened"])
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(LeadClaimed, rep=REPS, protection_days=DAYS),
    st.builds(LeadAssigned, rep=REPS, previous=MAYBE, reason=st.just("conflict"), protection_days=DAYS),
    st.builds(LeadWorked, work=WORKS, deal=st.none() | DEALS, protection_days=st.none() | DAYS),
    st.builds(ClaimLapsed, rep=REPS, lapsed_at=st.just(NOON)),
    st.builds(LeadReleased, rep=REPS, reason=st.just("ill")),
    st.builds(LeadAbsorbed, previous=MAYBE, open_deals=SETS, won_deals=SETS, **GIVEN),
    st.builds(LeadMerged, into=st.just("M")),
    st.builds(LeadDisqualified, reason=st.just("spam")),
)


@given(events=st.lists(EVENTS, max_size=12), parted=SETS)
def test_the_rows_agree_with_what_decisions_know(events: list[Event], parted: tuple[str, ...]) -> None:
    history: list[Event] = [LeadRegistered(keys={"phone": "+4930123456"})]
    absorbed = False
    for event in events:
        history.append(event)
        if isinstance(event, LeadAbsorbed) and not absorbed:
            absorbed = True
            history.append(LeadParted(lead="M", owner="ann", protection_days=1, deals=parted))
        if isinstance(event, LeadMerged):
            unmerged = LeadUnmerged(parted_from="M", owner="bob", protection_days=1, won_deals=parted)
            history.append(unmerged)
    lead = LEAD.fold("L", facts("lead-L", history))
    rows = fold(Leads(), "lead-L", *history)
    row = rows.get(LeadRow, "L")

    assert row.status == lead.status
    assert (set(row.open_deals), set(row.won_deals)) == (lead.open_deals, lead.won_deals)
    assert row.owner == (lead.claim.rep if lead.claim else None)
    assert row.expires_at == (lead.claim.expires_at if lead.claim else None)
    if lead.claim:
        assert row.since == lead.claim.since
    last = max(rows.kept[Ownership].values(), key=lambda one: one.position)  # type: ignore[attr-defined]
    assert last.owner == row.owner  # type: ignore[attr-defined]
