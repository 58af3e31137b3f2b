"""Identity keys: what tells that two leads are the same customer, in one normal form each."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from string import digits
from types import ModuleType
from typing import cast
from urllib.parse import quote

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError as TaxIdInvalid

from domain.shared.rejections import InvalidKey

_TAX_ID_FORMATS = (
    "vat",
    "tin",
    "ein",
    "itin",
    "inn",
    "nip",
    "cnpj",
    "cpf",
    "ruc",
    "rut",
    "nit",
    "edrpou",
    "uid",
)
_LENGTH_MAX = 320  # The longest e-mail address has 254 characters, a phone number with separators far fewer.
_SAME_COUNTRY = {"EL": "GR", "UK": "GB"}
_SWISS_TAX = re.compile(r"^(CHE\d{9})(?:MWST|TVA|IVA)$")  # One number, said in each of its languages.


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """A key in normal form: equal keys name the same customer."""

    kind: str
    value: str


def normalise(keys: Mapping[str, str], *, source: str) -> tuple[IdentityKey, ...]:
    """Keys as the sender wrote them, in normal form. Raises InvalidKey for the first bad one."""
    return tuple(_normalised(kind, value, source) for kind, value in keys.items())


@lru_cache(maxsize=10_000)
def _normalised(kind: str, value: str, source: str) -> IdentityKey:
    if len(value) > _LENGTH_MAX:
        raise _bad(kind, f"{value[:40]}…", f"it is longer than {_LENGTH_MAX} characters")
    return IdentityKey(kind, _NORMAL_FORM[kind](value, source))


def _phone(value: str, _source: str) -> str:
    """E.164. Possible numbers pass, not only ranges in use today: new ranges open all the time."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as error:
        raise _bad("phone", value, _WHY_NO_PHONE[error.error_type]) from None
    if not phonenumbers.is_possible_number(number):
        raise _bad("phone", value, "no phone number of that country has this length")
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(normal) - 1 < sum(character.isdigit() for character in value):
        return _phone(normal, _source)  # A trunk prefix was left out: what remains may begin with another.
    return normal


def _email(value: str, _source: str) -> str:
    try:
        # `.test` domains are let through: they can't receive mail, but they can tell two leads apart.
        address = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise _bad("email", value, str(error)) from None
    # Only before the @: the domain's case is settled, and straße.de is not strasse.de.
    return unicodedata.normalize("NFC", address.local_part.casefold()) + "@" + address.domain


def _tax_id(value: str, _source: str) -> str:
    """With its country in front (`DE136695976`), or bare if some country's checksum proves it.

    Formats without a checksum pass only with the country in front: bare, any number would be one of theirs.
    """
    compact = "".join(one for one in unicodedata.normalize("NFKC", value).upper() if one.isalnum())
    if not compact.isascii():
        raise _bad("tax_id", value, "tax ids have no letters but A to Z and no digits but 0 to 9")
    if len({one for one in compact if one.isdigit()}) == 1:
        raise _bad("tax_id", value, "it is one digit over and over, a placeholder")
    country = _SAME_COUNTRY.get(compact[:2], compact[:2])
    if country.isalpha() and _formats(country):
        return _of_country(country, country + compact[2:], value)
    if any(_fits(module, compact) and _has_checksum(module, compact) for module in _all_formats()):
        return compact
    raise _bad(
        "tax_id", value, "its checksum fits no country's tax id; write the country in front, as DE136695976"
    )


def _of_country(country: str, compact: str, value: str) -> str:
    for module in _formats(country):
        if _fits(module, compact):
            number = str(module.compact(compact))
            number = number if number.startswith(country) else country + number
            return _SWISS_TAX.sub(r"\1", number)
        if _fits(module, compact[2:]):
            return country + str(module.compact(compact[2:]))
    raise _bad("tax_id", value, f"the checksum or length is wrong for a tax id of {country}")


def _external(value: str, source: str) -> str:
    """A source system's own id is unique within that source only, so the source is part of it."""
    if not value.strip():
        raise _bad("external", value, "it is empty")
    return f"{quote(source, safe='')}/{value.strip()}"


def _bad(kind: str, value: str, reason: str) -> InvalidKey:
    return InvalidKey(kind=kind, value=value, reason=reason.rstrip("."), field=f"keys.{kind}")


_WHY_NO_PHONE = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: "it doesn't begin with + and a country code",
    phonenumbers.NumberParseException.NOT_A_NUMBER: "it isn't a phone number",
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: "it is too short",
    phonenumbers.NumberParseException.TOO_SHORT_NSN: "it is too short",
    phonenumbers.NumberParseException.TOO_LONG: "it is too long",
}
_NORMAL_FORM = {"phone": _phone, "email": _email, "tax_id": _tax_id, "external": _external}


@cache
def _formats(country: str) -> tuple[ModuleType, ...]:
    found = [get_cc_module(country.lower(), name) for name in _TAX_ID_FORMATS]
    return tuple(dict.fromkeys(cast(ModuleType, module) for module in found if module is not None))


@cache
def _all_formats() -> tuple[ModuleType, ...]:
    return tuple(_every_format())


def _every_format() -> Iterator[ModuleType]:
    import pkgutil

    for package in pkgutil.iter_modules(import_module("stdnum").__path__):
        if package.ispkg and len(package.name.rstrip("_")) == 2 and package.name != "eu":
            yield from _formats(package.name.rstrip("_"))


def _fits(module: ModuleType, number: str) -> bool:
    try:
        module.validate(number)
    except TaxIdInvalid:
        return False
    return True


def _has_checksum(module: ModuleType, number: str) -> bool:
    """Whether the format would notice that the last digit is another one."""
    end = max(place for place, one in enumerate(number) if one in digits)
    others = [number[:end] + one + number[end + 1 :] for one in digits if one != number[end]]
    return sum(_fits(module, other) for other in others) < 3
