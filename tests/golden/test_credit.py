"""Whose the credit is: owners, splits, departures, and who earns on those below."""

import pytest
from conftest import Start
from payroll_company import Company

THIRDS = (("ann", "33.333333"), ("bob", "33.333333"), ("cid", "33.333334"))


def test_a_split_divides_the_basis(company: Company) -> None:
    company.deal("D1", "ann")
    company.split("D1", ("ann", "60", "opener"), ("bob", "40", "closer"), on="2026-01-10")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 600.00 at 5 % = 30.00", "total 30.00"]
    assert company.paid("bob", "2026-01") == ["win D1 2026-01: 400.00 at 5 % = 20.00", "total 20.00"]


def test_a_split_changed_after_payment_moves_commission_by_adjustments(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.split("D1", ("ann", "70"), ("bob", "30"), on="2026-02-05")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == [
        "adjustment D1 2026-01: -300.00 at 5 % = -15.00",
        "total -15.00",
    ]
    assert company.paid("bob", "2026-02") == ["adjustment D1 2026-01: 300.00 at 5 % = 15.00", "total 15.00"]


def test_a_rep_in_two_roles_has_both_parts(company: Company) -> None:
    company.deal("D1", "ann")
    company.split("D1", ("ann", "60", "opener"), ("ann", "40", "closer"), on="2026-01-10")
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


@pytest.mark.parametrize(
    ("currency", "whole", "parts"),
    [
        ("USD", "100.00", ["33.33", "33.33", "33.34"]),
        ("USD", "0.01", ["0.00", "0.00", "0.01"]),
        (
            "USD",
            "-0.05",
            ["-0.02", "-0.01", "-0.02"],
        ),  # As 0.05 is: 0.01 each, then the third, then the first.
        ("JPY", "100", ["33", "33", "34"]),
        ("KWD", "0.010", ["0.003", "0.003", "0.004"]),
    ],
)
def test_three_thirds_make_the_whole(start: Start, currency: str, whole: str, parts: list[str]) -> None:
    company = start(currency=currency)
    company.hire("cid")
    company.plan("all", rate="100")
    for rep in ("ann", "bob", "cid"):
        company.assign(rep, "all")
    company.deal("D1", "ann")
    company.split("D1", *THIRDS, on="2026-01-10")
    company.win("D1", whole, "2026-01-20", currency)
    company.close("2026-01")
    paid = [company.paid(rep, "2026-01") for rep in ("ann", "bob", "cid")]
    assert paid == [[f"win D1 2026-01: {part} at 100 % = {part}", f"total {part}"] for part in parts]


def test_ties_go_to_the_first_named(company: Company) -> None:
    company.deal("D1", "ann")
    company.split("D1", ("bob", "50"), ("ann", "50"), on="2026-01-10")
    company.win("D1", "100.01", "2026-01-20")
    company.close("2026-01")
    assert company.paid("bob", "2026-01") == ["win D1 2026-01: 50.01 at 5 % = 2.50", "total 2.50"]
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 50.00 at 5 % = 2.50", "total 2.50"]


def test_a_win_before_the_rep_left_is_paid_after_they_left(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.leave("ann", "2026-01-25")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_win_after_the_rep_left_is_the_next_owners(company: Company) -> None:
    """The lead went to the pool when Ann left; the customer bought; Bob claims it and has the credit."""
    company.deal("D1", "ann")
    company.leave("ann", "2026-01-10")
    company.win("D1", "1000.00", "2026-01-20")
    company.claim("D1", "bob", "2026-01-22")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["total 0.00"]
    assert company.paid("bob", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_a_win_recorded_before_a_departure_that_happened_earlier_keeps_its_credit(company: Company) -> None:
    """Ann left on the 10th, which was recorded on the 25th: she owned the lead when the win was recorded."""
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.hire("cid", on="2026-01-25")
    company.leave("ann", "2026-01-10")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_who_left_in_an_earlier_month_still_has_adjustments(company: Company) -> None:
    company.deal("D1", "ann")
    company.win("D1", "1000.00", "2026-01-20")
    company.leave("ann", "2026-01-25")
    company.close("2026-01")
    company.amend("D1", "900.00", "2026-02-05")
    company.close("2026-02")
    assert company.paid("ann", "2026-02") == ["adjustment D1 2026-01: -100.00 at 5 % = -5.00", "total -5.00"]


def test_a_split_gives_an_ownerless_win_to_those_it_names(company: Company) -> None:
    company.deal("D1", None)
    company.win("D1", "1000.00", "2026-01-20")
    company.close("2026-01")
    company.split("D1", ("bob", "100"), on="2026-02-03")
    company.close("2026-02")
    assert company.paid("bob", "2026-02") == ["adjustment D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


@pytest.fixture
def family(start: Start) -> Company:
    """Boss over Head over Cid. Head earns 1 % on what those directly below win, Boss too, Cid 5 %."""
    company = start()
    company.hire("boss")
    company.hire("head", "boss")
    company.hire("cid", "head")
    company.plan("lead", rate="5", override="1")
    company.plan("five", rate="5")
    company.assign("boss", "lead")
    company.assign("head", "lead")
    company.assign("cid", "five")
    company.assign("bob", "five")
    return company


def test_a_head_earns_on_those_directly_below(family: Company) -> None:
    family.deal("D1", "cid")
    family.win("D1", "1000.00", "2026-01-20")
    family.close("2026-01")
    assert family.paid("cid", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert family.paid("head", "2026-01") == ["override D1 2026-01: 1000.00 at 1 % = 10.00", "total 10.00"]
    assert family.paid("boss", "2026-01") == ["total 0.00"]


def test_a_head_earns_only_on_the_part_of_those_below(family: Company) -> None:
    family.deal("D1", "cid")
    family.split("D1", ("cid", "70"), ("bob", "30"), on="2026-01-10")
    family.win("D1", "1000.00", "2026-01-20")
    family.close("2026-01")
    assert family.paid("head", "2026-01") == ["override D1 2026-01: 700.00 at 1 % = 7.00", "total 7.00"]


def test_a_head_who_shares_a_deal_with_those_below_has_both(family: Company) -> None:
    family.deal("D1", "cid")
    family.split("D1", ("cid", "70"), ("head", "30"), on="2026-01-10")
    family.win("D1", "1000.00", "2026-01-20")
    family.close("2026-01")
    assert family.paid("head", "2026-01") == [
        "win D1 2026-01: 300.00 at 5 % = 15.00",
        "override D1 2026-01: 700.00 at 1 % = 7.00",
        "total 22.00",
    ]
    assert family.paid("boss", "2026-01") == ["override D1 2026-01: 300.00 at 1 % = 3.00", "total 3.00"]


def test_an_override_is_taken_back_with_the_win(family: Company) -> None:
    family.deal("D1", "cid")
    family.win("D1", "1000.00", "2026-01-20")
    family.close("2026-01")
    family.reopen("D1", "2026-02-03")
    family.close("2026-02")
    assert family.paid("head", "2026-02") == [
        "adjustment D1 2026-01: -1000.00 at 1 % = -10.00",
        "total -10.00",
    ]


def test_who_was_the_head_when_the_win_was_recorded_has_the_override(family: Company) -> None:
    family.deal("D1", "cid")
    family.win("D1", "1000.00", "2026-01-20")
    family.hire("cid", "boss", on="2026-01-21")
    family.deal("D2", "cid")
    family.win("D2", "100.00", "2026-01-22")
    family.close("2026-01")
    assert family.paid("head", "2026-01") == ["override D1 2026-01: 1000.00 at 1 % = 10.00", "total 10.00"]
    assert family.paid("boss", "2026-01") == ["override D2 2026-01: 100.00 at 1 % = 1.00", "total 1.00"]
