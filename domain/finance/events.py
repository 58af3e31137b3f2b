"""Facts about what money is worth and what channels cost."""

from datetime import date
from decimal import Decimal

from domain.kernel import Event


class RateRecorded(Event, stored_name="finance.RateRecorded"):
    """One unit of the currency whose stream this is in was worth `rate` of `quote` on that day.

    Recorded anew for the same day, it corrects.
    """

    quote: str
    rate: Decimal
    day: date


class CostRecorded(Event, stored_name="finance.CostRecorded"):
    """The channel whose stream this is in cost so much, from `first_day` to `last_day` inclusive."""

    amount: Decimal
    currency: str
    first_day: date
    last_day: date
