"""Identity keys of the demo's customers: valid by the libraries made for it, and nobody else's."""

import phonenumbers
import pytest
from stdnum.eu import vat

from adapters.demo.chance import Chance
from adapters.demo.customers import COUNTRIES, Country, Customer, meet, written
from domain.shared.keys import normalise

CHANCE = Chance(1)
CUSTOMERS = [meet(CHANCE, number) for number in range(1, 2_001)]
EVERYWHERE = sorted({customer.country.name for customer in CUSTOMERS})


def country(name: str) -> Country:
    return next(customer.country for customer in CUSTOMERS if customer.country.name == name)


def test_customers_are_of_several_countries() -> None:
    assert EVERYWHERE == ["BE", "DE", "FR", "GB", "US"]


def test_phones_are_valid_numbers_of_their_country() -> None:
    for customer in CUSTOMERS:
        number = phonenumbers.parse(customer.phone)
        assert phonenumbers.is_valid_number(number), customer.phone
        assert phonenumbers.region_code_for_number(number) == customer.country.name


def test_tax_ids_are_valid() -> None:
    tax_ids = [customer.tax_id for customer in CUSTOMERS if customer.tax_id is not None]
    assert len(tax_ids) > 500
    assert all(vat.is_valid(tax_id) for tax_id in tax_ids)


def test_a_number_written_by_somebody_else_is_the_same_number() -> None:
    chance = Chance(2)
    for customer in CUSTOMERS[:300]:
        phones = {written(customer.phone, chance) for _ in range(10)}
        assert len(phones) > 1
        assert {normalise({"phone": phone}, source="")[0].value for phone in phones} == {customer.phone}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_no_two_customers_of_a_country_share_a_key(name: str) -> None:
    place = country(name)
    numbers = [*range(1, 20_000), *range(2_000_000, 2_020_000), *range(7_990_000, 8_020_000)]
    customers = [Customer(number, "Calm Works Ltd", "Ann Lee", place) for number in numbers]
    assert len({customer.phone for customer in customers}) == len(numbers)
    if place.tax_id is not None:
        assert len({customer.tax_id for customer in customers}) == len(numbers)
    assert len({customer.email for customer in customers}) == len(numbers)


def test_e_mails_are_accepted() -> None:
    assert normalise({"email": CUSTOMERS[0].email}, source="")[0].value == CUSTOMERS[0].email


def test_the_wheel_of_countries_gives_each_its_share() -> None:
    chance = Chance(3)
    drawn = [COUNTRIES.spin(chance).name for _ in range(5_000)]
    assert 0.28 < drawn.count("US") / len(drawn) < 0.36
    assert 0.06 < drawn.count("BE") / len(drawn) < 0.1
