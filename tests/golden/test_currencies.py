"""Money in another currency than the plan's."""

from conftest import Start
from payroll_company import Company


def test_a_win_in_euro_is_paid_by_the_rate_of_its_day(company: Company) -> None:
    company.deal("D1", "ann")
    company.rate("EUR", "USD", "1.10", "2026-01-19")
    company.rate("EUR", "USD", "1.0834", "2026-01-20")
    company.rate("EUR", "USD", "1.20", "2026-01-21")
    company.win("D1", "1000.00", "2026-01-20", "EUR")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1083.40 at 5 % = 54.17", "total 54.17"]


def test_a_rate_the_other_way_round_is_no_rate(company: Company) -> None:
    company.deal("D1", "ann")
    company.rate("USD", "EUR", "0.90", "2026-01-20")
    company.win("D1", "1000.00", "2026-01-20", "EUR")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["total 0.00"]


def test_a_rate_corrected_after_payment_is_an_adjustment(company: Company) -> None:
    company.deal("D1", "ann")
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    company.win("D1", "1000.00", "2026-01-20", "EUR")
    company.close("2026-01")
    company.rate("EUR", "USD", "1.05", "2026-01-20")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1100.00 at 5 % = 55.00", "total 55.00"]
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: -50.00 at 5 % = -2.50", "total -2.50"]


def test_the_whole_is_converted_before_it_is_split(company: Company) -> None:
    """0.03 EUR are 0.0330 USD, so 0.03: Bob is named first and has 0.02, Ann 0.01, and nothing is lost."""
    company.plan("all", rate="100")
    company.assign("ann", "all")
    company.assign("bob", "all")
    company.deal("D1", "ann")
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    company.split("D1", ("bob", "50"), ("ann", "50"), on="2026-01-10")
    company.win("D1", "0.03", "2026-01-20", "EUR")
    company.close("2026-01")
    assert company.paid("bob", "2026-01") == ["win D1 2026-01: 0.02 at 100 % = 0.02", "total 0.02"]
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 0.01 at 100 % = 0.01", "total 0.01"]


def test_conversion_rounds_half_even(company: Company) -> None:
    """0.50 EUR at 1.01 are 0.505 USD, so 0.50; 1.50 EUR are 1.515, so 1.52."""
    company.plan("all", rate="100")
    company.assign("ann", "all")
    company.rate("EUR", "USD", "1.01", "2026-01-20")
    for deal, amount in (("D1", "0.50"), ("D2", "1.50")):
        company.deal(deal, "ann")
        company.win(deal, amount, "2026-01-20", "EUR")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 0.50 at 100 % = 0.50",
        "win D2 2026-01: 1.52 at 100 % = 1.52",
        "total 2.02",
    ]


def test_from_yen_and_to_dinar(start: Start) -> None:
    """1000 JPY at 0.00206 are 2.060 KWD; 7.5 % of that are 0.1545, so half-even 0.154."""
    company = start(currency="KWD")
    company.plan("seven", rate="7.5")
    company.assign("ann", "seven")
    company.deal("D1", "ann")
    company.rate("JPY", "KWD", "0.00206", "2026-01-20")
    company.win("D1", "1000", "2026-01-20", "JPY")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 2.060 at 7.5 % = 0.154", "total 0.154"]


def test_a_refund_of_a_converted_win_is_taken_at_the_rate_it_was_earned_at(company: Company) -> None:
    company.deal("D1", "ann")
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    company.rate("EUR", "USD", "2.00", "2026-02-05")
    company.win("D1", "1000.00", "2026-01-20", "EUR")
    company.close("2026-01")
    company.refund("R1", "D1", "1000.00", "2026-02-05", "EUR")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -1100.00 at 5 % = -55.00",
        "total -55.00",
    ]


def test_an_amount_corrected_into_another_currency(company: Company) -> None:
    company.deal("D1", "ann")
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.amend("D1", "1000.00", "2026-02-05", "EUR")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 100.00 at 5 % = 5.00", "total 5.00"]


def test_a_correction_into_a_currency_without_a_rate_takes_back_what_can_no_longer_be_said(
    company: Company,
) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.amend("D1", "1000.00", "2026-02-05", "EUR")
    company.close("2026-02")
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    company.close("2026-03")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -1000.00 at 5 % = -50.00",
        "total -50.00",
    ]
    assert company.paid("ann", "2026-03") == [
        "adjustment D1 2026-01: 1100.00 at 5 % = 55.00",
        "total 55.00",
    ]


def test_a_win_without_a_rate_crosses_no_step(start: Start) -> None:
    company = start()
    steps = [{"above": "0", "percent": "5"}, {"above": "1000", "percent": "10"}]
    company.plan(
        "steps", tiers={"method": "retroactive", "measure": "amount", "window": "month", "steps": steps}
    )
    company.assign("ann", "steps")
    for deal, currency in (("D1", "USD"), ("D2", "EUR")):
        company.deal(deal, "ann")
        company.win(deal, "900.00", "2026-01-20", currency)
    company.close("2026-01")
    company.rate("EUR", "USD", "1.00", "2026-01-20")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 900.00 at 5 % = 45.00", "total 45.00"]
    assert company.paid("ann", "2026-02")[-1] == "total 135.00"  # 1800.00 at 10 %, less 45.00
