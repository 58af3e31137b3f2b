"""What is recorded late is paid late, and never reopens the past."""

from conftest import Start
from payroll_company import Company


def test_a_win_recorded_late_but_before_the_close_is_paid_in_its_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.hire("cid", on="2026-02-03")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_win_recorded_after_the_close_belongs_to_the_first_open_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.close("2026-01")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_win_recorded_three_closes_late_skips_the_closed_months(company: Company) -> None:
    company.deal("D1", "ann")
    company.close("2026-01", "2026-02", "2026-03")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-04")
    assert company.paid("ann", "2026-03") == ["total 0.00"]
    assert company.paid("ann", "2026-04") == ["win D1 2026-04: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_months_closed_late_and_together_pay_each_win_in_its_own(company: Company) -> None:
    company.deal("D1", "ann")
    company.deal("D2", "ann")
    company.win("D2", "200.00", "2026-02-10")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert company.paid("ann", "2026-02") == ["win D2 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_a_win_from_before_the_log_began_is_paid_in_the_logs_first_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2025-11-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_an_owner_recorded_after_the_close_is_paid_as_an_adjustment_of_the_wins_month(
    company: Company,
) -> None:
    company.deal("D1", None)
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.claim("D1", "ann", "2026-02-03")
    company.claim("D1", "ann", "2026-02-04")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: 1000.00 at 5 % = 50.00",
        "total 50.00",
    ]


def test_a_plan_assigned_after_the_close_is_paid_as_an_adjustment_of_the_wins_month(start: Start) -> None:
    company = start()
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.plan("five", rate="5")
    company.assign("ann", "five", "2026-01-01")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: 1000.00 at 5 % = 50.00",
        "total 50.00",
    ]


def test_a_rate_recorded_after_the_close_is_paid_as_an_adjustment_of_the_wins_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20", "EUR")
    company.close("2026-01")
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: 1100.00 at 5 % = 55.00",
        "total 55.00",
    ]
