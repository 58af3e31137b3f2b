"""What was money worth, and what did channels cost?"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from domain.finance.events import CostRecorded, RateRecorded
from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class ExchangeRate(Row):
    """One unit of `currency` was worth `rate` of `quote` on `day`, as recorded last."""

    table: ClassVar[str] = "exchange_rate"
    key: ClassVar[tuple[str, ...]] = ("currency", "quote", "day")

    currency: str
    quote: str
    day: date
    rate: Decimal
    occurred_at: datetime
    recorded_at: datetime
    position: int


class Rates(Projection):
    """What was money worth?"""

    name = "rates"
    category = "rate"
    rows = (ExchangeRate,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case RateRecorded(quote=quote, rate=rate, day=day):
                rows.put(
                    ExchangeRate(
                        currency=fact.entity,
                        quote=quote,
                        day=day,
                        rate=rate,
                        occurred_at=fact.occurred_at,
                        recorded_at=fact.recorded_at,
                        position=fact.position,
                    )
                )


@dataclass(slots=True)
class ChannelCost(Row):
    """What a channel cost from `first_day` to `last_day`, both inclusive; costs may overlap, and add up."""

    table: ClassVar[str] = "channel_cost"
    key: ClassVar[tuple[str, ...]] = ("channel", "position")
    written_once: ClassVar[bool] = True

    channel: str
    position: int
    amount: Decimal
    currency: str
    first_day: date
    last_day: date
    occurred_at: datetime
    recorded_at: datetime


class Costs(Projection):
    """What did channels cost?"""

    name = "costs"
    category = "cost"
    rows = (ChannelCost,)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        match fact.event:
            case CostRecorded() as cost:
                rows.put(
                    ChannelCost(
                        channel=fact.entity,
                        position=fact.position,
                        amount=cost.amount,
                        currency=cost.currency,
                        first_day=cost.first_day,
                        last_day=cost.last_day,
                        occurred_at=fact.occurred_at,
                        recorded_at=fact.recorded_at,
                    )
                )
