"""What can't be paid is listed until it can: neither guessed nor dropped."""

from payroll_company import InMemory


def hired(**plan: object) -> InMemory:
    company = InMemory()
    company.hire("ann")
    if plan:
        company.plan("plan", **plan)
        company.assign("ann", "plan")
    return company


def test_a_win_without_an_owner() -> None:
    company = hired(rate="5")
    company.deal("D1", None)
    company.win("D1", "100.00", "2026-01-20")
    assert company.exceptions("2026-01") == ["no_owner D1 -"]
    company.claim("D1", "ann", "2026-01-21")
    assert company.exceptions("2026-01") == []


def test_a_win_of_somebody_without_a_plan() -> None:
    company = hired()
    company.deal("D1", "ann")
    company.win("D1", "100.00", "2026-01-20")
    assert company.exceptions("2026-01") == ["no_plan D1 ann"]


def test_a_win_without_a_rate() -> None:
    company = hired(rate="5")
    company.deal("D1", "ann")
    company.win("D1", "100.00", "2026-01-20", "EUR")
    assert company.exceptions("2026-01") == ["no_rate D1 ann"]
    company.rate("EUR", "USD", "1.10", "2026-01-20")
    assert company.exceptions("2026-01") == []


def test_a_win_without_an_amount() -> None:
    company = hired(rate="5")
    company.deal("D1", "ann")
    company.win("D1", None, "2026-01-20")
    assert company.exceptions("2026-01") == ["no_amount D1 ann"]


def test_a_product_without_a_percent() -> None:
    company = hired(products={"crane": "7"})
    company.deal("D1", "ann", "rope")
    company.win("D1", "100.00", "2026-01-20")
    assert company.exceptions("2026-01") == ["no_percent D1 ann"]


def test_a_payment_before_the_first_plan_though_a_later_one_is_paid() -> None:
    company = hired()
    company.plan("paid", rate="5", basis="paid")
    company.assign("ann", "paid", "2026-02-01")
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.pay("P1", "D1", "300.00", "2026-01-25")
    assert company.exceptions("2026-02") == ["no_plan D1 ann"]
    company.pay("P2", "D1", "700.00", "2026-02-05")
    assert company.exceptions("2026-02") == ["no_plan D1 ann"]


def test_a_reopened_win_waits_for_nothing() -> None:
    company = hired()
    company.deal("D1", None)
    company.win("D1", None, "2026-01-20", "EUR")
    company.reopen("D1", "2026-01-21")
    assert company.exceptions("2026-01") == []


def test_a_refund_in_a_currency_without_a_rate() -> None:
    company = hired(rate="5")
    company.deal("D1", "ann")
    company.win("D1", "100.00", "2026-01-20")
    company.refund("R1", "D1", "50.00", "2026-01-25", "EUR")
    assert company.exceptions("2026-01") == ["no_rate D1 -"]


def test_a_refund_of_payments_in_another_currency() -> None:
    """100.00 came in dollars and 50.00 went back in euro: what that takes can't be told without a rate."""
    company = hired(rate="5", basis="paid")
    company.deal("D1", "ann")
    company.win("D1", "100.00", "2026-01-20")
    company.pay("P1", "D1", "100.00", "2026-01-21")
    company.refund("R1", "D1", "50.00", "2026-01-25", "EUR")
    assert company.exceptions("2026-01") == ["no_rate D1 -"]
