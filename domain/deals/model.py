"""What decisions know of a deal."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from domain.deals.events import (
    DealAmended,
    DealLost,
    DealOpened,
    DealReopened,
    DealSplit,
    DealWon,
    Share,
    StageEntered,
)
from domain.kernel import Decider, Event, Recorded

DealStatus = Literal["unknown", "open", "won", "lost"]


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as its stream tells it."""

    id: str
    status: DealStatus = "unknown"
    lead: str = ""
    pipeline: str = ""
    stage: str = ""
    amount: Decimal | None = None
    currency: str | None = None
    shares: tuple[Share, ...] = ()
    won_by: str | None = None
    """Whose lead it was at the win, as long as that stands: theirs is the credit that isn't shared."""

    @property
    def on_the_split(self) -> frozenset[str]:
        return frozenset(share.rep for share in self.shares)


def _evolve(deal: Deal, fact: Recorded[Event]) -> Deal:
    match fact.event:
        case DealOpened(lead=lead, pipeline=pipeline, amount=amount, currency=currency):
            return replace(
                deal, status="open", lead=lead, pipeline=pipeline, amount=amount, currency=currency
            )
        case StageEntered(stage=stage):
            return replace(deal, stage=stage)
        case DealAmended(amount=amount, currency=currency):
            return replace(deal, amount=amount, currency=currency)
        case DealSplit(shares=shares):
            return replace(deal, shares=shares)
        case DealWon(owner=owner, amount=amount, currency=currency):
            return replace(deal, status="won", won_by=owner, amount=amount, currency=currency)
        case DealLost():
            return replace(deal, status="lost")
        case DealReopened(stage=stage):
            return replace(deal, status="open", won_by=None, stage=stage)
        case _:
            return deal


DEAL = Decider[Deal](category="deal", initial=Deal, evolve=_evolve)
