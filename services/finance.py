"""What money is worth, and what channels cost."""

from domain.finance import decisions
from domain.finance.model import COSTS, RATES
from services.desk import Desk
from services.payloads import RecordCost, RecordRate


class Finance:
    """One method per intention."""

    def record_rate(self, desk: Desk, data: RecordRate) -> None:
        """What a currency was worth in another on a day."""
        desk.actor.must_not_be_rep("record rates")
        rates = desk.state(RATES, desk.subject)
        now = max(desk.now, desk.action.occurred_at)  # A migration without recording times stands still.
        events = decisions.record_rate(rates, quote=data.quote, rate=data.rate, day=data.day, now=now)
        desk.record(RATES.stream(desk.subject), events)

    def record_cost(self, desk: Desk, data: RecordCost) -> None:
        """What a channel cost."""
        desk.actor.must_not_be_rep("record costs")
        events = decisions.record_cost(
            amount=data.amount,
            currency=data.currency,
            first_day=data.first_day,
            last_day=data.last_day,
        )
        desk.record(COSTS.stream(desk.subject), events)
