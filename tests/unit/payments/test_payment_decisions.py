"""Money that came and went back: recorded once, never given back beyond what came, for one deal at a time."""

from decimal import Decimal
from typing import Any

import pytest
from scenario import Scenario

from domain.payments.decisions import (
    OtherCurrency,
    OtherDeal,
    PaymentExists,
    PaymentTooSmall,
    RefundTooLarge,
    UnknownPayment,
    match,
    record,
    refund,
)
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payments.model import PAYMENT, Payment
from domain.shared.rejections import InvalidData
from domain.shared.repeated import NothingChanged

SENT: dict[str, Any] = {"deal": "D-1", "amount": Decimal(100), "currency": "USD", "reference": "I-7"}
RECORDED = PaymentRecorded(deal="D-1", amount=Decimal("100.00"), currency="USD", reference="I-7")
GHOST = PaymentRecorded(deal=None, amount=Decimal("100.00"), currency="USD", reference="I-7")
MATCHED = PaymentMatched(deal="D-2")


def back(amount: str, deal: str | None = None, reference: str | None = None) -> RefundRecorded:
    return RefundRecorded(deal=deal, amount=Decimal(amount), currency="USD", reference=reference)


def given(*events: Any) -> Scenario[Payment]:
    return Scenario(PAYMENT, "P-1").given(*events)


def asked(amount: str = "30", **said: Any) -> dict[str, Any]:
    """A refund as it is asked for."""
    return {"deal": None, "amount": Decimal(amount), "currency": "USD"} | said


# Payments


def test_a_payment_is_recorded_in_full_minor_units() -> None:
    kept = given().when(record, **SENT).then(RECORDED).state
    assert (str(kept.amount), kept.deal, kept.currency) == ("100.00", "D-1", "USD")


def test_a_payment_that_names_no_deal_is_recorded_and_belongs_to_none() -> None:
    assert given().when(record, **(SENT | {"deal": None})).then(GHOST).state.belongs_to is None


def test_the_same_payment_again_changes_nothing() -> None:
    given(RECORDED).when(record, **(SENT | {"amount": Decimal("100.0")})).then_nothing()


@pytest.mark.parametrize("deal", [None, "D-2"])
def test_a_matched_payment_sent_again_as_first_or_with_its_deal_changes_nothing(deal: str | None) -> None:
    given(GHOST, MATCHED).when(record, **(SENT | {"deal": deal})).then_nothing()


def test_a_payment_sent_again_after_a_refund_changes_nothing() -> None:
    given(RECORDED, back("100.00")).when(record, **SENT).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        {"amount": Decimal("100.01")},
        {"currency": "EUR"},
        {"deal": "D-9"},
        {"deal": None},
        {"reference": "I-8"},
        {"reference": None},
    ],
)
def test_an_id_that_means_another_payment_is_refused_with_what_is_recorded(other: dict[str, Any]) -> None:
    refusal = (
        given(RECORDED)
        .when(record, **(SENT | other))
        .then_rejected(
            PaymentExists, payment="P-1", amount="100.00", currency="USD", deal="D-1", reference="I-7"
        )
    )
    assert refusal.message == (
        "The payment P-1 was recorded before: 100.00 USD for the deal D-1 with the reference I-7. "
        "Another payment needs an id of its own."
    )


def test_of_a_bare_payment_is_told_that_it_has_no_deal() -> None:
    bare = PaymentRecorded(deal=None, amount=Decimal(5), currency="JPY")
    refusal = given(bare).when(record, **SENT).then_rejected(PaymentExists, deal=None, reference=None)
    assert "before: 5 JPY for no deal. " in refusal.message


@pytest.mark.parametrize("amount", ["0", "0.00", "-100"])
def test_a_payment_of_nothing_or_less_is_refused_and_says_how_to_give_back(amount: str) -> None:
    refusal = (
        given()
        .when(record, **(SENT | {"amount": Decimal(amount)}))
        .then_rejected(InvalidData, field="amount")
    )
    assert "refund.record" in refusal.message


@pytest.mark.parametrize("decide", [record, refund])
@pytest.mark.parametrize(
    ("amount", "currency", "field"),
    [("0.001", "USD", "amount"), ("1e15", "USD", "amount"), ("1", "BTC", "currency")],
)
def test_what_is_no_amount_of_money_is_refused(decide: Any, amount: str, currency: str, field: str) -> None:
    given().when(decide, deal=None, amount=Decimal(amount), currency=currency).then_rejected(
        InvalidData, field=field
    )


# Refunds of a payment that is recorded


def test_a_payment_is_given_back_in_parts_down_to_nothing() -> None:
    scenario = given(RECORDED).when(refund, **asked("30")).then(back("30.00"))
    scenario.when(refund, **asked("70", deal="D-1")).then(back("70.00", "D-1"))
    assert scenario.state.refunded == Decimal("100.00")


def test_more_than_is_left_is_not_given_back() -> None:
    refusal = (
        given(RECORDED, back("30.00"), back("60.50"))
        .when(refund, **asked("9.51"))
        .then_rejected(RefundTooLarge, payment="P-1", left="9.50", currency="USD", given="9.51")
    )
    assert refusal.message == "Of the payment P-1 9.50 USD are left to give back, not 9.51."


@pytest.mark.parametrize("amount", ["0", "-30"])
def test_a_refund_of_nothing_or_less_is_refused(amount: str) -> None:
    given(RECORDED).when(refund, **asked(amount)).then_rejected(InvalidData, field="amount")


def test_a_refund_in_another_currency_is_refused() -> None:
    given(RECORDED).when(refund, **asked(currency="EUR")).then_rejected(
        OtherCurrency, payment="P-1", currency="USD", given="EUR"
    )


@pytest.mark.parametrize(
    ("facts", "deal", "named"), [((RECORDED,), "D-1", "D-2"), ((RECORDED, MATCHED), "D-2", "D-1")]
)
def test_a_refund_that_names_another_deal_than_the_payments_is_refused(
    facts: tuple[Any, ...], deal: str, named: str
) -> None:
    given(*facts).when(refund, **asked(deal=named)).then_rejected(
        OtherDeal, payment="P-1", deal=deal, given=named
    )
    given(*facts).when(refund, **asked(deal=deal)).then(back("30.00", deal))


def test_a_refund_may_name_the_deal_of_a_payment_that_had_none() -> None:
    after = given(GHOST).when(refund, **asked(deal="D-1")).then(back("30.00", "D-1"))
    assert after.state.belongs_to == "D-1"


def test_the_same_refund_again_changes_nothing_by_its_reference() -> None:
    once = given(RECORDED, back("60.00", reference="R-1"))
    once.when(refund, **asked("60", reference="R-1")).then_nothing()


def test_a_refund_sent_again_changes_nothing_though_all_is_given_back_or_the_deal_is_another_now() -> None:
    facts = (RECORDED, back("100.00", "D-1", "R-1"), MATCHED)
    given(*facts).when(refund, **asked("100", deal="D-1", reference="R-1")).then_nothing()


@pytest.mark.parametrize("reference", [None, "R-2"])
def test_without_a_reference_or_with_another_it_is_another_refund(reference: str | None) -> None:
    given(RECORDED, back("30.00"), back("30.00", reference="R-1")).when(
        refund, **asked(reference=reference)
    ).then(back("30.00", reference=reference))


def test_the_same_reference_with_another_amount_is_another_refund() -> None:
    given(RECORDED, back("30.00", reference="R-1")).when(refund, **asked("20", reference="R-1")).then(
        back("20.00", reference="R-1")
    )


# Refunds under an id of their own, and payments that come after them


def test_a_refund_may_come_without_a_payment() -> None:
    after = given().when(refund, **asked(deal="D-1")).then(back("30.00", "D-1"))
    assert (after.state.known, after.state.recorded, after.state.belongs_to) == (True, False, "D-1")


def test_refunds_under_one_id_agree_on_currency_and_deal() -> None:
    given(back("30.00", "D-1")).when(refund, **asked(currency="EUR")).then_rejected(
        OtherCurrency, currency="USD"
    )
    given(back("30.00", "D-1")).when(refund, **asked(deal="D-2")).then_rejected(OtherDeal, deal="D-1")


@pytest.mark.parametrize("deal", [None, "D-1"])
def test_a_payment_may_come_after_its_refund(deal: str | None) -> None:
    after = given(back("100.00", "D-1")).when(record, **(SENT | {"deal": deal}))
    assert after.then(RECORDED if deal else GHOST).state.belongs_to == "D-1"


def test_a_payment_smaller_than_what_was_given_back_is_refused() -> None:
    given(back("60.00"), back("40.01")).when(record, **SENT).then_rejected(
        PaymentTooSmall, payment="P-1", refunded="100.01", currency="USD", given="100.00"
    )


def test_a_payment_in_another_currency_than_its_refunds_is_refused() -> None:
    given(back("30.00")).when(record, **(SENT | {"currency": "EUR"})).then_rejected(
        OtherCurrency, payment="P-1", currency="USD", given="EUR"
    )


def test_a_payment_for_another_deal_than_its_refunds_is_refused_until_it_is_matched() -> None:
    given(back("30.00", "D-2")).when(record, **SENT).then_rejected(OtherDeal, deal="D-2", given="D-1")
    given(back("30.00", "D-2"), PaymentMatched(deal="D-1")).when(record, **SENT).then(RECORDED)


# Whose it is


@pytest.mark.parametrize("known", [GHOST, RECORDED, back("30.00")])
def test_a_payment_or_a_refund_of_its_own_is_matched_to_a_deal(known: Any) -> None:
    assert given(known).when(match, deal="D-2").then(MATCHED).state.belongs_to == "D-2"


def test_a_match_is_corrected_by_another_one_and_may_go_back() -> None:
    scenario = given(RECORDED, MATCHED).when(match, deal="D-1").then(PaymentMatched(deal="D-1"))
    assert scenario.state.belongs_to == "D-1"


@pytest.mark.parametrize(("facts", "deal"), [((RECORDED,), "D-1"), ((RECORDED, MATCHED), "D-2")])
def test_matching_to_the_deal_that_it_belongs_to_changes_nothing(facts: tuple[Any, ...], deal: str) -> None:
    given(*facts).when(match, deal=deal).then_nothing()


def test_a_payment_that_nobody_recorded_is_not_matched() -> None:
    given().when(match, deal="D-1").then_rejected(UnknownPayment, payment="P-1")


def test_an_action_that_changed_nothing_makes_no_payment_known() -> None:
    assert given(NothingChanged(action="payment.record")).state == Payment("P-1")
