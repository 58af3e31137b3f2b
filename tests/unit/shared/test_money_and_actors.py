"""Amounts in whole minor units; who an actor is and what that entitles them to."""

from decimal import Decimal

import pytest

from domain.kernel import Event
from domain.shared.actors import Actor
from domain.shared.money import check, minor_digits
from domain.shared.rejections import InvalidData, NotEntitled


@pytest.mark.parametrize(
    ("currency", "decimals"), [("USD", 2), ("EUR", 2), ("RUB", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)]
)
def test_a_currency_has_the_minor_unit_that_iso_4217_gives_it(currency: str, decimals: int) -> None:
    assert minor_digits(currency) == decimals


@pytest.mark.parametrize("currency", ["usd", "US", "", "DOLLAR", "BTC", "XTS", "XAU", "U$D"])
def test_what_is_no_currency_of_money_is_refused(currency: str) -> None:
    with pytest.raises(InvalidData) as refused:
        minor_digits(currency)
    assert refused.value.details["field"] == "currency"


@pytest.mark.parametrize(
    ("amount", "currency", "whole"),
    [
        ("5", "USD", "5.00"),
        ("5.000", "USD", "5.00"),
        ("1.5", "KWD", "1.500"),
        ("1E+3", "JPY", "1000"),
        ("-0.00", "USD", "0.00"),
        ("-5", "USD", "-5.00"),
        ("999999999999999.99", "USD", "999999999999999.99"),
    ],
)
def test_an_amount_is_given_in_full_minor_units(amount: str, currency: str, whole: str) -> None:
    assert str(check(Decimal(amount), currency)) == whole


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.001", "USD"),
        ("0.5", "JPY"),
        ("1.2345", "KWD"),
        ("1E-999999", "USD"),
        ("999999999999999.995", "USD"),
    ],
)
def test_an_amount_finer_than_the_minor_unit_is_refused_and_never_rounded(amount: str, currency: str) -> None:
    with pytest.raises(InvalidData, match="finer than"):
        check(Decimal(amount), currency)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+15", "-1E+15", "1E+999999"])
def test_an_amount_that_is_no_number_or_out_of_bounds_is_refused_naming_the_field(amount: str) -> None:
    with pytest.raises(InvalidData) as refused:
        check(Decimal(amount), "USD", "price")
    assert refused.value.details["field"] == "price"


@pytest.mark.parametrize(
    ("name", "role", "rep"),
    [
        ("rep-7", "rep", "rep-7"),
        ("service:crm", "service", None),
        ("payroll:pam", "payroll", None),
        ("admin:eve", "admin", None),
        ("admin:", "rep", "admin:"),
        ("Admin:eve", "rep", "Admin:eve"),
        ("administrator", "rep", "administrator"),
        ("root:eve", "rep", "root:eve"),
    ],
)
def test_an_actors_name_says_their_role(name: str, role: str, rep: str | None) -> None:
    actor = Actor.of(name)
    assert (actor.name, actor.role, actor.rep) == (name, role, rep)


@pytest.mark.parametrize("name", ["ann", "carl", "service:crm", "admin:eve"])
def test_the_owner_those_beside_them_a_service_and_an_admin_work_on_a_lead(name: str) -> None:
    Actor.of(name).must_work_for("ann", beside=frozenset({"carl"}), action="move the deal")


@pytest.mark.parametrize("name", ["bob", "payroll:pam"])
def test_nobody_else_works_on_it_and_they_are_told_whose_it_is(name: str) -> None:
    with pytest.raises(NotEntitled) as refused:
        Actor.of(name).must_work_for("ann", beside=frozenset({"carl"}), action="move the deal")
    assert refused.value.message == f"{name} may not move the deal: it is ann's."


def test_a_rep_works_on_a_pool_lead_only_once_they_have_claimed_it() -> None:
    with pytest.raises(NotEntitled, match="claim it first"):
        Actor.of("ann").must_work_for(None, beside=frozenset(), action="move the deal")
    Actor.of("service:crm").must_work_for(None, beside=frozenset(), action="move the deal")


def test_no_two_events_are_stored_under_one_name() -> None:
    import domain.leads.events

    assert Event.catalogue["leads.LeadClaimed"] is domain.leads.events.LeadClaimed
    with pytest.raises(TypeError, match=r"two events are stored as leads\.LeadClaimed"):
        type("Twin", (Event,), {"__module__": __name__}, stored_name="leads.LeadClaimed")
