"""What was paid and given back, for which deal, and which money is for none that anybody opened?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from domain.kernel import Event, Recorded
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.shared.money import check
from projections.asking import Listing, View
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class PaymentRow(Row):
    """A payment, or refunds under an id of their own: `amount` is empty while no payment is recorded.

    `deal` is what the money counts for: the deal matched last, else the one that was named first.
    `named_deal` is what the payment itself named, `refunded` all that was given back. The times and the
    position are the payment's, without one those of the first refund.
    """

    table: ClassVar[str] = "payment"
    key: ClassVar[tuple[str, ...]] = ("payment",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("deal",),)

    payment: str
    deal: str | None
    named_deal: str | None
    amount: Decimal | None
    currency: str
    refunded: Decimal
    reference: str | None
    occurred_at: datetime
    recorded_at: datetime
    position: int
    matched_position: int | None = None


@dataclass(slots=True)
class RefundRow(Row):
    """Money given back of that payment, or under that id of its own; `deal` is what the refund named."""

    table: ClassVar[str] = "refund"
    key: ClassVar[tuple[str, ...]] = ("payment", "position")
    written_once: ClassVar[bool] = True

    payment: str
    position: int
    deal: str | None
    amount: Decimal
    currency: str
    reference: str | None
    occurred_at: datetime
    recorded_at: datetime


class Payments(Projection):
    """What was paid and given back, and for which deal?"""

    name = "payments"
    category = "payment"
    rows = (PaymentRow, RefundRow)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case PaymentRecorded() as payment:
                _receive(payment, fact, rows)
            case RefundRecorded() as refund:
                _give_back(refund, fact, rows)
            case PaymentMatched(deal=deal):
                rows.change(PaymentRow, fact.entity, deal=deal, matched_position=fact.position)


def _receive(payment: PaymentRecorded, fact: Recorded[Event], rows: Rows) -> None:
    row = _row(payment, fact)
    row.named_deal, row.amount = payment.deal, payment.amount
    known = rows.find(PaymentRow, fact.entity)
    if known is not None:
        row.deal = known.deal or payment.deal
        row.refunded, row.matched_position = known.refunded, known.matched_position
    rows.put(row)


def _give_back(refund: RefundRecorded, fact: Recorded[Event], rows: Rows) -> None:
    known = rows.find(PaymentRow, fact.entity)
    if known is None:
        known = _row(refund, fact)
        rows.put(known)
    rows.change(
        PaymentRow, fact.entity, deal=known.deal or refund.deal, refunded=known.refunded + refund.amount
    )
    rows.put(
        RefundRow(
            payment=fact.entity,
            position=fact.position,
            deal=refund.deal,
            amount=refund.amount,
            currency=refund.currency,
            reference=refund.reference,
            occurred_at=fact.occurred_at,
            recorded_at=fact.recorded_at,
        )
    )


def _row(money: PaymentRecorded | RefundRecorded, fact: Recorded[Event]) -> PaymentRow:
    return PaymentRow(
        payment=fact.entity,
        deal=money.deal,
        named_deal=None,
        amount=None,
        currency=money.currency,
        refunded=check(Decimal(0), money.currency),
        reference=money.reference,
        occurred_at=fact.occurred_at,
        recorded_at=fact.recorded_at,
        position=fact.position,
    )


@dataclass(frozen=True, slots=True)
class Ghost:
    """Money for which nobody is paid: `deal` is None, or one that nobody opened.

    `amount` is None where only refunds came. `position` is the payment's, without one the first refund's.
    """

    payment: str
    deal: str | None
    amount: Decimal | None
    currency: str
    refunded: Decimal
    reference: str | None
    occurred_at: datetime
    recorded_at: datetime
    position: int


def ghosts(view: View) -> Listing:
    """Payments, and refunds without one, whose deal nobody knows or nobody opened, the oldest first."""
    rows = view.ask(
        """
        SELECT p.payment, p.deal, p.amount, p.currency, p.refunded, p.reference,
               p.occurred_at, p.recorded_at, p.position
        FROM payment p LEFT JOIN deal d ON d.deal = p.deal
        WHERE d.deal IS NULL ORDER BY p.occurred_at, p.position
        """
    )
    return Listing.of([Ghost(*row) for row in rows])
