"""One normal form for every way to write a key, and a reason for each that is none."""

from collections.abc import Mapping

import pytest

from domain.shared.keys import IdentityKey, normalise
from domain.shared.rejections import InvalidKey


def normal(kind: str, value: str, source: str = "crm") -> str:
    (key,) = normalise({kind: value}, source=source)
    assert key.kind == kind
    return key.value


def reason(kind: str, value: str) -> str:
    with pytest.raises(InvalidKey) as refused:
        normal(kind, value)
    assert refused.value.details["kind"] == kind
    assert refused.value.details["field"] == f"keys.{kind}"
    return str(refused.value.details["reason"])


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("+7 916 123-45-67", "+79161234567"),
        ("+7 (916) 123 45 67", "+79161234567"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("tel:+1-415-555-2671", "+14155552671"),
        ("+49 30 123456", "+4930123456"),
        ("+39 02 1234567", "+39021234567"),
        ("+54 9 11 1234-5678", "+5491112345678"),
        ("+86 138 1234 5678", "+8613812345678"),
        ("+43 0 0 0 662 123456", "+43662123456"),
        ("\uff0b\uff17\uff19\uff11\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "+79161234567"),
        ("\u202a+79161234567\u202c", "+79161234567"),
    ],
)
def test_a_phone_is_one_number_however_it_is_written(written: str, e164: str) -> None:
    assert normal("phone", written) == e164


def test_a_possible_number_passes_even_in_a_range_that_is_not_in_use() -> None:
    assert normal("phone", "+7 000 000-00-01") == "+70000000001"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("8 916 123-45-67", "it doesn't begin with + and a country code"),
        ("0044 20 7946 0958", "it doesn't begin with + and a country code"),
        ("+999 123 456 789", "it doesn't begin with + and a country code"),
        ("+7 916", "no phone number of that country has this length"),
        ("+1 415 555 267", "no phone number of that country has this length"),
        ("", "it isn't a phone number"),
        ("call me", "it isn't a phone number"),
        ("+" + "1" * 60, "it is too long"),
    ],
)
def test_a_bad_phone_is_refused_with_the_reason(written: str, why: str) -> None:
    assert reason("phone", written) == why


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        (" ann@example.com\n", "ann@example.com"),
        ("ann+leads@gmail.com", "ann+leads@gmail.com"),
        ("Ann@ПРИМЕР.рф", "ann@пример.рф"),
        ("ann@xn--e1afmkfd.xn--p1ai", "ann@пример.рф"),
        ("Дима@example.com", "дима@example.com"),
        ("e\u0301@example.com", "é@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("Straße@example.com", "strasse@example.com"),
        ("ann@straße.de", "ann@straße.de"),
        ("ann@shop.test", "ann@shop.test"),
    ],
)
def test_an_email_is_one_address_whatever_its_case_and_script(written: str, address: str) -> None:
    assert normal("email", written) == address


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("ann", "@-sign"),
        ("ann@", "after the @-sign"),
        ("@example.com", "before the @-sign"),
        ("ann@localhost", "period"),
        ("a b@example.com", "SPACE"),
        ("Ann <ann@example.com>", "display name"),
        ("ann@example.com, bob@example.com", "after the @-sign"),
        ("ann@[127.0.0.1]", "bracketed IP address"),
        ("", "@-sign"),
        ("a" * 250 + "@example.com", "too long"),
    ],
)
def test_a_bad_email_is_refused_with_the_reason(written: str, why: str) -> None:
    assert why in reason("email", written)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("DE136695976", "DE136695976"),
        ("de 136 695 976", "DE136695976"),
        ("136695976", "136695976"),
        ("\uff11\uff13\uff16\uff16\uff19\uff15\uff19\uff17\uff16", "136695976"),
        ("7707083893", "7707083893"),
        ("RU7707083893", "RU7707083893"),
        ("500100732259", "500100732259"),
        ("GB 980 7806 84", "GB980780684"),
        ("FR 40 303 265 045", "FR40303265045"),
        ("11.222.333/0001-81", "11222333000181"),
        ("EL 094259216", "GR094259216"),
        ("GR 094259216", "GR094259216"),
        ("CHE-107.787.577 MWST", "CHE107787577"),
        ("CHE-107.787.577 IVA", "CHE107787577"),
        ("BE 428759497", "BE0428759497"),
        ("BE 0428.759.497", "BE0428759497"),
        ("ATU 13585627", "ATU13585627"),
        ("NL4495445B01", "NL004495445B01"),
        ("US 12-3456789", "US123456789"),
    ],
)
def test_a_tax_id_is_one_number_however_it_is_written(written: str, number: str) -> None:
    assert normal("tax_id", written) == number


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("DE136695978", "the checksum or length is wrong for a tax id of DE"),
        ("RU7707083894", "the checksum or length is wrong for a tax id of RU"),
        ("GB12", "the checksum or length is wrong for a tax id of GB"),
        ("7707083894", "its checksum fits no country's tax id; write the country in front, as DE136695976"),
        ("", "its checksum fits no country's tax id; write the country in front, as DE136695976"),
        ("ask the boss", "its checksum fits no country's tax id; write the country in front, as DE136695976"),
        ("000000000000", "it is one digit over and over, a placeholder"),
        ("ИНН 7707083893", "tax ids have no letters but A to Z and no digits but 0 to 9"),
        (
            "\u0667\u0667\u0660\u0667\u0660\u0668\u0663\u0668\u0669\u0663",
            "tax ids have no letters but A to Z and no digits but 0 to 9",
        ),
    ],
)
def test_a_bad_tax_id_is_refused_with_the_reason(written: str, why: str) -> None:
    assert reason("tax_id", written) == why


def test_an_external_id_is_unique_within_its_source_only() -> None:
    assert normal("external", " 42 ", "crm") == "crm/42"
    assert normal("external", "42", "crm") != normal("external", "42", "shop")
    assert normal("external", "ab") != normal("external", "AB")


def test_a_source_with_slashes_cannot_be_mistaken_for_another() -> None:
    assert normal("external", "b/c", "a") != normal("external", "c", "a/b")


@pytest.mark.parametrize("written", ["", "  "])
def test_an_empty_external_id_is_refused(written: str) -> None:
    assert reason("external", written) == "it is empty"


@pytest.mark.parametrize("kind", ["phone", "email", "tax_id", "external"])
@pytest.mark.parametrize("one", ["1", "a"])
def test_a_key_of_any_length_is_answered_briefly(kind: str, one: str) -> None:
    with pytest.raises(InvalidKey) as refused:
        normal(kind, one * 1_000_000)
    assert refused.value.details["reason"] == "it is longer than 320 characters"
    assert len(refused.value.message) < 200


def test_several_keys_are_normalised_in_the_order_given_and_the_first_bad_one_is_named() -> None:
    written: Mapping[str, str] = {"email": "A@example.com", "phone": "+7 916 123-45-67"}
    assert normalise(written, source="crm") == (
        IdentityKey("email", "a@example.com"),
        IdentityKey("phone", "+79161234567"),
    )
    with pytest.raises(InvalidKey, match="The phone 'x' can't identify a lead: it isn't a phone number"):
        normalise({"phone": "x", "email": "y"}, source="crm")
