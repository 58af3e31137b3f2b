"""Nobody is paid twice for the same money, whatever becomes of their plan meanwhile."""

import pytest
from conftest import Start
from payroll_company import Company


@pytest.fixture
def company(start: Start) -> Company:
    """Plans on what is won and on what is paid, 5 % each, that may be lost within 30 days."""
    company = start()
    company.plan("won", rate="5", clawback_days=30)
    company.plan("paid", rate="5", basis="paid", clawback_days=30)
    company.deal("D1", "ann")
    return company


def total(company: Company, *periods: str) -> list[str]:
    return [company.paid("ann", period)[-1] for period in periods]


def test_what_stayed_of_a_win_is_not_earned_again_by_its_payments(company: Company) -> None:
    """Won for 1000.00, and past the window won again for 1000.00, now paid by payments."""
    company.assign("ann", "won")
    company.assign("ann", "paid", "2026-02-01")
    company.win("D1", "1000.00", "2026-01-10")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1000.00", "2026-02-25")
    company.pay("P1", "D1", "1000.00", "2026-02-26")
    company.close("2026-01", "2026-02")
    assert total(company, "2026-01", "2026-02") == ["total 50.00", "total 0.00"]


def test_what_stayed_of_payments_is_not_earned_again_by_a_win(company: Company) -> None:
    """1000.00 were paid, and past the window the deal is won again for 1000.00, now paid by wins."""
    company.assign("ann", "paid")
    company.assign("ann", "won", "2026-02-01")
    company.win("D1", "1000.00", "2026-01-10")
    company.pay("P1", "D1", "1000.00", "2026-01-12")
    company.reopen("D1", "2026-02-20")
    company.win("D1", "1000.00", "2026-02-25")
    company.close("2026-01", "2026-02")
    assert total(company, "2026-01", "2026-02") == ["total 50.00", "total 0.00"]


def test_a_payment_kept_by_the_plan_of_the_first_win_is_not_earned_again(company: Company) -> None:
    """The payment came on a day whose plan is on wins, so the win's plan paid it. It stays."""
    company.assign("ann", "paid")
    company.assign("ann", "won", "2026-02-01", "2026-02-28")
    company.win("D1", "1000.00", "2026-01-10")
    company.pay("P1", "D1", "1000.00", "2026-02-05")
    company.reopen("D1", "2026-03-20")
    company.win("D1", "1000.00", "2026-03-25")
    company.close("2026-01", "2026-02", "2026-03")
    assert total(company, "2026-02", "2026-03") == ["total 50.00", "total 0.00"]
