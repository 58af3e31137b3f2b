"""What decisions know of exchange rates and of what channels cost."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from domain.finance.events import RateRecorded
from domain.kernel import Decider, Event, Recorded


@dataclass(frozen=True, slots=True)
class Rates:
    """A currency's rates by quote and day."""

    currency: str
    rates: dict[tuple[str, date], Decimal] = field(default_factory=dict)


def _evolve_rates(rates: Rates, fact: Recorded[Event]) -> Rates:
    match fact.event:
        case RateRecorded(quote=quote, rate=rate, day=day):
            return replace(rates, rates={**rates.rates, (quote, day): rate})
        case _:
            return rates


@dataclass(frozen=True, slots=True)
class Costs:
    """What a channel cost: each cost stands by itself, so decisions need to know of none."""

    channel: str


def _evolve_costs(costs: Costs, _fact: Recorded[Event]) -> Costs:
    return costs


RATES = Decider[Rates](category="rate", initial=Rates, evolve=_evolve_rates)
COSTS = Decider[Costs](category="cost", initial=Costs, evolve=_evolve_costs)
