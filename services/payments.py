"""Money that came, went back, and whose it is."""

from services.desk import Desk
from services.payloads import MatchPayment, RecordPayment, RecordRefund


class Payments:
    """One method per intention."""

    def record(self, desk: Desk, data: RecordPayment) -> None:
        """A customer paid."""
        raise NotImplementedError

    def refund(self, desk: Desk, data: RecordRefund) -> None:
        """Money went back."""
        raise NotImplementedError

    def match(self, desk: Desk, data: MatchPayment) -> None:
        """Somebody found out what a payment was for."""
        raise NotImplementedError
