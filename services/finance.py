"""What money is worth, and what channels cost."""

from services.desk import Desk
from services.payloads import RecordCost, RecordRate


class Finance:
    """One method per intention."""

    def record_rate(self, desk: Desk, data: RecordRate) -> None:
        """What a currency was worth in another on a day."""
        raise NotImplementedError

    def record_cost(self, desk: Desk, data: RecordCost) -> None:
        """What a channel cost."""
        raise NotImplementedError
