"""What decisions know of a payment."""

from dataclasses import dataclass, replace
from decimal import Decimal

from domain.kernel import Decider, Event, Recorded
from domain.payments.events import PaymentMatched, PaymentRecorded, RefundRecorded


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as its stream tells it; `recorded` is False for one that only refunds are known of."""

    id: str
    recorded: bool = False
    deal: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    reference: str | None = None
    matched: str | None = None
    refunds: tuple[RefundRecorded, ...] = ()

    @property
    def known(self) -> bool:
        return self.recorded or bool(self.refunds)

    @property
    def money_in(self) -> str | None:
        """The currency of all that is known of it."""
        return self.currency or next((back.currency for back in self.refunds), None)

    @property
    def refunded(self) -> Decimal:
        """How much was given back so far, in its currency."""
        return sum((back.amount for back in self.refunds), Decimal(0))

    @property
    def belongs_to(self) -> str | None:
        """The deal that the money counts for: the last one matched, else the one named first."""
        if self.matched is not None:
            return self.matched
        return self.deal or next((back.deal for back in self.refunds if back.deal is not None), None)


def _evolve(payment: Payment, fact: Recorded[Event]) -> Payment:
    match fact.event:
        case PaymentRecorded(deal=deal, amount=amount, currency=currency, reference=reference):
            return replace(
                payment, recorded=True, deal=deal, amount=amount, currency=currency, reference=reference
            )
        case RefundRecorded() as refund:
            return replace(payment, refunds=(*payment.refunds, refund))
        case PaymentMatched(deal=deal):
            return replace(payment, matched=deal)
        case _:
            return payment


PAYMENT = Decider[Payment](category="payment", initial=Payment, evolve=_evolve)
