"""The log as objects: what an event is about, what it makes and what it changes."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.export.attributes import ENVELOPE, own
from adapters.export.concerns import NAMED, task_id
from adapters.export.objects import CHANGING, LASTING, Seen, World, bonds, columns_of
from adapters.postgres.codec import Codec
from domain.activities.events import TaskCompleted, TaskPlanned
from domain.deals.events import DealOpened, DealSplit, DealWon, Share, StageEntered
from domain.kernel import Event, Recorded
from domain.leads.events import (
    LeadAbsorbed,
    LeadClaimed,
    LeadMerged,
    LeadRegistered,
    SubjectAliased,
)
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payroll.events import LineDisputed, PeriodClosed
from domain.shared.personal import personal_fields
from domain.team.events import RepHired

assert Codec  # It imports every event.
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PLAIN_LISTS = frozenset({"keys", "shares", "stages", "loss_reasons", "plan", "totals", "lines"})
"""Fields that aren't plain values, and that name objects (if any) one by one."""

LEAD = ("lead-L", LeadRegistered(keys={"external": "1"}, name="Ada", channel="site"))
ANNS = ("lead-L", LeadClaimed(rep="ann", protection_days=90))
DEAL = ("deal-D", DealOpened(lead="L", pipeline="sales", amount=Decimal("1E+3"), currency="USD"))


def see(*entries: tuple[str, Event], actor: str = "service:site") -> Iterator[Seen]:
    world = World()
    for position, (stream, event) in enumerate(entries, start=1):
        at = NOON + timedelta(hours=position)
        yield world.see(Recorded(event, stream, position, position, at, at, actor, "test", str(position)))


def last(*entries: tuple[str, Event], actor: str = "service:site") -> Seen:
    return list(see(*entries, actor=actor))[-1]


def changes(seen: Iterable[Seen], name: str) -> list[tuple[str, object]]:
    return [
        change
        for one in seen
        for _, changed, news in one.changes
        if changed == name
        for change in news.items()
    ]


@pytest.mark.parametrize("kind", Event.catalogue.values(), ids=lambda kind: str(kind.stored_name))
def test_every_field_of_every_event_is_told_or_kept_out_on_purpose(kind: type[Event]) -> None:
    """A new field shows up here: it names an object, is personal, is structured, or is plain and exported."""
    if kind.__module__.split(".")[0] != "domain":
        pytest.skip("a test's own event")
    known = {*own(kind), *NAMED, *personal_fields(kind), *PLAIN_LISTS}
    assert set(kind.model_fields) <= known
    assert not set(own(kind)) & set(ENVELOPE), "two attributes of one name"


def test_attributes_of_an_object_have_different_names() -> None:
    for kind in LASTING:
        assert len(columns_of(kind)) == len(LASTING[kind]) + len(CHANGING[kind])


def test_a_deals_event_is_about_the_deal_its_lead_its_owner_and_the_rep_who_acts() -> None:
    seen = last(LEAD, ANNS, DEAL, ("deal-D", StageEntered(stage="Offer")), actor="bob")
    assert list(seen.concerns) == [
        ("deal-D", "deal"),
        ("rep-bob", "actor"),
        ("lead-L", "lead"),
        ("rep-ann", "owner"),
    ]


def test_a_service_is_no_object() -> None:
    assert list(last(LEAD).concerns) == [("lead-L", "lead")]


def test_past_its_term_a_claim_is_nobodys() -> None:
    short = ("lead-L", LeadClaimed(rep="ann", protection_days=0))
    assert ("rep-ann", "owner") not in last(LEAD, short, DEAL).concerns


def test_the_owner_of_a_merged_leads_deal_is_that_of_the_lead_that_stands_for_it() -> None:
    other = ("lead-M", LeadRegistered(keys={"external": "2"}))
    bobs = ("lead-M", LeadClaimed(rep="bob", protection_days=90))
    merged = ("lead-L", LeadMerged(into="M"))
    absorbed = ("lead-M", LeadAbsorbed(lead="L", owner="bob", previous="bob", protection_days=90))
    seen = last(LEAD, ANNS, other, bobs, DEAL, merged, absorbed, ("deal-D", StageEntered(stage="Offer")))
    assert ("rep-bob", "owner") in seen.concerns
    assert list(last(absorbed).concerns)[:2] == [("lead-M", "lead"), ("lead-L", "absorbed")]


def test_a_win_names_its_owner_once_and_a_split_every_rep() -> None:
    won = last(LEAD, ANNS, DEAL, ("deal-D", DealWon(stage="Offer", owner="eve")))
    assert [one for one in won.concerns if one[1] == "owner"] == [("rep-eve", "owner")]
    shares = (Share(rep="ann", percent=Decimal(60)), Share(rep="bob", percent=Decimal(40)))
    split = last(LEAD, ANNS, DEAL, ("deal-D", DealSplit(shares=shares)))
    assert {("rep-ann", "share"), ("rep-bob", "share")} <= set(split.concerns)


def test_a_task_is_named_within_its_lead_and_keeps_assignee_and_deal() -> None:
    planned = TaskPlanned(task="t", due_at=NOON, kind="call", assignee="ann", deal="D")
    seen = list(
        see(LEAD, DEAL, ("activity-L", planned), ("activity-L", TaskCompleted(task="t", result="ok")))
    )
    task = "task-L/t"
    assert seen[2].born == ("task", task, {"kind": "call"})
    assert set(bonds(seen[2])) == {(task, "lead-L", "lead"), (task, "deal-D", "deal")}
    concerned = {("lead-L", "lead"), (task, "task"), ("rep-ann", "assignee"), ("deal-D", "deal")}
    assert set(seen[2].concerns) == set(seen[3].concerns) == concerned
    assert changes(seen[3:], task) == [("status", "done")]
    assert task_id("A/b", "c") != task_id("A", "b/c")


def test_an_alias_is_no_object_and_its_event_is_about_the_lead() -> None:
    seen = last(LEAD, ("lead-X", SubjectAliased(lead="L")))
    assert seen.born is None
    assert seen.changes == []
    assert ("lead-L", "lead") in seen.concerns


def test_money_is_about_the_deal_that_it_is_matched_to() -> None:
    paid = ("payment-P", PaymentRecorded(deal=None, amount=Decimal(5), currency="USD"))
    matched = ("payment-P", PaymentMatched(deal="D"))
    back = ("payment-P", RefundRecorded(deal=None, amount=Decimal(5), currency="USD"))
    seen = list(see(LEAD, DEAL, paid, matched, back))
    assert ("deal-D", "deal") not in seen[2].concerns
    assert ("deal-D", "deal") in seen[4].concerns
    assert changes(seen, "payment-P") == [("deal", "D")]
    assert [one.born for one in seen[3:]] == [None, None]
    assert list(bonds(seen[3])) == [("payment-P", "deal-D", "deal")]


def test_only_what_changed_is_told_again() -> None:
    seen = list(see(LEAD, ANNS, DEAL, *2 * [("deal-D", StageEntered(stage="Offer"))]))
    assert seen[2].born == ("deal", "deal-D", {"pipeline": "sales", "product": None})
    assert changes(seen, "deal-D") == [
        ("status", "open"),
        ("amount", Decimal(1000)),
        ("currency", "USD"),
        ("stage", "Offer"),
    ]
    assert changes(seen, "lead-L") == [("status", "open"), ("owner", "ann")]


def test_a_rep_who_comes_back_is_the_same_object() -> None:
    seen = list(see(("rep-ann", RepHired(name="Ann")), ("rep-ann", RepHired(name="Ann", branch="north"))))
    assert [one.born is not None for one in seen] == [True, False]
    assert changes(seen[1:], "rep-ann") == [("branch", "north")]


def test_a_statements_event_is_about_its_period_and_rep() -> None:
    closed = PeriodClosed(cutoff_position=3, timezone="UTC", currency="USD", statements=1, totals={})
    seen = list(
        see(("period-2026-01", closed), ("statement-2026-01/a/nn", LineDisputed(line=1, reason="wrong")))
    )
    assert seen[0].born is not None
    assert list(seen[1].concerns) == [("period-2026-01", "period"), ("rep-a/nn", "rep")]
