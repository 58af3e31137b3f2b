"""Customers with names and identity keys that are valid, and each customer's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stdnum import luhn
from stdnum.iso7064 import mod_11_10

from adapters.demo.chance import Chance, Wheel
from adapters.demo.names import ADJECTIVES, FIRST_NAMES, LAST_NAMES, NOUNS

_STEP: Final = 7_368_787
"""Has no factor in common with 10, so that n * _STEP modulo 10^7 meets every number once."""


@dataclass(frozen=True, slots=True)
class Country:
    """`phone` makes an E.164 number, `tax_id` a VAT number (or None) of seven digits below 10^7."""

    name: str
    branch: str
    currency: str
    suffix: str
    phone: Callable[[int], str]
    tax_id: Callable[[int], str] | None


def _us_phone(n: int) -> str:
    area = ("212", "312", "404", "415", "503", "617", "646", "702", "713", "917")[n // 1_000_000]
    return f"+1{area}{2 + n % 8}{n % 1_000_000:06}"


def _german_vat(n: int) -> str:
    number = f"1{n:07}"
    return f"DE{number}{mod_11_10.calc_check_digit(number)}"


def _french_vat(n: int) -> str:
    number = f"4{n:07}"
    siren = number + luhn.calc_check_digit(number)
    return f"FR{int(siren + '12') % 97:02}{siren}"


def _belgian_vat(n: int) -> str:
    number = 4_000_000 + n
    return f"BE{number:08}{97 - number % 97:02}"


COUNTRIES = Wheel(
    [
        (Country("DE", "Berlin", "EUR", "GmbH", lambda n: f"+49151{n // 10**6}{n:07}", _german_vat), 26),
        (Country("BE", "Berlin", "EUR", "BV", lambda n: f"+3247{n:07}", _belgian_vat), 8),
        (Country("GB", "London", "USD", "Ltd", lambda n: f"+44747{n:07}", None), 20),
        (Country("FR", "London", "EUR", "SARL", lambda n: f"+3361{n:07}", _french_vat), 14),
        (Country("US", "New York", "USD", "Inc", _us_phone, None), 32),
    ]
)
BRANCHES = ("Berlin", "London", "New York")


@dataclass(frozen=True, slots=True)
class Customer:
    """A company that might buy. `number` tells it from all others; the keys follow from it."""

    number: int
    name: str
    contact: str
    country: Country

    @property
    def phone(self) -> str:
        return self.country.phone(self._digits)

    @property
    def email(self) -> str:
        house = self.name.rsplit(" ", 1)[0].replace(" ", "").lower()
        return f"{self.contact.replace(' ', '.').lower()}@{house}-{self.number}.example"

    @property
    def tax_id(self) -> str | None:
        return self.country.tax_id(self._digits) if self.country.tax_id else None

    @property
    def external(self) -> str:
        return f"C-{100_000 + self.number}"

    @property
    def _digits(self) -> int:
        return self.number * _STEP % 10_000_000


def meet(chance: Chance, number: int) -> Customer:
    """A new customer. Keys repeat after 10,000,000 of them."""
    country = COUNTRIES.spin(chance)
    name = f"{chance.pick(ADJECTIVES)} {chance.pick(NOUNS)} {country.suffix}"
    return Customer(number, name, f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}", country)


def written(phone: str, chance: Chance) -> str:
    """The same number as another person would type it."""
    style = chance.between(0, 2)
    if style == 0:
        return phone
    if style == 1:
        return f"{phone[:3]} {phone[3:6]} {phone[6:9]} {phone[9:]}"
    return f"{phone[:3]} ({phone[3:6]}) {phone[6:]}"
