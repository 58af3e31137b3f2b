"""Identity keys: what tells that two leads are the same customer, in one normal form each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType
from typing import cast

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from stdnum import get_cc_module
from stdnum.exceptions import ValidationError as TaxIdInvalid

from domain.shared.rejections import InvalidKey

KINDS = ("phone", "email", "tax_id", "external")
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
    return IdentityKey(kind, _NORMAL_FORM[kind](value, source))


def _phone(value: str, _source: str) -> str:
    """E.164. Possible numbers pass, not only ranges in use today: new ranges open all the time."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise _bad("phone", value, "write it with + and the country code") from None
        raise _bad("phone", value, str(error)) from None
    if not phonenumbers.is_possible_number(number):
        raise _bad("phone", value, "no phone number of that country has this length")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(value: str, _source: str) -> str:
    try:
        # `.test` domains are let through: they can't receive mail, but they can tell two leads apart.
        address = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise _bad("email", value, str(error)) from None
    return address.normalized.casefold()


def _tax_id(value: str, _source: str) -> str:
    """With its country in front (`DE136695976`), or bare if its checksum fits some country's format."""
    compact = "".join(character for character in value.upper() if character.isalnum())
    country = compact[:2] if compact[:2].isalpha() else None
    if country is not None and _formats(country):
        if any(_fits(module, compact) or _fits(module, compact[2:]) for module in _formats(country)):
            return compact
        raise _bad("tax_id", value, f"the checksum or length is wrong for a tax id of {country}")
    if any(_fits(module, compact) for module in _all_formats()):
        return compact
    raise _bad(
        "tax_id", value, "its checksum fits no country's tax id; write the country in front, as DE136695976"
    )


def _external(value: str, source: str) -> str:
    """A source system's own id is unique within that source only, so the source is part of it."""
    if not value.strip():
        raise _bad("external", value, "it is empty")
    return f"{source}/{value.strip()}"


def _bad(kind: str, value: str, reason: str) -> InvalidKey:
    return InvalidKey(kind=kind, value=value, reason=reason.rstrip("."), field=f"keys.{kind}")


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
