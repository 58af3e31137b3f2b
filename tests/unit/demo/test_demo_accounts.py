"""The demo's money: who pays what when, what is worth what, and which months are closed."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.demo.catalogue import PLANS
from adapters.demo.generator import generate
from domain.shared.periods import Period
from services.plan_documents import read_plan

END = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> Mapping[str, list[dict[str, Any]]]:
    """The actions by type."""
    found = defaultdict(list)
    for action in generate(7, 1_000, END):
        found[action["type"]].append(action)
    return found


def happened(action: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(action["time"])


def recorded(action: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(action["recordedtime"])


def test_every_month_that_ended_early_enough_is_closed_in_order_by_payroll(
    told: Mapping[str, list[dict[str, Any]]],
) -> None:
    closes = told["period.close"]
    assert [one["subject"] for one in closes] == [f"2025-{n:02}" for n in range(5, 13)] + [
        f"2026-{n:02}" for n in range(1, 11)
    ]
    assert {one["actor"] for one in closes} == {"payroll:office"}
    for one in closes:
        assert recorded(one).day > 2
        assert Period.at(recorded(one), ZoneInfo("UTC")).previous == Period.parse(one["subject"])


def test_the_plans_are_sound_and_everybody_but_the_director_has_one_from_their_first_day(
    told: Mapping[str, list[dict[str, Any]]],
) -> None:
    for document in PLANS.values():
        assert read_plan(document).currency == "USD"
    hired = {one["subject"]: recorded(one).date().isoformat() for one in told["rep.hire"]}
    assigned = {one["subject"]: one["data"] for one in told["plan.assign"]}
    assert set(hired) - set(assigned) == {"rep-1"}
    assert all(data["from"] == hired[rep] for rep, data in assigned.items())
    assert {data["plan"] for data in assigned.values()} == set(PLANS)


def test_the_customers_pay_their_deals_whole_but_what_is_still_due(
    told: Mapping[str, list[dict[str, Any]]],
) -> None:
    paid: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for one in told["payment.record"]:
        paid[one["subject"]] += Decimal(one["data"]["amount"])
    won = {}
    for one in [*told["deal.open"], *told["deal.amend"], *told["deal.win"]]:
        won[one["subject"]] = Decimal(one["data"].get("amount") or won[one["subject"]])
    old = [one["subject"] for one in told["deal.win"] if END - recorded(one) > timedelta(days=120)]
    reopened = {one["subject"] for one in told["deal.reopen"]}
    ghost = paid.pop(None)
    short = [won[deal] - paid[deal] for deal in old if deal not in reopened and paid[deal] != won[deal]]
    assert short in ([], [ghost])
    assert all(paid[deal] <= won[deal] for deal in paid if deal is not None)


def test_one_payment_names_no_deal_and_some_are_recorded_weeks_late(
    told: Mapping[str, list[dict[str, Any]]],
) -> None:
    (ghost,) = (one for one in told["payment.record"] if one["subject"] is None)
    assert ghost["data"]["reference"]
    lags = [recorded(one) - happened(one) for one in told["payment.record"]]
    assert 1 <= sum(lag > timedelta(days=12) for lag in lags) < len(lags) / 10


def test_refunds_come_after_their_payment_and_are_no_larger(
    told: Mapping[str, list[dict[str, Any]]],
) -> None:
    payments = {one["data"]["payment"]: one for one in told["payment.record"]}
    assert 1 <= len(told["refund.record"]) < len(payments) / 10
    for one in told["refund.record"]:
        payment = payments[one["data"]["payment"]]
        assert happened(one) > happened(payment)
        assert Decimal(one["data"]["amount"]) <= Decimal(payment["data"]["amount"])


def test_the_euro_has_a_rate_on_every_day_on_which_it_moved_but_one(
    told: Mapping[str, list[dict[str, Any]]],
) -> None:
    rated = Counter(one["data"]["date"] for one in told["rate.record"])
    assert set(rated.values()) == {1}
    currency = {one["subject"]: one["data"]["currency"] for one in told["deal.open"]}
    moved = {one["time"][:10] for one in told["deal.win"] if currency[one["subject"]] == "EUR"}
    moved |= {
        one["time"][:10]
        for kind in ("payment.record", "refund.record")
        for one in told[kind]
        if one["data"]["currency"] == "EUR"
    }
    assert len(moved - set(rated)) == 1
    assert set(rated) <= moved
