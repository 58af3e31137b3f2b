"""What stays of an earlier win or payment, part by part, and what a second win then earns."""

import pytest
from conftest import Start
from payroll_company import Company, InMemory


@pytest.fixture
def company(start: Start) -> Company:
    """All earn 5 % of what is won: Ann may lose it within 30 days, Bob and Cid at any time."""
    company = start()
    company.hire("cid")
    company.plan("month", rate="5", clawback_days=30)
    company.plan("always", rate="5")
    company.assign("ann", "month")
    company.assign("bob", "always")
    company.assign("cid", "always")
    company.deal("D1", "ann")
    return company


def win_again(company: Company, second: str, *shares: tuple[str, str], first: str = "1000.00") -> None:
    """January is paid; the deal is reopened and won again in February, when Ann can lose nothing more."""
    company.win("D1", first, "2026-01-05")
    company.close("2026-01")
    company.reopen("D1", "2026-02-10")
    if shares:
        company.split("D1", *shares, on="2026-02-10")
    company.win("D1", second, "2026-02-11")
    company.close("2026-02")


def test_each_rep_keeps_or_loses_by_their_own_plan(company: Company) -> None:
    company.split("D1", ("ann", "50"), ("bob", "50"), on="2026-01-02")
    win_again(company, "1000.00")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 0.00 at 5 % = 0.00", "total 0.00"]
    assert company.paid("bob", "2026-02") == [
        "win D1 2026-02: 500.00 at 5 % = 25.00",
        "adjustment D1 2026-01: -500.00 at 5 % = -25.00",
        "total 0.00",
    ]


def test_three_wins_pay_each_rep_once_whatever_their_windows(company: Company) -> None:
    """Both have 900.00 of 1800.00 at last, so 45.00: Ann by what exceeds, Bob by losing and earning anew."""
    company.split("D1", ("ann", "50"), ("bob", "50"), on="2026-01-02")
    win_again(company, "1600.00")
    company.close("2026-03")
    company.reopen("D1", "2026-04-10")
    company.win("D1", "1800.00", "2026-04-11")
    company.close("2026-04")
    assert company.paid("ann", "2026-01")[-1] == "total 25.00"
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]
    assert company.paid("ann", "2026-04") == ["win D1 2026-04: 100.00 at 5 % = 5.00", "total 5.00"]
    assert company.paid("bob", "2026-01")[-1] == "total 25.00"
    assert company.paid("bob", "2026-02")[-1] == "total 15.00"
    assert company.paid("bob", "2026-04") == [
        "win D1 2026-04: 900.00 at 5 % = 45.00",
        "adjustment D1 2026-02: -800.00 at 5 % = -40.00",
        "total 5.00",
    ]


def test_who_wins_what_somebody_else_kept_earns_on_what_exceeds(company: Company) -> None:
    win_again(company, "1200.00", ("bob", "100"))
    assert company.paid("ann", "2026-02") == ["total 0.00"]
    assert company.paid("bob", "2026-02") == ["win D1 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_who_kept_more_than_their_part_leaves_less_to_the_others(company: Company) -> None:
    """Ann kept 1000.00: her own 600.00 are met, and 400.00 of Bob's."""
    win_again(company, "1200.00", ("ann", "50"), ("bob", "50"))
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 0.00 at 5 % = 0.00", "total 0.00"]
    assert company.paid("bob", "2026-02") == ["win D1 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_what_somebody_kept_who_is_gone_is_taken_in_proportion(company: Company) -> None:
    """900.00 and 600.00 less 600.00 and 400.00."""
    win_again(company, "1500.00", ("bob", "60"), ("cid", "40"))
    assert company.paid("bob", "2026-02") == ["win D1 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]
    assert company.paid("cid", "2026-02") == ["win D1 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_what_is_taken_in_proportion_is_whole_minor_units(company: Company) -> None:
    """Ann's 300.00 are met; of the other 700.00 two thirds, 466.67, are taken from Bob's 600.00."""
    win_again(company, "1200.00", ("ann", "25"), ("bob", "50"), ("cid", "25"))
    assert company.paid("ann", "2026-02")[-1] == "total 0.00"
    assert company.paid("bob", "2026-02") == ["win D1 2026-02: 133.33 at 5 % = 6.67", "total 6.67"]
    assert company.paid("cid", "2026-02") == ["win D1 2026-02: 66.67 at 5 % = 3.33", "total 3.33"]


def test_a_second_win_of_less_than_nothing_is_taken_whole(company: Company) -> None:
    win_again(company, "-100.00")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: -100.00 at 5 % = -5.00", "total -5.00"]


def test_a_head_without_a_window_loses_the_override_and_earns_it_anew(company: Company) -> None:
    """Whatever Ann kept by her own plan."""
    company.hire("ann", "bob")
    company.plan("lead", rate="5", override="2")
    company.assign("bob", "lead")
    win_again(company, "1000.00")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 0.00 at 5 % = 0.00", "total 0.00"]
    assert company.paid("bob", "2026-02") == [
        "override D1 2026-02: 1000.00 at 2 % = 20.00",
        "adjustment D1 2026-01: -1000.00 at 2 % = -20.00",
        "total 0.00",
    ]


def test_an_override_past_the_heads_window_is_kept(company: Company) -> None:
    """Bob loses and earns anew; Ann, his head, earned 2 % of 1000.00 and earns 2 % of what exceeds."""
    company.hire("bob", "ann")
    company.plan("lead", rate="5", override="2", clawback_days=30)
    company.assign("ann", "lead")
    company.split("D1", ("bob", "100"), on="2026-01-02")
    win_again(company, "1200.00")
    assert company.paid("ann", "2026-01") == ["override D1 2026-01: 1000.00 at 2 % = 20.00", "total 20.00"]
    assert company.paid("ann", "2026-02") == ["override D1 2026-02: 200.00 at 2 % = 4.00", "total 4.00"]
    assert company.paid("bob", "2026-02")[-1] == "total 10.00"


def test_what_a_head_kept_as_a_seller_lessens_no_override(company: Company) -> None:
    """Ann won it alone at first; then Bob, below her, does."""
    company.hire("bob", "ann")
    company.plan("lead", rate="5", override="2", clawback_days=30)
    company.assign("ann", "lead")
    win_again(company, "1200.00", ("bob", "100"))
    assert company.paid("ann", "2026-02") == ["override D1 2026-02: 1200.00 at 2 % = 24.00", "total 24.00"]
    assert company.paid("bob", "2026-02") == ["win D1 2026-02: 200.00 at 5 % = 10.00", "total 10.00"]


def test_a_win_kept_in_another_currency_counts_by_the_rate_of_the_second_wins_day(company: Company) -> None:
    """1000.00 EUR are 1250.00 USD on the day of the second win, whatever they were before."""
    company.rate("EUR", "USD", "1.10", "2026-01-10")
    company.win("D1", "1000.00", "2026-01-10", "EUR")
    company.close("2026-01")
    company.reopen("D1", "2026-02-20")
    company.rate("EUR", "USD", "1.25", "2026-02-25")
    company.win("D1", "1500.00", "2026-02-25")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1100.00 at 5 % = 55.00", "total 55.00"]
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 250.00 at 5 % = 12.50", "total 12.50"]


def test_without_a_rate_for_what_was_kept_the_second_win_waits(company: Company) -> None:
    company.rate("EUR", "USD", "1.10", "2026-01-10")
    company.win("D1", "1000.00", "2026-01-10", "EUR")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1500.00", "2026-02-25")
    company.close("2026-01", "2026-02")
    if isinstance(company, InMemory):
        assert company.exceptions("2026-02") == ["no_rate D1 ann"]
    company.rate("EUR", "USD", "1.25", "2026-02-25")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["total 0.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-02: 250.00 at 5 % = 12.50", "total 12.50"]


def test_nothing_kept_in_another_currency_needs_no_rate(company: Company) -> None:
    company.rate("EUR", "USD", "1.10", "2026-01-10")
    company.win("D1", "0.00", "2026-01-10", "EUR")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1500.00", "2026-02-25")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 1500.00 at 5 % = 75.00", "total 75.00"]


def test_a_second_win_of_less_than_nothing_needs_no_rate_for_what_was_kept(company: Company) -> None:
    company.rate("EUR", "USD", "1.10", "2026-01-10")
    company.win("D1", "1000.00", "2026-01-10", "EUR")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "-100.00", "2026-02-25")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: -100.00 at 5 % = -5.00", "total -5.00"]


def test_a_win_without_an_amount_kept_nothing(company: Company) -> None:
    """Nobody can name it any more once the deal is reopened: the second win must not wait for it."""
    company.win("D1", None, "2026-01-10")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1000.00", "2026-02-25")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_what_remains_is_converted_and_then_divided_as_it_remains(company: Company) -> None:
    """Of 800.00 EUR each, Ann kept 500.00: 300.00 and 800.00, together 1210.00 USD, so 330.00 and 880.00."""
    company.rate("EUR", "USD", "1.20", "2026-01-05")
    company.rate("EUR", "USD", "1.10", "2026-02-11")
    company.split("D1", ("ann", "50"), ("bob", "50"), on="2026-01-02")
    company.win("D1", "1000.00", "2026-01-05", "EUR")
    company.close("2026-01")
    company.reopen("D1", "2026-02-10")
    company.win("D1", "1600.00", "2026-02-11", "EUR")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 330.00 at 5 % = 16.50", "total 16.50"]
    assert company.paid("bob", "2026-02") == [
        "win D1 2026-02: 880.00 at 5 % = 44.00",
        "adjustment D1 2026-01: -600.00 at 5 % = -30.00",
        "total 14.00",
    ]


@pytest.fixture
def payers(company: Company) -> Company:
    """The same, of what is paid; Ann and Bob share D1."""
    company.plan("month", rate="5", clawback_days=30, basis="paid")
    company.plan("always", rate="5", basis="paid")
    for rep, plan in (("ann", "month"), ("bob", "always"), ("cid", "always")):
        company.assign(rep, plan)
    company.split("D1", ("ann", "50"), ("bob", "50"), on="2026-01-02")
    return company


def test_of_a_payment_each_rep_keeps_or_loses_by_their_own_plan(payers: Company) -> None:
    payers.win("D1", "1000.00", "2026-01-10")
    payers.pay("P1", "D1", "1000.00", "2026-01-12")
    payers.close("2026-01")
    payers.reopen("D1", "2026-02-20")
    payers.win("D1", "1000.00", "2026-02-25")
    payers.pay("P2", "D1", "50.00", "2026-02-26")
    payers.close("2026-02")
    assert payers.paid("ann", "2026-02") == [
        "payment D1 2026-02: 0.00 at 5 % = 0.00",
        "payment D1 2026-02: 25.00 at 5 % = 1.25",
        "total 1.25",
    ]
    assert payers.paid("bob", "2026-02") == [
        "payment D1 2026-02: 500.00 at 5 % = 25.00",
        "payment D1 2026-02: 25.00 at 5 % = 1.25",
        "adjustment D1 2026-01: -500.00 at 5 % = -25.00",
        "total 1.25",
    ]


def test_what_a_payment_kept_of_another_is_free_to_be_earned(payers: Company) -> None:
    """P1 was kept by Ann; P2 came while the deal was open, so nothing of it was ever earned."""
    payers.win("D1", "1000.00", "2026-01-10")
    payers.pay("P1", "D1", "400.00", "2026-01-12")
    payers.reopen("D1", "2026-02-20")
    payers.pay("P2", "D1", "600.00", "2026-02-21")
    payers.split("D1", ("ann", "100"), on="2026-02-22")
    payers.win("D1", "1000.00", "2026-02-25")
    payers.close("2026-01", "2026-02")
    assert payers.paid("ann", "2026-01")[-1] == "total 10.00"  # 5 % of 200.00
    assert payers.paid("ann", "2026-02") == [
        "payment D1 2026-02: 200.00 at 5 % = 10.00",  # P1, less the 200.00 that she kept
        "payment D1 2026-02: 600.00 at 5 % = 30.00",
        "total 40.00",
    ]


def test_what_a_win_kept_is_used_up_by_payments_one_after_the_other(company: Company) -> None:
    """Ann kept 1000.00 of a win and is now paid by payments: P1 meets 600.00 of that, P2 the other 400.00."""
    company.plan("paid", rate="5", clawback_days=30, basis="paid")
    company.assign("ann", "paid", "2026-02-01")
    company.win("D1", "1000.00", "2026-01-10")
    company.close("2026-01")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1200.00", "2026-02-25")
    company.pay("P1", "D1", "600.00", "2026-02-26")
    company.pay("P2", "D1", "600.00", "2026-02-27")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "payment D1 2026-02: 0.00 at 5 % = 0.00",
        "payment D1 2026-02: 200.00 at 5 % = 10.00",
        "total 10.00",
    ]


def test_a_win_earns_what_exceeds_all_payments_that_were_kept(company: Company) -> None:
    company.plan("paid", rate="5", clawback_days=30, basis="paid")
    company.assign("ann", "paid", "2026-01-01", "2026-01-31")
    company.win("D1", "1000.00", "2026-01-05")
    company.pay("P1", "D1", "300.00", "2026-01-06")
    company.pay("P2", "D1", "400.00", "2026-01-07")
    company.reopen("D1", "2026-02-10")
    company.win("D1", "1000.00", "2026-02-11")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01")[-1] == "total 35.00"
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 300.00 at 5 % = 15.00", "total 15.00"]
