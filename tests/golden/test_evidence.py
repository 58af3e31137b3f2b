"""Which events the lines of a statement name: all that a reader needs to see why."""

from payroll_company import InMemory

from domain.payroll.events import Line

STEPS = [{"above": "0", "percent": "5"}, {"above": "1000", "percent": "10"}]
QUARTER = {"method": "retroactive", "measure": "amount", "window": "quarter", "steps": STEPS}


def company_of(**plan: object) -> InMemory:
    company = InMemory()
    company.hire("ann")
    company.hire("bob")
    company.plan("plan", **plan)
    company.assign("ann", "plan")
    company.assign("bob", "plan")
    return company


def sell(company: InMemory, *deals: tuple[str, str, str]) -> None:
    for deal, amount, day in deals:
        company.deal(deal, "ann")
        company.win(deal, amount, day)


def named(company: InMemory, line: Line) -> set[str]:
    """The events that the line names, as `DealWon of deal-D1`."""
    facts = [company.facts[position - 1] for position in line.events]
    return {f"{type(fact.event).__name__} of {fact.stream}" for fact in facts}


def lines(company: InMemory, of: str = "") -> list[Line]:
    """Of Ann's last statement, those of one kind."""
    return [line for line in company.issued("ann")[-1].lines if of in ("", line.of)]


def test_money_matched_to_another_deal_is_taken_back_because_of_the_match() -> None:
    company = company_of(rate="5", basis="paid")
    for deal, rep in (("D1", "ann"), ("D2", "bob")):
        company.deal(deal, rep)
        company.win(deal, "300.00", "2026-01-20")
    company.pay("P1", "D1", "300.00", "2026-01-25")
    company.close("2026-01")
    company.match("P1", "D2", "2026-02-03")
    company.close("2026-02")
    (taken,) = lines(company)
    assert taken.amount == -15
    assert {"PaymentMatched of payment-P1", "PaymentRecorded of payment-P1"} <= named(company, taken)


def test_a_deal_raised_by_a_later_one_names_what_crossed_the_step() -> None:
    company = company_of(rate=None, tiers=QUARTER)
    sell(company, ("D1", "800.00", "2026-01-10"))
    company.close("2026-01")
    sell(company, ("D2", "100.00", "2026-02-10"), ("D3", "500.00", "2026-02-20"))
    company.close("2026-02")
    raised = [line for line in lines(company) if line.deal == "D1"]
    assert sorted(line.amount for line in raised) == [-40, 80]
    for line in raised:
        assert {"DealWon of deal-D1", "DealWon of deal-D3"} <= named(company, line)
        assert "DealWon of deal-D2" not in named(company, line)


def test_a_deal_in_the_month_of_the_crossing_names_it_too() -> None:
    company = company_of(rate=None, tiers=QUARTER)
    sell(company, ("D1", "800.00", "2026-01-10"), ("D2", "500.00", "2026-01-20"))
    company.close("2026-01")
    first, second = lines(company)
    assert {"DealWon of deal-D1", "DealWon of deal-D2"} <= named(company, first)
    assert "DealWon of deal-D2" in named(company, second)


def test_a_deal_below_the_step_names_only_what_is_its_own() -> None:
    company = company_of(rate=None, tiers=QUARTER)
    sell(company, ("D1", "400.00", "2026-01-10"), ("D2", "500.00", "2026-01-20"))
    company.close("2026-01")
    first, second = lines(company)
    assert "DealWon of deal-D2" not in named(company, first)
    assert "DealWon of deal-D1" not in named(company, second)


def test_a_cap_names_the_earnings_of_its_month() -> None:
    company = company_of(rate="10", cap="120.00")
    sell(company, ("D1", "1000.00", "2026-01-10"), ("D2", "1000.00", "2026-01-20"))
    sell(company, ("D3", "5000.00", "2026-02-10"))
    company.close("2026-01")
    (cap,) = lines(company, "cap")
    assert {"PlanPublished of plan-plan", "PlanAssigned of assignment-ann"} <= named(company, cap)
    assert {"DealWon of deal-D1", "DealWon of deal-D2"} <= named(company, cap)
    assert "DealWon of deal-D3" not in named(company, cap)


def test_a_cap_that_a_refund_frees_names_the_refund() -> None:
    company = company_of(rate="10", cap="120.00")
    sell(company, ("D1", "2000.00", "2026-01-10"))
    company.close("2026-01")
    company.refund("R1", "D1", "500.00", "2026-02-01")
    company.close("2026-02")
    (cap,) = lines(company, "cap")
    assert cap.amount == 50
    assert {"DealWon of deal-D1", "RefundRecorded of payment-R1"} <= named(company, cap)


def test_a_draw_and_its_recovery_name_the_earnings_of_their_month() -> None:
    company = company_of(rate="10", draw={"amount": "100.00", "recoverable": True})
    sell(company, ("D1", "300.00", "2026-01-10"), ("D2", "1300.00", "2026-02-10"))
    company.close("2026-01")
    (draw,) = lines(company, "draw")
    company.close("2026-02")
    (recovery,) = lines(company, "recovery")
    assert "DealWon of deal-D1" in named(company, draw)
    assert "DealWon of deal-D2" not in named(company, draw)
    assert "DealWon of deal-D2" in named(company, recovery)
