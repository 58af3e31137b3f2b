"""A disputed line, and what the answer pays."""

from payroll_company import Company


def test_a_dispute_accepted_with_an_amount_is_paid_for_the_lines_month(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.dispute("ann", "2026-01", 1, "25.00")
    company.close("2026-02", "2026-03")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 25.00", "total 25.00"]
    assert company.paid("ann", "2026-03") == ["total 0.00"]


def test_a_dispute_may_be_settled_against_the_rep(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.dispute("ann", "2026-01", 1, "-5.00")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: -5.00", "total -5.00"]


def test_a_dispute_accepted_without_an_amount_waits_for_the_correction(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.dispute("ann", "2026-01", 1, None)
    company.close("2026-02")
    company.amend("D1", "1100.00", "2026-03-01")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["total 0.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-01: 100.00 at 5 % = 5.00", "total 5.00"]


def test_a_declined_dispute_pays_nothing(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.dispute("ann", "2026-01", 1, None, accepted=False)
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["total 0.00"]


def test_a_line_disputed_twice_is_paid_both_answers(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.dispute("ann", "2026-01", 1, "25.00")
    company.close("2026-02")
    company.dispute("ann", "2026-01", 1, "10.00")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 25.00", "total 25.00"]
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-01: 10.00", "total 10.00"]


def test_an_adjustment_can_be_disputed_too(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.amend("D1", "800.00", "2026-02-03")
    company.close("2026-02")
    company.dispute("ann", "2026-02", 1, "10.00")
    company.close("2026-03")
    assert company.paid("ann", "2026-03") == ["adjustment D1 2026-01: 10.00", "total 10.00"]


def test_what_a_dispute_gave_is_beyond_the_cap(company: Company) -> None:
    company.plan("capped", rate="10", cap="50.00")
    company.assign("ann", "capped")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.dispute("ann", "2026-01", 1, "25.00")
    company.close("2026-02")
    assert company.paid("ann", "2026-01")[-1] == "total 50.00"
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 25.00", "total 25.00"]
