"""Tiers and quotas, also when a late deal crosses a step."""

from typing import Any

import pytest
from conftest import Start
from payroll_company import Company

STEPS = [{"above": "0", "percent": "5"}, {"above": "1000", "percent": "10"}]


def tiers(method: str, window: str = "month", measure: str = "amount") -> dict[str, Any]:
    return {"method": method, "measure": measure, "window": window, "steps": STEPS}


def sell(company: Company, *deals: tuple[str, str, str]) -> None:
    for deal, amount, day in deals:
        company.deal(deal, "ann")
        company.win(deal, amount, day)


def earning(start: Start, **plan: Any) -> Company:
    company = start()
    company.plan("steps", **plan)
    company.assign("ann", "steps")
    return company


def test_marginal_tiers_pay_each_slice_at_its_own_percent(start: Start) -> None:
    company = earning(start, tiers=tiers("marginal"))
    sell(company, ("D1", "800.00", "2026-01-10"), ("D2", "500.00", "2026-01-20"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 800.00 at 5 % = 40.00",
        "win D2 2026-01: 200.00 at 5 % = 10.00",
        "win D2 2026-01: 300.00 at 10 % = 30.00",
        "total 80.00",
    ]


def test_retroactive_tiers_pay_the_whole_month_at_the_percent_reached(start: Start) -> None:
    company = earning(start, tiers=tiers("retroactive"))
    sell(company, ("D1", "800.00", "2026-01-10"), ("D2", "500.00", "2026-01-20"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 800.00 at 10 % = 80.00",
        "win D2 2026-01: 500.00 at 10 % = 50.00",
        "total 130.00",
    ]


@pytest.mark.parametrize("method", ["marginal", "retroactive"])
def test_a_step_begins_above_its_amount(start: Start, method: str) -> None:
    company = earning(start, tiers=tiers(method))
    sell(company, ("D1", "1000.00", "2026-01-10"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


@pytest.mark.parametrize("method", ["marginal", "retroactive"])
def test_every_month_begins_at_the_bottom(start: Start, method: str) -> None:
    company = earning(start, tiers=tiers(method))
    sell(company, ("D1", "1000.00", "2026-01-10"), ("D2", "1000.00", "2026-02-10"))
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-02") == ["win D2 2026-02: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_late_deal_counts_in_the_month_that_pays_it(start: Start) -> None:
    """Won in January but recorded in February: January's step isn't crossed, February's is."""
    company = earning(start, tiers=tiers("retroactive"))
    sell(company, ("D1", "800.00", "2026-01-10"))
    company.close("2026-01")
    sell(company, ("D2", "500.00", "2026-01-20"), ("D3", "600.00", "2026-02-10"))
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 800.00 at 5 % = 40.00", "total 40.00"]
    assert company.paid("ann", "2026-02") == [
        "win D2 2026-02: 500.00 at 10 % = 50.00",
        "win D3 2026-02: 600.00 at 10 % = 60.00",
        "total 110.00",
    ]


def test_a_later_month_of_the_quarter_raises_the_earlier_ones_retroactively(start: Start) -> None:
    company = earning(start, tiers=tiers("retroactive", "quarter"))
    sell(company, ("D1", "800.00", "2026-01-10"), ("D2", "500.00", "2026-02-20"))
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 800.00 at 5 % = 40.00", "total 40.00"]
    assert sorted(company.paid("ann", "2026-02")) == [
        "adjustment D1 2026-01: -800.00 at 5 % = -40.00",
        "adjustment D1 2026-01: 800.00 at 10 % = 80.00",
        "total 90.00",
        "win D2 2026-02: 500.00 at 10 % = 50.00",
    ]


def test_a_refund_drops_the_whole_quarter_below_the_step_again(start: Start) -> None:
    """1300.00 at 10 % were paid; 900.00 at 5 % are left: 130.00 less 45.00 is taken back."""
    company = earning(start, tiers=tiers("retroactive", "quarter"))
    sell(company, ("D1", "800.00", "2026-01-10"), ("D2", "500.00", "2026-02-20"))
    company.close("2026-01", "2026-02")
    company.refund("R1", "D2", "400.00", "2026-03-05")
    company.close("2026-03")
    assert company.paid("ann", "2026-03")[-1] == "total -85.00"


def test_a_late_deal_crosses_the_step_of_the_quarter_at_the_margin(start: Start) -> None:
    company = earning(start, tiers=tiers("marginal", "quarter"))
    sell(company, ("D1", "800.00", "2026-01-10"))
    company.close("2026-01")
    sell(company, ("D2", "500.00", "2026-01-05"))
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "win D2 2026-02: 200.00 at 5 % = 10.00",
        "win D2 2026-02: 300.00 at 10 % = 30.00",
        "total 40.00",
    ]


def test_quarters_are_those_of_the_calendar(start: Start) -> None:
    company = earning(start, tiers=tiers("marginal", "quarter"))
    sell(company, ("D1", "1000.00", "2026-03-31"), ("D2", "1000.00", "2026-04-01"))
    company.close("2026-01", "2026-02", "2026-03", "2026-04")
    assert company.paid("ann", "2026-04") == ["win D2 2026-04: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_quota_with_an_accelerator(start: Start) -> None:
    """Up to 100 % of 2000.00 at 5 %, above it 8 %: 2000.00 and 500.00."""
    accelerated = {
        "method": "marginal",
        "measure": "attainment",
        "window": "month",
        "steps": [{"above": "0", "percent": "5"}, {"above": "100", "percent": "8"}],
    }
    company = earning(start, tiers=accelerated, quota={"default": "9000", "reps": {"ann": "2000"}})
    sell(company, ("D1", "2500.00", "2026-01-10"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 2000.00 at 5 % = 100.00",
        "win D1 2026-01: 500.00 at 8 % = 40.00",
        "total 140.00",
    ]


def test_a_step_within_a_minor_unit_leaves_whole_minor_units(start: Start) -> None:
    """Half of a quota of 100.01 is 50.005: a clerk can't write that down as a basis."""
    halves = {
        "method": "marginal",
        "measure": "attainment",
        "window": "month",
        "steps": [{"above": "0", "percent": "5"}, {"above": "50", "percent": "10"}],
    }
    company = earning(start, tiers=halves, quota={"default": "100.01"})
    sell(company, ("D1", "100.00", "2026-01-10"))
    company.close("2026-01")
    bases = [line.split(": ")[1].split(" at ")[0] for line in company.paid("ann", "2026-01")[:-1]]
    assert [len(basis.split(".")[1]) for basis in bases] == [2, 2]


@pytest.mark.parametrize("method", ["marginal", "retroactive"])
def test_a_negative_month_is_at_the_lowest_percent(start: Start, method: str) -> None:
    company = earning(start, tiers=tiers(method))
    sell(company, ("D1", "-300.00", "2026-01-10"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: -300.00 at 5 % = -15.00", "total -15.00"]


def test_a_negative_deal_takes_from_the_highest_slice_first(start: Start) -> None:
    company = earning(start, tiers=tiers("marginal"))
    sell(company, ("D1", "1200.00", "2026-01-10"), ("D2", "-500.00", "2026-01-20"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01")[-1] == "total 35.00"  # 700.00 at 5 %


def test_a_new_version_of_the_plan_goes_on_counting(start: Start) -> None:
    company = earning(start, tiers=tiers("marginal"))
    sell(company, ("D1", "1200.00", "2026-01-10"))
    higher = [{"above": "0", "percent": "5"}, {"above": "1000", "percent": "20"}]
    company.plan("steps", tiers={**tiers("marginal"), "steps": higher})
    company.assign("ann", "steps", "2026-01-15")
    sell(company, ("D2", "100.00", "2026-01-20"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 1000.00 at 5 % = 50.00",
        "win D1 2026-01: 200.00 at 10 % = 20.00",
        "win D2 2026-01: 100.00 at 20 % = 20.00",
        "total 90.00",
    ]


def test_what_a_flat_version_paid_counts_for_the_tiers_of_the_next(start: Start) -> None:
    company = earning(start, rate="3")
    sell(company, ("D1", "800.00", "2026-01-10"))
    company.plan("steps", tiers=tiers("marginal"))
    company.assign("ann", "steps", "2026-01-15")
    sell(company, ("D2", "500.00", "2026-01-20"))
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 800.00 at 3 % = 24.00",
        "win D2 2026-01: 200.00 at 5 % = 10.00",
        "win D2 2026-01: 300.00 at 10 % = 30.00",
        "total 64.00",
    ]
