"""A closed month stays as it was paid; what was wrong with it is put right by the next statement."""

from payroll_company import Company


def test_a_correction_before_the_close_is_simply_what_is_paid(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.amend("D1", "800.00", "2026-01-25")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 800.00 at 5 % = 40.00", "total 40.00"]


def test_a_correction_after_payment_is_taken_back_by_the_next_statement(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.amend("D1", "800.00", "2026-02-05")
    company.close("2026-02", "2026-03")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -200.00 at 5 % = -10.00",
        "total -10.00",
    ]
    assert company.paid("ann", "2026-03") == ["total 0.00"]


def test_two_corrections_that_undo_each_other_leave_no_line(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.amend("D1", "800.00", "2026-02-05")
    company.amend("D1", "1000.00", "2026-02-06")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["total 0.00"]


def test_a_win_reopened_after_payment_is_taken_back_and_a_second_win_earns_anew(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.reopen("D1", "2026-02-03")
    company.win("D1", "1200.00", "2026-02-17")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "win D1 2026-02: 1200.00 at 5 % = 60.00",
        "adjustment D1 2026-01: -1000.00 at 5 % = -50.00",
        "total 10.00",
    ]


def test_a_reopened_deal_without_a_second_win_earns_nothing(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.reopen("D1", "2026-02-03")
    company.amend("D1", "9999.00", "2026-02-04")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -1000.00 at 5 % = -50.00",
        "total -50.00",
    ]


def test_won_reopened_and_won_again_within_the_month_is_paid_once(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-10")
    company.reopen("D1", "2026-01-11")
    company.win("D1", "900.00", "2026-01-12")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 900.00 at 5 % = 45.00", "total 45.00"]


def test_a_correction_of_a_late_win_corrects_the_month_it_was_paid_in(company: Company) -> None:
    company.deal("D1", "ann")
    company.close("2026-01")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-02")
    company.amend("D1", "1500.00", "2026-03-02")
    company.close("2026-03")
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-02: 500.00 at 5 % = 25.00", "total 25.00"]


def test_a_win_for_nothing_makes_a_line_of_zero(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "0.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 0.00 at 5 % = 0.00", "total 0.00"]


def test_a_win_of_a_negative_amount_takes_commission(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "-300.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: -300.00 at 5 % = -15.00", "total -15.00"]


def test_an_amount_named_after_the_win_is_earned_in_the_wins_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", None, "2026-01-20")
    company.close("2026-01")
    company.amend("D1", "1000.00", "2026-02-05")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
