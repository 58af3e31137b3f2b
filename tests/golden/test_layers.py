"""Corrections of a win: each step upwards is earned on its own day, and can be lost for 30 days from then."""

import pytest
from conftest import Start
from payroll_company import Company


@pytest.fixture
def company(start: Start) -> Company:
    """Ann won D1 for 1000.00 on 5 January at 5 %, and was paid for it."""
    company = start()
    company.plan("month", rate="5", clawback_days=30)
    company.assign("ann", "month")
    company.rate("EUR", "USD", "1.20", "2026-01-05")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-05")
    company.close("2026-01")
    return company


def test_a_typo_long_after_the_win_is_put_right_at_once(company: Company) -> None:
    company.amend("D1", "10000.00", "2026-02-20T12:00:00+00:00")
    company.amend("D1", "1000.00", "2026-02-20T12:05:00+00:00")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["total 0.00"]


@pytest.mark.parametrize(
    ("put_right", "taken"),
    [
        ("2026-03-22", ["adjustment D1 2026-01: -9000.00 at 5 % = -450.00", "total -450.00"]),  # day 30
        ("2026-03-23", ["total 0.00"]),  # An upward correction of so long ago stays.
    ],
)
def test_a_correction_upwards_can_be_lost_for_30_days_from_its_own(
    company: Company, put_right: str, taken: list[str]
) -> None:
    company.amend("D1", "10000.00", "2026-02-20")
    company.close("2026-02")
    company.amend("D1", "1000.00", put_right)
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: 9000.00 at 5 % = 450.00",
        "total 450.00",
    ]
    assert company.paid("ann", "2026-03") == taken


def test_a_correction_upwards_within_the_wins_window_has_its_own(company: Company) -> None:
    """On 20 February the 1000.00 can't be lost any more, the 300.00 of 1 February can."""
    company.amend("D1", "1300.00", "2026-02-01")
    company.close("2026-02")
    company.amend("D1", "900.00", "2026-02-20")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 300.00 at 5 % = 15.00", "total 15.00"]
    assert company.paid("ann", "2026-03") == [
        "adjustment D1 2026-01: -300.00 at 5 % = -15.00",
        "total -15.00",
    ]


def test_the_newest_is_taken_first_and_what_is_past_its_window_stays(company: Company) -> None:
    """1000.00, 500.00 of 20 February, 200.00 of 10 March less 100.00: on 5 April only that can be lost."""
    company.amend("D1", "1500.00", "2026-02-20")
    company.close("2026-02")
    company.amend("D1", "1700.00", "2026-03-10")
    company.amend("D1", "1600.00", "2026-03-12")
    company.close("2026-03")
    company.amend("D1", "900.00", "2026-04-05")
    company.close("2026-04")
    assert company.paid("ann", "2026-02")[-1] == "total 25.00"
    assert company.paid("ann", "2026-03")[-1] == "total 5.00"
    assert company.paid("ann", "2026-04") == ["adjustment D1 2026-01: -100.00 at 5 % = -5.00", "total -5.00"]


def test_within_the_window_all_is_taken_and_more(company: Company) -> None:
    company.amend("D1", "1500.00", "2026-01-20")
    company.amend("D1", "-100.00", "2026-02-01")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -1100.00 at 5 % = -55.00",
        "total -55.00",
    ]


def test_an_amount_named_later_has_the_wins_own_window(company: Company) -> None:
    company.deal("D2", "ann")
    company.win("D2", None, "2026-02-01")
    company.amend("D2", "1000.00", "2026-02-20")
    company.close("2026-02")
    company.amend("D2", "900.00", "2026-03-03")
    company.amend("D2", "800.00", "2026-03-04")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["win D2 2026-02: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D2 2026-02: -100.00 at 5 % = -5.00", "total -5.00"]


def test_a_typo_in_the_currency_is_put_right(company: Company) -> None:
    """1000.00 EUR are 1100.00 USD that day: not less, so they replace what was earned; then USD again."""
    company.rate("EUR", "USD", "1.10", "2026-02-20")
    company.rate("USD", "EUR", "0.90", "2026-02-20")
    company.amend("D1", "1000.00", "2026-02-20T12:00:00+00:00", "EUR")
    company.amend("D1", "1000.00", "2026-02-20T12:05:00+00:00")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["total 0.00"]


def test_a_correction_into_another_currency_that_is_not_less_replaces_all(company: Company) -> None:
    """1000.00 EUR, in money of the day of the win: 1200.00 USD. It can be lost for 30 days from then."""
    company.rate("EUR", "USD", "1.10", "2026-02-20")
    company.amend("D1", "1000.00", "2026-02-20", "EUR")
    company.close("2026-02")
    company.amend("D1", "900.00", "2026-03-22", "EUR")
    company.amend("D1", "800.00", "2026-03-23", "EUR")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 200.00 at 5 % = 10.00", "total 10.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-01: -120.00 at 5 % = -6.00", "total -6.00"]


def test_a_correction_into_less_of_another_currency_past_the_window_is_left_out(company: Company) -> None:
    """800.00 EUR are 880.00 USD that day. Another 920.00 EUR, 1012.00 USD, are more."""
    company.rate("EUR", "USD", "1.10", "2026-02-20")
    company.amend("D1", "800.00", "2026-02-20", "EUR")
    company.close("2026-02")
    company.rate("EUR", "USD", "1.10", "2026-03-20")
    company.amend("D1", "920.00", "2026-03-20", "EUR")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["total 0.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-01: 104.00 at 5 % = 5.20", "total 5.20"]


def test_a_correction_into_another_currency_without_a_rate_replaces(company: Company) -> None:
    """There is no rate of 20 February to compare by; 800.00 EUR are 960.00 USD by that of the win's day."""
    company.amend("D1", "800.00", "2026-02-20", "EUR")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: -40.00 at 5 % = -2.00", "total -2.00"]


def test_a_refund_counts_from_the_day_of_the_win(company: Company) -> None:
    company.amend("D1", "1500.00", "2026-02-20")
    company.close("2026-02")
    company.refund("R1", "D1", "400.00", "2026-03-01")
    company.close("2026-03")
    assert company.paid("ann", "2026-03") == ["total 0.00"]
