"""A lead won while nobody owned it, and merged or handed over afterwards."""

from pathlib import Path

import pytest
from payroll_company import FromOutside


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> FromOutside:
    """D1 is won from the pool; Bob has a lead of the same customer."""
    company = FromOutside(database_url, tmp_path)
    company.hire("ann")
    company.hire("bob")
    company.plan("five", rate="5")
    company.assign("ann", "five")
    company.assign("bob", "five")
    company.deal("D1", None)
    company.deal("D2", "bob")
    company.win("D1", "1000.00", "2026-01-20")
    return company


def owner(company: FromOutside, lead: str) -> str | None:
    company.flush()
    return company.company.owner(lead)


@pytest.mark.parametrize(("lead", "into"), [("L-D1", "L-D2"), ("L-D2", "L-D1")])
def test_the_owner_that_a_merge_gives_has_the_credit(company: FromOutside, lead: str, into: str) -> None:
    company.send("lead.merge", lead, {"into": into}, "2026-01-22")
    assert owner(company, "L-D1") == "bob"
    company.close("2026-01")
    assert company.paid("bob", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_an_owner_named_after_the_merge_has_the_credit(company: FromOutside) -> None:
    """What the list of exceptions advises, lead.assign, must help."""
    company.deal("D3", None)
    company.send("lead.merge", "L-D1", {"into": "L-D3"}, "2026-01-22")
    company.claim("D1", "ann", "2026-01-23")
    assert owner(company, "L-D1") == "ann"
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]


def test_who_is_handed_the_lead_later_has_no_credit(company: FromOutside) -> None:
    company.claim("D1", "ann", "2026-01-21")
    company.send("lead.assign", "L-D1", {"rep": "bob", "reason": "conflict"}, "2026-01-22")
    company.close("2026-01")
    assert company.paid("ann", "2026-01") == ["win D1 2026-01: 1000.00 at 5 % = 50.00", "total 50.00"]
    assert company.paid("bob", "2026-01") == ["total 0.00"]
