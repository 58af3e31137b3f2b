"""Commission on payments received, and money that nobody can place."""

import pytest
from conftest import Start
from payroll_company import Company


@pytest.fixture
def company(start: Start) -> Company:
    """Ann and Bob earn 5 % of what is paid."""
    company = start()
    company.plan("paid", rate="5", basis="paid")
    company.assign("ann", "paid")
    company.assign("bob", "paid")
    return company


def test_each_payment_is_earned_when_it_comes(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.pay("P1", "D1", "300.00", "2026-01-25")
    company.pay("P2", "D1", "700.00", "2026-02-25")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == ["payment D1 2026-01: 300.00 at 5 % = 15.00", "total 15.00"]
    assert company.paid("ann", "2026-02") == ["payment D1 2026-02: 700.00 at 5 % = 35.00", "total 35.00"]


def test_a_payment_before_the_win_is_earned_at_the_win(company: Company) -> None:
    company.deal("D1", "ann")
    company.pay("P1", "D1", "300.00", "2026-01-05")
    company.close("2026-01")
    company.win("D1", "1000.00", "2026-02-10")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == ["payment D1 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]


def test_a_payment_of_a_deal_that_is_never_won_earns_nothing(company: Company) -> None:
    company.deal("D1", "ann")
    company.pay("P1", "D1", "300.00", "2026-01-05")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["total 0.00"]


def test_a_payment_for_a_deal_that_nobody_recorded_is_earned_when_it_is(company: Company) -> None:
    """The money came in January for a deal recorded and won after January was closed."""
    company.pay("P1", "D1", "300.00", "2026-01-25")
    company.close("2026-01")
    company.deal("D1", "ann")
    company.win("D1", "300.00", "2026-01-20")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["payment D1 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]


def test_money_matched_after_the_close_is_earned_when_it_is_matched(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "300.00", "2026-01-20")
    company.pay("P1", None, "300.00", "2026-01-25")
    company.close("2026-01")
    company.match("P1", "D1", "2026-02-03")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == ["payment D1 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]


def test_money_matched_before_the_close_is_earned_in_its_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "300.00", "2026-01-20")
    company.pay("P1", None, "300.00", "2026-01-25")
    company.match("P1", "D1", "2026-02-03")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["payment D1 2026-01: 300.00 at 5 % = 15.00", "total 15.00"]


def test_money_matched_to_another_deal_after_payment_moves(company: Company) -> None:
    for deal, rep in (("D1", "ann"), ("D2", "bob")):
        company.deal(deal, rep)
        company.win(deal, "300.00", "2026-01-20")
    company.pay("P1", "D1", "300.00", "2026-01-25")
    company.close("2026-01")
    company.match("P1", "D2", "2026-02-03")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -300.00 at 5 % = -15.00",
        "total -15.00",
    ]
    assert company.paid("bob", "2026-02") == ["payment D2 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]


def test_a_refund_before_the_win_leaves_less_to_earn(company: Company) -> None:
    company.deal("D1", "ann")
    company.pay("P1", "D1", "300.00", "2026-01-05")
    company.refund("P1", "D1", "100.00", "2026-01-07")
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["payment D1 2026-01: 200.00 at 5 % = 10.00", "total 10.00"]


def test_a_payment_is_rated_by_the_plan_of_its_day(company: Company) -> None:
    company.plan("paid", rate="8", basis="paid")
    company.assign("ann", "paid", "2026-02-01")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.pay("P1", "D1", "300.00", "2026-01-31")
    company.pay("P2", "D1", "300.00", "2026-02-01")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01")[-1] == "total 15.00"
    assert company.paid("ann", "2026-02") == ["payment D1 2026-02: 300.00 at 8 % = 24.00", "total 24.00"]


def test_who_has_been_paid_for_the_win_is_not_paid_for_its_payments(company: Company) -> None:
    """Ann's plan changes from won to paid after the win: what she won is paid once."""
    company.plan("won", rate="4")
    company.assign("ann", "won", "2026-01-01", "2026-01-31")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.pay("P1", "D1", "1000.00", "2026-02-10")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 4 % = 40.00", "total 40.00"]
    assert company.paid("ann", "2026-02") == ["total 0.00"]


def test_who_was_to_be_paid_by_payments_still_is_when_their_plan_changes_to_won(company: Company) -> None:
    company.plan("won", rate="4")
    company.assign("ann", "won", "2026-02-01")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.pay("P1", "D1", "1000.00", "2026-02-10")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-02") == ["payment D1 2026-02: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_payment_in_euro_is_converted_at_the_rate_of_the_day_it_was_earned(company: Company) -> None:
    """Paid on the 5th, earned with the win on the 10th."""
    company.rate("EUR", "USD", "1.50", "2026-01-05")
    company.rate("EUR", "USD", "1.10", "2026-01-10")
    company.deal("D1", "ann")
    company.pay("P1", "D1", "100.00", "2026-01-05", "EUR")
    company.win("D1", "100.00", "2026-01-10", "EUR")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["payment D1 2026-01: 110.00 at 5 % = 5.50", "total 5.50"]


def test_an_overpayment_earns_on_what_came(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "100.00", "2026-01-10")
    company.pay("P1", "D1", "150.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["payment D1 2026-01: 150.00 at 5 % = 7.50", "total 7.50"]


def test_payments_of_a_split_deal_are_split(company: Company) -> None:
    company.deal("D1", "ann")
    company.split("D1", ("bob", "50"), ("ann", "50"), on="2026-01-05")
    company.win("D1", "100.00", "2026-01-10")
    company.pay("P1", "D1", "33.33", "2026-01-20")
    company.close("2026-01")
    assert company.paid("bob", "2026-01") == ["payment D1 2026-01: 16.67 at 5 % = 0.83", "total 0.83"]
    assert company.paid("ann", "2026-01") == ["payment D1 2026-01: 16.66 at 5 % = 0.83", "total 0.83"]


def test_a_payment_before_the_first_plan_waits_for_one(start: Start) -> None:
    """Ann's plan begins in February; nothing is said of January's payment until it begins in January."""
    company = start()
    company.plan("paid", rate="5", basis="paid")
    company.assign("ann", "paid", "2026-02-01")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.pay("P1", "D1", "300.00", "2026-01-25")
    company.close("2026-01")
    company.assign("ann", "paid", "2026-01-01")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 300.00 at 5 % = 15.00", "total 15.00"]
