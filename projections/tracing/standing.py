"""How a deal stands by its own events, without the read tables."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.deals.events import DealAmended, DealLost, DealOpened, DealReopened, DealWon, StageEntered
from domain.kernel import Event
from projections.tracing.trace import Fact

_DAY = timedelta(days=1)
_STATUS: Mapping[type[Event], str] = {
    DealOpened: "open",
    DealReopened: "open",
    DealWon: "won",
    DealLost: "lost",
}


def status(facts: Sequence[Fact]) -> str | None:
    """Open, won or lost; None for a deal that wasn't opened."""
    return next((_STATUS[type(fact.event)] for fact in reversed(facts) if type(fact.event) in _STATUS), None)


def stands(*wanted: str) -> Callable[[Sequence[Fact]], int]:
    """1 for a deal that stands so, else 0."""
    return lambda facts: int(status(facts) in wanted)


def lost_for(reason: str) -> Callable[[Sequence[Fact]], int]:
    def says(facts: Sequence[Fact]) -> int:
        losses = [fact.event.reason for fact in facts if isinstance(fact.event, DealLost)]
        return int(status(facts) == "lost" and losses[-1] == reason)

    return says


def open_in(stage: str) -> Callable[[Sequence[Fact]], int]:
    def says(facts: Sequence[Fact]) -> int:
        entered = [fact.event.stage for fact in facts if isinstance(fact.event, StageEntered)]
        return int(status(facts) == "open" and entered[-1:] == [stage])

    return says


def won_for(currency: str) -> Callable[[Sequence[Fact]], Decimal]:
    """The amount of a won deal: that of the win, else what was said of it last."""

    def says(facts: Sequence[Fact]) -> Decimal:
        amount, in_currency = None, None
        for fact in facts:
            match fact.event:
                case DealOpened() | DealAmended() | DealWon() as told if told.amount is not None:
                    amount, in_currency = told.amount, told.currency
        counts = status(facts) == "won" and in_currency == currency and amount is not None
        return amount if counts and amount is not None else Decimal(0)

    return says


def lasted(facts: Sequence[Fact], moment: datetime) -> float | None:
    """Days from the opening to the close, or so far."""
    opened = [fact.occurred_at for fact in facts if isinstance(fact.event, DealOpened)]
    closed = [fact.occurred_at for fact in facts if isinstance(fact.event, DealWon | DealLost)]
    if not opened:
        return None
    return ((moment if status(facts) == "open" else closed[-1]) - opened[0]) / _DAY


def by_path(path: tuple[Any, ...]) -> Callable[[Sequence[Fact]], Any] | None:
    """What a deal gives to that figure of a cohort's funnel; None where its events alone don't say."""
    match path:
        case ("deals",):
            return stands("open", "won", "lost")
        case ("open" | "won" | "lost" as wanted,):
            return stands(wanted)
        case ("won_amount", currency):
            return won_for(currency)
        case ("loss_reasons", reason):
            return lost_for(reason)
        case ("stages", stage, "current"):
            return open_in(stage)
    return None
