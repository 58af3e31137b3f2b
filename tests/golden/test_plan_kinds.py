"""Plans by product and role, caps, draws, and plans that change."""

from conftest import Start
from payroll_company import Company


def test_a_plan_changed_in_mid_month_pays_each_win_by_the_plan_of_its_day(company: Company) -> None:
    company.plan("eight", rate="8")
    company.assign("ann", "eight", "2026-01-16")
    company.deal("D1", "ann")
    company.deal("D2", "ann")
    company.win("D1", "1000.00", "2026-01-15")
    company.win("D2", "1000.00", "2026-01-16")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 1000.00 at 5 % = 50.00",
        "win D2 2026-01: 1000.00 at 8 % = 80.00",
        "total 130.00",
    ]


def test_a_plan_for_a_week_gives_way_to_the_one_before(company: Company) -> None:
    company.plan("sprint", rate="10")
    company.assign("ann", "sprint", "2026-01-12", "2026-01-18")
    company.deal("D1", "ann")
    company.deal("D2", "ann")
    company.win("D1", "1000.00", "2026-01-18")
    company.win("D2", "1000.00", "2026-01-19")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 1000.00 at 10 % = 100.00",
        "win D2 2026-01: 1000.00 at 5 % = 50.00",
        "total 150.00",
    ]


def test_a_new_plan_assigned_for_a_closed_month_takes_back_and_pays_anew(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.plan("eight", rate="8")
    company.assign("ann", "eight", "2026-01-01")
    company.close("2026-02")
    assert sorted(company.paid("ann", "2026-02")) == [
        "adjustment D1 2026-01: -1000.00 at 5 % = -50.00",
        "adjustment D1 2026-01: 1000.00 at 8 % = 80.00",
        "total 30.00",
    ]


def test_a_new_version_binds_only_who_is_assigned_to_it(company: Company) -> None:
    company.plan("five", rate="6")
    company.assign("bob", "five", "2026-01-01")
    for deal, rep in (("D1", "ann"), ("D2", "bob")):
        company.deal(deal, rep)
        company.win(deal, "1000.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert company.paid("bob", "2026-01") == ["win D2 2026-01: 1000.00 at 6 % = 60.00", "total 60.00"]


def test_products_have_their_percents_and_the_rest_the_rate(start: Start) -> None:
    company = start()
    company.plan("goods", rate="2", products={"crane": "7"})
    company.assign("ann", "goods")
    for deal, product in (("D1", "crane"), ("D2", "rope"), ("D3", None)):
        company.deal(deal, "ann", product)
        company.win(deal, "1000.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 1000.00 at 7 % = 70.00",
        "win D2 2026-01: 1000.00 at 2 % = 20.00",
        "win D3 2026-01: 1000.00 at 2 % = 20.00",
        "total 110.00",
    ]


def test_a_product_without_a_percent_earns_nothing_until_the_plan_says(start: Start) -> None:
    company = start()
    company.deal("D1", "ann", "rope")
    company.deal("D2", "bob", "crane")
    company.plan("goods", products={"crane": "7"})
    company.assign("ann", "goods")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.plan("goods", products={"crane": "7", "rope": "3"})
    company.assign("ann", "goods")
    company.close("2026-02")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: 1000.00 at 3 % = 30.00", "total 30.00"]


def test_roles_have_their_percents(start: Start) -> None:
    company = start()
    company.plan("roles", roles={"opener": "2", "closer": "6"}, rate="1")
    company.assign("ann", "roles")
    company.assign("bob", "roles")
    company.deal("D1", "ann")
    company.deal("D2", "ann")
    company.split(
        "D1", ("ann", "50", "opener"), ("ann", "20", "closer"), ("bob", "30", "closer"), on="2026-01-10"
    )
    company.win("D1", "1000.00", "2026-01-20")
    company.win("D2", "100.00", "2026-01-21")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 500.00 at 2 % = 10.00",
        "win D1 2026-01: 200.00 at 6 % = 12.00",
        "win D2 2026-01: 100.00 at 1 % = 1.00",
        "total 23.00",
    ]
    assert company.paid("bob", "2026-01") == ["win D1 2026-01: 300.00 at 6 % = 18.00", "total 18.00"]


def test_a_cap_is_the_most_that_a_month_pays(start: Start) -> None:
    company = start()
    company.plan("capped", rate="10", cap="120.00")
    company.assign("ann", "capped")
    for deal, day in (("D1", "2026-01-10"), ("D2", "2026-01-20"), ("D3", "2026-02-10")):
        company.deal(deal, "ann")
        company.win(deal, "1000.00", day)
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 1000.00 at 10 % = 100.00",
        "win D2 2026-01: 1000.00 at 10 % = 100.00",
        "cap - 2026-01: -80.00",
        "total 120.00",
    ]
    assert company.paid("ann", "2026-02")[-1] == "total 100.00"


def test_a_refund_in_a_capped_month_first_frees_what_the_cap_held(start: Start) -> None:
    """200.00 of commission, capped at 120.00; a refund leaves 150.00, so nothing is taken back."""
    company = start()
    company.plan("capped", rate="10", cap="120.00")
    company.assign("ann", "capped")
    company.deal("D1", "ann")
    company.win("D1", "2000.00", "2026-01-10")
    company.close("2026-01")
    company.refund("R1", "D1", "500.00", "2026-02-01")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -500.00 at 10 % = -50.00",
        "adjustment - 2026-01: 50.00",
        "total 0.00",
    ]


def test_a_draw_is_the_least_that_a_month_pays(start: Start) -> None:
    company = start()
    company.plan("drawn", rate="10", draw={"amount": "100.00", "recoverable": False})
    company.assign("ann", "drawn")
    company.deal("D1", "ann")
    company.deal("D2", "ann")
    company.win("D1", "300.00", "2026-01-10")
    company.win("D2", "5000.00", "2026-02-10")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == [
        "win D1 2026-01: 300.00 at 10 % = 30.00",
        "draw - 2026-01: 70.00",
        "total 100.00",
    ]
    assert company.paid("ann", "2026-02") == ["win D2 2026-02: 5000.00 at 10 % = 500.00", "total 500.00"]


def test_a_recoverable_draw_is_taken_back_from_what_later_exceeds_it(start: Start) -> None:
    """January adds 70.00. February has 130.00, 30.00 above the draw: taken. March repays the other 40.00."""
    company = start()
    company.plan("drawn", rate="10", draw={"amount": "100.00", "recoverable": True})
    company.assign("ann", "drawn")
    for deal, amount, day in (
        ("D1", "300.00", "2026-01-10"),
        ("D2", "1300.00", "2026-02-10"),
        ("D3", "2000.00", "2026-03-10"),
    ):
        company.deal(deal, "ann")
        company.win(deal, amount, day)
    company.close("2026-01", "2026-02", "2026-03")
    assert company.paid("ann", "2026-01")[-2:] == ["draw - 2026-01: 70.00", "total 100.00"]
    assert company.paid("ann", "2026-02")[-2:] == ["recovery - 2026-02: -30.00", "total 100.00"]
    assert company.paid("ann", "2026-03")[-2:] == ["recovery - 2026-03: -40.00", "total 160.00"]


def test_a_draw_is_for_those_employed_in_the_month(start: Start) -> None:
    company = start()
    company.plan("drawn", rate="10", draw={"amount": "100.00", "recoverable": False})
    company.assign("ann", "drawn")
    company.assign("bob", "drawn")
    company.deal("D1", "ann")
    company.split("D1", ("ann", "100"), on="2026-01-05")
    company.leave("ann", "2026-01-10")
    company.win("D1", "300.00", "2026-02-10")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-01") == ["draw - 2026-01: 100.00", "total 100.00"]
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 300.00 at 10 % = 30.00", "total 30.00"]
    assert company.paid("bob", "2026-02") == ["draw - 2026-02: 100.00", "total 100.00"]


def test_who_left_as_the_month_began_has_no_draw_in_it(start: Start) -> None:
    company = start()
    company.plan("drawn", rate="10", draw={"amount": "100.00", "recoverable": False})
    company.assign("ann", "drawn")
    company.deal("D1", "ann")
    company.split("D1", ("ann", "100"), on="2026-01-05")
    company.leave("ann", "2026-02-01T00:00:00+00:00")
    company.win("D1", "300.00", "2026-02-10")
    company.close("2026-01", "2026-02")
    assert company.paid("ann", "2026-02") == ["win D1 2026-02: 300.00 at 10 % = 30.00", "total 30.00"]


def test_a_correction_after_payment_is_met_by_the_draw_of_its_month(start: Start) -> None:
    """January: 150.00, then 50.00: the draw of 100.00 leaves it at 100.00, so 50.00 is taken back."""
    company = start()
    company.plan("drawn", rate="10", draw={"amount": "100.00", "recoverable": False})
    company.assign("ann", "drawn")
    company.deal("D1", "ann")
    company.win("D1", "1500.00", "2026-01-10")
    company.close("2026-01")
    company.amend("D1", "500.00", "2026-02-03")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "draw - 2026-02: 100.00",
        "adjustment D1 2026-01: -1000.00 at 10 % = -100.00",
        "adjustment - 2026-01: 50.00",
        "total 50.00",
    ]
