"""What money was worth on a day, and what channels cost."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from scenario import NOON, Scenario

from adapters.postgres.projecting.rows import Memory
from domain.finance.decisions import record_cost, record_rate
from domain.finance.events import CostRecorded, RateRecorded
from domain.finance.model import COSTS, RATES, Costs, Rates
from domain.shared.rejections import InvalidData
from domain.shared.repeated import NothingChanged
from projections.payroll import finance

DAY = date(2026, 3, 2)
SENT: dict[str, Any] = {"quote": "USD", "rate": Decimal("1.0834"), "day": DAY, "now": NOON}
RECORDED = RateRecorded(quote="USD", rate=Decimal("1.0834"), day=DAY)


def euro(*events: Any) -> Scenario[Rates]:
    return Scenario(RATES, "EUR").given(*events)


def test_a_rate_is_recorded_for_its_day() -> None:
    euro().when(record_rate, **SENT).then(RECORDED)


def test_the_same_rate_again_changes_nothing_however_it_is_written() -> None:
    euro(RECORDED).when(record_rate, **(SENT | {"rate": Decimal("1.083400")})).then_nothing()


def test_another_rate_for_the_same_day_corrects_and_may_go_back() -> None:
    other = RateRecorded(quote="USD", rate=Decimal("1.09"), day=DAY)
    scenario = euro(RECORDED).when(record_rate, **(SENT | {"rate": Decimal("1.09")})).then(other)
    scenario.when(record_rate, **SENT).then(RECORDED)


@pytest.mark.parametrize("other", [{"quote": "GBP"}, {"day": date(2026, 3, 1)}])
def test_the_same_rate_of_another_day_or_in_another_currency_is_another_one(other: dict[str, Any]) -> None:
    told = {"quote": "USD", "day": DAY} | other
    euro(RECORDED).when(record_rate, **(SENT | other)).then(RateRecorded(rate=Decimal("1.0834"), **told))


@pytest.mark.parametrize(
    ("rate", "kept"),
    [
        ("1E+3", "1000"),
        ("1.50", "1.5"),
        ("0.000000000001", "1E-12"),
        ("999999999.999999999999", "999999999.999999999999"),
    ],
)
def test_a_rate_is_kept_exactly_without_needless_zeros(rate: str, kept: str) -> None:
    (event,) = euro().when(record_rate, **(SENT | {"rate": Decimal(rate)})).came
    assert str(event.rate) == kept


@pytest.mark.parametrize("rate", ["0", "-1", "1000000000", "1.0000000000001", "1e-13", "1e999999"])
def test_a_rate_that_is_not_sane_is_refused(rate: str) -> None:
    euro().when(record_rate, **(SENT | {"rate": Decimal(rate)})).then_rejected(InvalidData, field="rate")


@pytest.mark.parametrize(
    ("subject", "quote", "field"),
    [
        ("EURO", "USD", "subject"),
        ("eur", "USD", "subject"),
        ("XAU", "USD", "subject"),
        ("EUR", "USX", "in"),
        ("EUR", "EUR", "in"),
    ],
)
def test_what_is_no_currency_or_the_same_one_has_no_rate(subject: str, quote: str, field: str) -> None:
    Scenario(RATES, subject).when(record_rate, **(SENT | {"quote": quote})).then_rejected(
        InvalidData, field=field
    )


def test_a_day_that_has_begun_nowhere_has_no_rate_yet() -> None:
    """On the islands where it is tomorrow first, 3 March begins at 10:00 UTC of the 2nd."""
    tomorrow = SENT | {"day": date(2026, 3, 3)}
    before, since = (datetime(2026, 3, 2, *at, tzinfo=UTC) for at in ((9, 59), (10, 0)))
    euro().when(record_rate, **(tomorrow | {"now": before})).then_rejected(InvalidData, field="date")
    euro().when(record_rate, **(tomorrow | {"now": since})).then(
        RateRecorded(quote="USD", rate=Decimal("1.0834"), day=date(2026, 3, 3))
    )


COST: dict[str, Any] = {"currency": "USD", "first_day": DAY, "last_day": date(2026, 3, 31)}


@pytest.mark.parametrize(("amount", "kept"), [("12.5", "12.50"), ("0", "0.00")])
def test_a_cost_is_recorded_in_full_minor_units(amount: str, kept: str) -> None:
    (event,) = Scenario(COSTS, "site").when(record_cost, amount=Decimal(amount), **COST).came
    assert event == CostRecorded(amount=Decimal(kept), **COST)
    assert str(event.amount) == kept


def test_the_same_cost_again_is_another_one() -> None:
    cost = CostRecorded(amount=Decimal("12.50"), **COST)
    Scenario(COSTS, "site").given(cost).when(record_cost, amount=Decimal("12.5"), **COST).then(cost)


def test_a_cost_of_one_day_begins_and_ends_on_it() -> None:
    one_day = COST | {"last_day": DAY}
    Scenario(COSTS, "site").when(record_cost, amount=Decimal(1), **one_day).then(
        CostRecorded(amount=Decimal("1.00"), **one_day)
    )


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"amount": Decimal("-0.01")}, "amount"),
        ({"amount": Decimal("0.001")}, "amount"),
        ({"currency": "BTC"}, "currency"),
        ({"last_day": date(2026, 3, 1)}, "to"),
    ],
)
def test_a_cost_that_cannot_be_is_refused(other: dict[str, Any], field: str) -> None:
    said = {"amount": Decimal(1), **COST} | other
    Scenario(COSTS, "site").when(record_cost, **said).then_rejected(InvalidData, field=field)


def test_an_action_that_changed_nothing_leaves_no_trace_in_what_is_known() -> None:
    assert euro(NothingChanged(action="rate.record")).state == Rates("EUR")
    assert Scenario(COSTS, "site").given(NothingChanged(action="cost.record")).state == Costs("site")


def test_of_two_rates_for_a_day_the_later_one_is_in_the_table() -> None:
    scenario = euro(RECORDED, RateRecorded(quote="USD", rate=Decimal("1.09"), day=DAY))
    rows = Memory(finance.Rates.rows)
    rows.entity = "EUR"
    for fact in scenario.facts:
        finance.Rates().apply(fact, rows)
    (row,) = rows.kept[finance.ExchangeRate].values()
    assert isinstance(row, finance.ExchangeRate)
    assert (row.currency, row.quote, row.day, row.rate, row.position) == (
        "EUR",
        "USD",
        DAY,
        Decimal("1.09"),
        2,
    )
