"""Money that came, went back, and whose it is."""

from domain.payments import decisions
from domain.payments.model import PAYMENT
from services.desk import Desk
from services.payloads import MatchPayment, RecordPayment, RecordRefund


class Payments:
    """One method per intention. The subject of a payment or refund is the deal, where the sender knows it."""

    def record(self, desk: Desk, data: RecordPayment) -> None:
        """A customer paid."""
        desk.actor.must_not_be_rep("record payments")
        events = decisions.record(
            desk.state(PAYMENT, data.payment),
            deal=desk.action.subject,
            amount=data.amount,
            currency=data.currency,
            reference=data.reference,
        )
        desk.record(PAYMENT.stream(data.payment), events)

    def refund(self, desk: Desk, data: RecordRefund) -> None:
        """Money went back."""
        desk.actor.must_not_be_rep("record refunds")
        events = decisions.refund(
            desk.state(PAYMENT, data.payment),
            deal=desk.action.subject,
            amount=data.amount,
            currency=data.currency,
            reference=data.reference,
        )
        desk.record(PAYMENT.stream(data.payment), events)

    def match(self, desk: Desk, data: MatchPayment) -> None:
        """Somebody found out what a payment was for."""
        desk.actor.must_not_be_rep("match payments")
        events = decisions.match(desk.state(PAYMENT, desk.subject), deal=data.deal)
        desk.deal(data.deal)
        desk.record(PAYMENT.stream(desk.subject), events)
