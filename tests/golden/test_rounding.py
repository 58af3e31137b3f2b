"""Every line is rounded half-even, and a statement's total is the sum of its lines."""

import pytest
from payroll_company import Company


@pytest.mark.parametrize(
    ("amount", "paid"),
    [
        ("10.10", "0.50"),  # 0.505 lies between 0.50 and 0.51: to the even
        ("10.30", "0.52"),  # 0.515: to the even, upwards
        ("10.50", "0.52"),  # 0.525
        ("-10.10", "-0.50"),
        ("-10.30", "-0.52"),
        ("0.01", "0.00"),
        ("-0.01", "0.00"),  # and not minus nothing
    ],
)
def test_lines_are_rounded_half_even(company: Company, amount: str, paid: str) -> None:
    company.deal("D1", "ann")
    company.win("D1", amount, "2026-01-10")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [f"win D1 2026-01: {amount} at 5 % = {paid}", f"total {paid}"]


def test_the_total_is_that_of_the_rounded_lines(company: Company) -> None:
    """Three times 0.125 are 0.375, but each line is 0.12."""
    company.plan("five", rate="12.5")
    company.assign("ann", "five")
    for deal in ("D1", "D2", "D3"):
        company.deal(deal, "ann")
        company.win(deal, "1.00", "2026-01-10")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        *(f"win {deal} 2026-01: 1.00 at 12.5 % = 0.12" for deal in ("D1", "D2", "D3")),
        "total 0.36",
    ]


def test_an_adjustment_is_the_difference_of_two_rounded_amounts(company: Company) -> None:
    """10.30 gives 0.515, so 0.52; 10.10 gives 0.505, so 0.50: 0.02 is taken, though 5 % of 0.20 is 0.01."""
    company.deal("D1", "ann")
    company.win("D1", "10.30", "2026-01-10")
    company.close("2026-01")
    company.amend("D1", "10.10", "2026-02-05")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: -0.20 at 5 % = -0.02", "total -0.02"]
