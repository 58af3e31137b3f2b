"""Facts about money that came and went back. Amounts are positive, each beside its ISO 4217 currency."""

from decimal import Decimal

from domain.kernel import Event


class PaymentRecorded(Event, stored_name="payments.PaymentRecorded"):
    """A customer paid, at occurred_at. `deal` is what the sender named: it may be nobody's yet, or none."""

    deal: str | None
    amount: Decimal
    currency: str
    reference: str | None = None


class RefundRecorded(Event, stored_name="payments.RefundRecorded"):
    """Money went back, at occurred_at: of the payment whose stream this is in, if that was recorded.

    Else of `deal`, from its latest payments on; the refund then has an id of its own.
    """

    deal: str | None
    amount: Decimal
    currency: str
    reference: str | None = None


class PaymentMatched(Event, stored_name="payments.PaymentMatched"):
    """Somebody found out which deal the money was for. The last match holds."""

    deal: str
