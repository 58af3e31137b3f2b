"""Payments and refunds to rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.projecting.rows import Memory
from domain.kernel import Event, Recorded
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payments.model import PAYMENT
from projections.payroll.payments import PaymentRow, Payments, RefundRow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def facts(*events: Event) -> list[Recorded[Event]]:
    """One event an hour, each recorded a day after it occurred."""
    return [
        Recorded(
            event=event,
            stream="payment-P-1",
            version=at,
            position=at,
            occurred_at=NOON + at * timedelta(hours=1),
            recorded_at=NOON + at * timedelta(hours=1) + timedelta(days=1),
            actor="service:bank",
            source="test",
            action=str(at),
        )
        for at, event in enumerate(events, start=1)
    ]


def fold(*events: Event) -> Memory:
    rows = Memory(Payments.rows)
    rows.entity = "P-1"
    for fact in facts(*events):
        Payments().apply(fact, rows)
    return rows


PAID = PaymentRecorded(deal="D-1", amount=Decimal("100.00"), currency="USD", reference="I-7")
BACK = RefundRecorded(deal="D-1", amount=Decimal("30.00"), currency="USD", reference="R-1")


def test_a_payment_keeps_what_it_named_beside_what_it_was_matched_to() -> None:
    row = fold(PAID, PaymentMatched(deal="D-2")).get(PaymentRow, "P-1")
    assert (row.deal, row.named_deal, row.position, row.matched_position) == ("D-2", "D-1", 1, 2)


def test_what_was_given_back_is_summed_and_each_refund_kept() -> None:
    rows = fold(PAID, BACK, BACK)
    assert rows.get(PaymentRow, "P-1").refunded == Decimal("60.00")
    assert [rows.get(RefundRow, "P-1", at).amount for at in (2, 3)] == [Decimal("30.00")] * 2


def test_nothing_given_back_is_written_in_full_minor_units() -> None:
    assert str(fold(PAID).get(PaymentRow, "P-1").refunded) == "0.00"


def test_refunds_alone_have_no_amount_received_and_the_first_ones_time() -> None:
    row = fold(BACK, BACK).get(PaymentRow, "P-1")
    assert (row.amount, row.named_deal, row.deal, row.reference, row.position) == (
        None,
        None,
        "D-1",
        "R-1",
        1,
    )
    assert row.occurred_at == NOON + timedelta(hours=1)


def test_a_payment_after_its_refund_takes_the_row_over_and_what_was_given_back_stays() -> None:
    row = fold(BACK, PaymentMatched(deal="D-2"), PAID).get(PaymentRow, "P-1")
    assert (row.amount, row.refunded, row.reference) == (Decimal("100.00"), Decimal("30.00"), "I-7")
    assert (row.deal, row.named_deal, row.position, row.matched_position) == ("D-2", "D-1", 3, 2)
    assert row.occurred_at == NOON + timedelta(hours=3)


def test_a_match_of_what_was_never_recorded_is_an_error_and_not_skipped() -> None:
    with pytest.raises(LookupError):
        fold(PaymentMatched(deal="D-2"))


MONEY = st.integers(min_value=1, max_value=10_000).map(lambda cents: Decimal(cents).scaleb(-2))
BACKS = st.lists(st.builds(RefundRecorded, deal=st.none(), amount=MONEY, currency=st.just("USD")), max_size=3)
MATCHES = st.lists(st.builds(PaymentMatched, deal=st.sampled_from(["D-1", "D-2"])), max_size=2)
DEALS = st.none() | st.just("D-1")


@given(before=BACKS, deal=DEALS, later=BACKS, matches=MATCHES)
def test_the_rows_agree_with_what_decisions_know(
    before: list[RefundRecorded],
    deal: str | None,
    later: list[RefundRecorded],
    matches: list[PaymentMatched],
) -> None:
    paid = PaymentRecorded(deal=deal, amount=Decimal("500.00"), currency="USD")
    history = [*before, paid, *matches, *later]
    known = PAYMENT.fold("P-1", facts(*history))
    row = fold(*history).get(PaymentRow, "P-1")
    assert (row.deal, row.named_deal, row.amount, row.currency, row.refunded) == (
        known.belongs_to,
        known.deal,
        known.amount,
        known.money_in,
        known.refunded,
    )
