"""Refunds, reopenings and downward corrections, in and past the clawback window of 30 days."""

import pytest
from conftest import Start
from payroll_company import Company


@pytest.fixture
def company(start: Start) -> Company:
    """Ann earns 5 % of what she wins, Bob 5 % of what is paid; both may lose it again within 30 days."""
    company = start()
    company.plan("won", rate="5", clawback_days=30)
    company.plan("paid", rate="5", basis="paid", clawback_days=30)
    company.assign("ann", "won")
    company.assign("bob", "paid")
    company.deal("D1", "ann")
    company.deal("D2", "bob")
    return company


@pytest.mark.parametrize(
    ("refunded", "taken"),
    [
        ("2026-02-09", ["adjustment D1 2026-01: -400.00 at 5 % = -20.00", "total -20.00"]),  # day 30
        ("2026-02-10", ["total 0.00"]),  # day 31
    ],
)
def test_a_refund_lowers_the_win_within_30_days(company: Company, refunded: str, taken: list[str]) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.pay("P1", "D1", "1000.00", "2026-01-15")
    company.close("2026-01")
    company.refund("P1", "D1", "400.00", refunded)
    company.close("2026-02")
    assert company.paid("ann", "2026-01")[-1] == "total 50.00"
    assert company.paid("ann", "2026-02") == taken


@pytest.mark.parametrize(
    ("refunded", "taken"),
    [
        ("2026-02-14", ["adjustment D2 2026-01: -400.00 at 5 % = -20.00", "total -20.00"]),  # of the payment
        ("2026-02-15", ["total 0.00"]),
    ],
)
def test_a_refund_lowers_the_payment_within_30_days(
    company: Company, refunded: str, taken: list[str]
) -> None:
    company.win("D2", "1000.00", "2026-01-10")
    company.pay("P1", "D2", "1000.00", "2026-01-15")
    company.close("2026-01")
    company.refund("P1", "D2", "400.00", refunded)
    company.close("2026-02")
    assert company.paid("bob", "2026-01") == ["payment D2 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert company.paid("bob", "2026-02") == taken


def test_the_window_counts_days_of_the_company_not_hours(company: Company) -> None:
    """Won in the first minute of day 0, refunded in the last of day 30."""
    company.win("D1", "1000.00", "2026-01-10T00:00:01+00:00")
    company.close("2026-01")
    company.refund("R1", "D1", "400.00", "2026-02-09T23:59:59+00:00")
    company.close("2026-02")
    assert company.paid("ann", "2026-02")[-1] == "total -20.00"


def test_refunds_take_no_more_than_there_was(company: Company) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    company.refund("R1", "D1", "700.00", "2026-02-01")
    company.refund("R2", "D1", "700.00", "2026-02-02")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -1000.00 at 5 % = -50.00",
        "total -50.00",
    ]


def test_of_two_refunds_only_that_within_the_window_counts(company: Company) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.refund("R1", "D1", "100.00", "2026-01-20")
    company.refund("R2", "D1", "200.00", "2026-02-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 900.00 at 5 % = 45.00", "total 45.00"]


def test_a_refund_of_the_deal_gives_back_its_latest_payments_first(company: Company) -> None:
    company.win("D2", "1000.00", "2026-01-10")
    company.pay("P1", "D2", "600.00", "2026-01-11")
    company.pay("P2", "D2", "400.00", "2026-01-20")
    company.close("2026-01")
    company.refund("R1", "D2", "500.00", "2026-02-01")
    company.close("2026-02")
    assert company.paid("bob", "2026-01") == [
        "payment D2 2026-01: 600.00 at 5 % = 30.00",
        "payment D2 2026-01: 400.00 at 5 % = 20.00",
        "total 50.00",
    ]
    assert company.paid("bob", "2026-02") == [
        "adjustment D2 2026-01: -100.00 at 5 % = -5.00",
        "adjustment D2 2026-01: -400.00 at 5 % = -20.00",
        "total -25.00",
    ]


def test_two_refunds_of_the_deal_give_back_one_payment_after_the_other(company: Company) -> None:
    company.win("D2", "1000.00", "2026-01-10")
    company.pay("P1", "D2", "600.00", "2026-01-11")
    company.pay("P2", "D2", "400.00", "2026-01-20")
    company.refund("R1", "D2", "300.00", "2026-01-25")
    company.refund("R2", "D2", "300.00", "2026-01-26")
    company.close("2026-01")
    assert company.paid("bob", "2026-01") == [
        "payment D2 2026-01: 400.00 at 5 % = 20.00",
        "payment D2 2026-01: 0.00 at 5 % = 0.00",
        "total 20.00",
    ]


def test_a_refund_of_the_deal_leaves_later_payments_alone(company: Company) -> None:
    company.win("D2", "1000.00", "2026-01-10")
    company.pay("P1", "D2", "600.00", "2026-01-11")
    company.refund("R1", "D2", "500.00", "2026-01-15")
    company.pay("P2", "D2", "400.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("bob", "2026-01") == [
        "payment D2 2026-01: 100.00 at 5 % = 5.00",
        "payment D2 2026-01: 400.00 at 5 % = 20.00",
        "total 25.00",
    ]


def test_reopened_past_the_window_the_commission_stays_and_a_second_win_earns_what_exceeds(
    company: Company,
) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1200.00", "2026-02-25")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_a_smaller_second_win_past_the_window_earns_nothing_and_takes_nothing(company: Company) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "700.00", "2026-02-25")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 0.00 at 5 % = 0.00", "total 0.00"]


def test_a_third_win_earns_what_exceeds_both_before(company: Company) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1200.00", "2026-02-25")
    company.reopen("D1", "2026-04-20")
    company.win("D1", "1500.00", "2026-04-25")
    company.close("2026-01", "2026-02", "2026-03", "2026-04")
    assert company.paid("ann", "2026-01")[-1] == "total 50.00"
    assert company.paid("ann", "2026-02")[-1] == "total 10.00"
    assert company.paid("ann", "2026-04") == ["win D1 2026-04: 300.00 at 5 % = 15.00", "total 15.00"]


def test_a_second_win_by_another_rep_past_the_window_earns_only_what_exceeds(company: Company) -> None:
    company.assign("bob", "won")
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    company.reopen("D1", "2026-02-20")
    company.split("D1", ("bob", "100"), on="2026-02-21")
    company.win("D1", "1200.00", "2026-02-25")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["total 0.00"]
    assert company.paid("bob", "2026-02") == ["win D1 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_only_downward_corrections_have_a_window(company: Company) -> None:
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    company.amend("D1", "800.00", "2026-02-20")
    company.close("2026-02")
    company.amend("D1", "1300.00", "2026-03-20")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["total 0.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-01: 300.00 at 5 % = 15.00", "total 15.00"]


def test_reopened_past_the_window_of_the_payment_its_commission_stays_and_is_not_earned_again(
    company: Company,
) -> None:
    company.win("D2", "1000.00", "2026-01-10")
    company.pay("P1", "D2", "1000.00", "2026-01-12")
    company.close("2026-01")
    company.reopen("D2", "2026-02-20")
    company.win("D2", "1000.00", "2026-02-25")
    company.pay("P2", "D2", "50.00", "2026-02-26")
    company.close("2026-02")
    assert company.paid("bob", "2026-02") == [
        "payment D2 2026-02: 0.00 at 5 % = 0.00",  # P1 at the second win: nothing exceeds what stayed.
        "payment D2 2026-02: 50.00 at 5 % = 2.50",
        "total 2.50",
    ]


def test_reopened_within_the_window_the_payment_is_earned_again_at_the_second_win(company: Company) -> None:
    company.win("D2", "1000.00", "2026-01-10")
    company.pay("P1", "D2", "1000.00", "2026-01-12")
    company.close("2026-01")
    company.reopen("D2", "2026-02-02")
    company.close("2026-02")
    company.win("D2", "1000.00", "2026-03-05")
    company.close("2026-03")
    assert company.paid("bob", "2026-02") == [
        "adjustment D2 2026-01: -1000.00 at 5 % = -50.00",
        "total -50.00",
    ]
    assert company.paid("bob", "2026-03") == ["payment D2 2026-03: 1000.00 at 5 % = 50.00", "total 50.00"]
