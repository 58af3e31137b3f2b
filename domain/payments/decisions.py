"""What may be recorded of money that came and went back. Who may do it is asked before."""

from collections.abc import Sequence
from decimal import Decimal

from domain.kernel import Rejected
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded
from domain.payments.model import Payment
from domain.shared.money import check
from domain.shared.rejections import InvalidData

ZERO = Decimal(0)


class UnknownPayment(Rejected):
    """There is no payment {payment}. Record it first (payment.record)."""

    code = "unknown_payment"


class PaymentExists(Rejected):
    """The payment {payment} was recorded before: {recorded}. Another payment needs an id of its own."""

    code = "payment_exists"


class OtherCurrency(Rejected):
    """What is known of the payment {payment} is in {currency}, not in {given}."""

    code = "other_currency"


class OtherDeal(Rejected):
    """The payment {payment} is for the deal {deal}, not for {given}. If not so, match it (payment.match)."""

    code = "other_deal"


class RefundTooLarge(Rejected):
    """Of the payment {payment} {left} {currency} are left to give back, not {given}."""

    code = "refund_too_large"


class PaymentTooSmall(Rejected):
    """{refunded} {currency} of the payment {payment} were given back: it can't have been {given}."""

    code = "payment_too_small"


def record(
    payment: Payment, *, deal: str | None, amount: Decimal, currency: str, reference: str | None = None
) -> Sequence[PaymentRecorded]:
    """A customer paid; its refunds may have been recorded before. `deal` is taken as named, opened or not.

    Raises PaymentExists if the id means another payment, InvalidData for an amount that isn't above zero,
    OtherCurrency, OtherDeal or PaymentTooSmall where refunds of it say otherwise.
    """
    whole = _above_zero(amount, currency, "money given back is recorded with refund.record")
    if payment.recorded:
        same = (payment.amount, payment.currency, payment.reference) == (whole, currency, reference)
        if same and deal in (payment.deal, payment.belongs_to):
            return []  # Sent twice, it came once.
        raise _exists(payment)
    _agrees(payment, deal, currency)
    if whole < payment.refunded:
        raise PaymentTooSmall(
            payment=payment.id, refunded=str(payment.refunded), currency=currency, given=str(whole)
        )
    return [PaymentRecorded(deal=deal, amount=whole, currency=currency, reference=reference)]


def refund(
    payment: Payment, *, deal: str | None, amount: Decimal, currency: str, reference: str | None = None
) -> Sequence[RefundRecorded]:
    """Money went back: of the payment, or if that isn't recorded, under an id of the refund's own.

    With a reference, the same refund again changes nothing; without, it is another one. Raises InvalidData
    for an amount that isn't above zero, OtherCurrency, OtherDeal, or RefundTooLarge for more than is left.
    """
    whole = _above_zero(amount, currency, "write how much was given back")
    said = (whole, currency, reference)
    known = [(one.amount, one.currency, one.reference) for one in payment.refunds]
    if reference is not None and said in known:
        return []
    _agrees(payment, deal, currency)
    if payment.amount is not None and whole > payment.amount - payment.refunded:
        left = payment.amount - payment.refunded
        raise RefundTooLarge(payment=payment.id, left=str(left), currency=currency, given=str(whole))
    return [RefundRecorded(deal=deal, amount=whole, currency=currency, reference=reference)]


def match(payment: Payment, *, deal: str) -> Sequence[PaymentMatched]:
    """The money was for that deal, whatever was thought before. Raises UnknownPayment."""
    if not payment.known:
        raise UnknownPayment(payment=payment.id)
    return [] if payment.belongs_to == deal else [PaymentMatched(deal=deal)]


def _above_zero(amount: Decimal, currency: str, instead: str) -> Decimal:
    whole = check(amount, currency)
    if whole <= ZERO:
        raise InvalidData(field="amount", problem=f"{whole} is not above zero: {instead}")
    return whole


def _agrees(payment: Payment, deal: str | None, currency: str) -> None:
    """Raises OtherCurrency or OtherDeal where something else is known of the payment."""
    if payment.money_in not in (None, currency):
        raise OtherCurrency(payment=payment.id, currency=payment.money_in, given=currency)
    if deal is not None and payment.belongs_to not in (None, deal):
        raise OtherDeal(payment=payment.id, deal=payment.belongs_to, given=deal)


def _exists(payment: Payment) -> PaymentExists:
    told = [f"{payment.amount} {payment.currency}"]
    told.append("for no deal" if payment.belongs_to is None else f"for the deal {payment.belongs_to}")
    if payment.reference is not None:
        told.append(f"with the reference {payment.reference}")
    return PaymentExists(
        payment=payment.id,
        recorded=" ".join(told),
        amount=str(payment.amount),
        currency=payment.currency,
        deal=payment.belongs_to,
        reference=payment.reference,
    )
