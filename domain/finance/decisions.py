"""What may be recorded of exchange rates and of what channels cost. Who may do it is asked before."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from domain.finance.events import CostRecorded, RateRecorded
from domain.finance.model import Rates
from domain.shared.money import check, minor_digits
from domain.shared.rejections import InvalidData

RATE_DECIMALS_MAX = 12
RATE_MAX = Decimal(10) ** 9
"""With the largest amount, in the finest minor unit, the product has the 28 digits that decimals keep."""
FIRST_ZONE = timedelta(hours=14)
"""How far ahead of UTC the day begins first."""


def record_rate(
    rates: Rates, *, quote: str, rate: Decimal, day: date, now: datetime
) -> Sequence[RateRecorded]:
    """One unit of the currency was worth `rate` of `quote` on that day; another for the same day corrects.

    Raises InvalidData for what is no currency, no sane rate, or a day that hasn't begun anywhere.
    """
    minor_digits(rates.currency, "subject")
    minor_digits(quote, "in")
    if quote == rates.currency:
        raise InvalidData(field="in", problem=f"a rate of {quote} in {quote} says nothing")
    if day > (now + FIRST_ZONE).date():
        raise InvalidData(field="date", problem=f"{day} is yet to come: record what was, not what may be")
    plain = _plain(rate)
    return [] if rates.rates.get((quote, day)) == plain else [RateRecorded(quote=quote, rate=plain, day=day)]


def record_cost(*, amount: Decimal, currency: str, first_day: date, last_day: date) -> Sequence[CostRecorded]:
    """The channel cost so much on these days, both inclusive, beside whatever else it cost.

    Raises InvalidData for an amount below zero, or days in the wrong order.
    """
    whole = check(amount, currency)
    if whole < 0:
        raise InvalidData(field="amount", problem=f"{whole} is below zero")
    if last_day < first_day:
        raise InvalidData(field="to", problem=f"{last_day} is before {first_day}, where it begins")
    return [CostRecorded(amount=whole, currency=currency, first_day=first_day, last_day=last_day)]


def _plain(rate: Decimal) -> Decimal:
    """The rate without exponent and trailing zeros. Raises InvalidData if it isn't a sane one."""
    if not 0 < rate < RATE_MAX:
        raise InvalidData(field="rate", problem=f"{rate} is not above zero and below {RATE_MAX:,}")
    if rate != round(rate, RATE_DECIMALS_MAX):
        raise InvalidData(field="rate", problem=f"{rate} has more than {RATE_DECIMALS_MAX} decimals")
    return Decimal(format(rate.normalize(), "f"))
