"""Money: a decimal amount with an ISO 4217 currency, in whole minor units."""

from decimal import Decimal
from functools import cache

from iso4217 import Currency

from domain.shared.rejections import InvalidData

AMOUNT_MAX = Decimal(10) ** 15


@cache
def minor_digits(currency: str, field: str = "currency") -> int:
    """How many decimals the currency's minor unit has: 2 for USD, 0 for JPY, 3 for KWD.

    Raises InvalidData for a code that ISO 4217 doesn't list, or that has no minor unit (gold, test codes).
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise InvalidData(field=field, problem=f"{currency!r} is not a currency of ISO 4217, such as USD")
    return int(exponent)


def check(amount: Decimal, currency: str, field: str = "amount") -> Decimal:
    """The amount, in the currency's full minor units (`5` USD is `5.00`).

    Raises InvalidData if it isn't finite, is out of bounds or is finer than the minor unit.
    """
    digits = minor_digits(currency)
    if not amount.is_finite() or abs(amount) >= AMOUNT_MAX:
        raise InvalidData(field=field, problem=f"{amount} is not an amount of money below {AMOUNT_MAX:,}")
    whole = amount.quantize(Decimal(1).scaleb(-digits)) + 0  # There is no minus nothing.
    if whole != amount:
        raise InvalidData(
            field=field, problem=f"{amount} is finer than {digits} decimals, the most {currency} has"
        )
    return whole
