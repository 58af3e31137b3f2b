"""Closing periods and answering disputes."""

from services.desk import Desk
from services.payloads import DisputeLine, NoData, ResolveDispute
from services.ports import PayrollBooks


class Payroll:
    """One method per intention."""

    def __init__(self, books: PayrollBooks) -> None:
        self._books = books

    def close(self, desk: Desk, data: NoData) -> None:
        """Freeze what everybody is paid for a period."""
        raise NotImplementedError

    def dispute(self, desk: Desk, data: DisputeLine) -> None:
        """A rep says that a line is wrong."""
        raise NotImplementedError

    def resolve(self, desk: Desk, data: ResolveDispute) -> None:
        """Payroll answers."""
        raise NotImplementedError
