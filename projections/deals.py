"""Where does every deal stand, and how long was it in each stage?"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from domain.deals.events import (
    DealAmended,
    DealLost,
    DealOpened,
    DealReopened,
    DealSplit,
    DealWon,
    StageEntered,
)
from domain.kernel import Event, Recorded
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class DealRow(Row):
    """A deal as it stands. `closed_*` speak of the present close and are empty while the deal is open."""

    table: ClassVar[str] = "deal"
    key: ClassVar[tuple[str, ...]] = ("deal",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("lead",), ("pipeline", "status"))

    deal: str
    lead: str
    pipeline: str
    title: str | None
    product: str | None
    amount: Decimal | None
    currency: str | None
    status: str
    opened_at: datetime
    opened_position: int
    stage: str | None = None
    stage_since: datetime | None = None
    visits: int = 0
    closed_at: datetime | None = None
    closed_position: int | None = None
    closed_owner: str | None = None
    loss_reason: str | None = None


@dataclass(slots=True)
class StageVisit(Row):
    """One stay of a deal in a stage; `left_at` is empty while it lasts."""

    table: ClassVar[str] = "stage_visit"
    key: ClassVar[tuple[str, ...]] = ("deal", "visit")

    deal: str
    visit: int
    stage: str
    entered_at: datetime
    entered_position: int
    left_at: datetime | None = None


@dataclass(slots=True)
class DealShare(Row):
    """A rep on the deal's split."""

    table: ClassVar[str] = "deal_share"
    key: ClassVar[tuple[str, ...]] = ("deal", "ordinal")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("rep",),)

    deal: str
    ordinal: int
    rep: str
    role: str | None
    percent: Decimal


class Deals(Projection):
    """Where does every deal stand, and how long was it in each stage?"""

    name = "deals"
    category = "deal"
    rows = (DealRow, StageVisit, DealShare)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        deal = fact.entity
        match fact.event:
            case DealOpened() as opened:
                rows.put(
                    DealRow(
                        deal=deal,
                        lead=opened.lead,
                        pipeline=opened.pipeline,
                        title=opened.title,
                        product=opened.product,
                        amount=opened.amount,
                        currency=opened.currency,
                        status="open",
                        opened_at=fact.occurred_at,
                        opened_position=fact.position,
                    )
                )
            case StageEntered(stage=stage):
                self._enter(deal, stage, fact, rows)
            case DealAmended(amount=amount, currency=currency):
                rows.change(DealRow, deal, amount=amount, currency=currency)
            case DealSplit(shares=shares):
                self._share(deal, shares_of=shares, rows=rows)
            case DealWon() as won:
                self._close(deal, "won", won.owner, fact, rows)
                if won.amount is not None:
                    rows.change(DealRow, deal, amount=won.amount, currency=won.currency)
            case DealLost() as lost:
                self._close(deal, "lost", lost.owner, fact, rows)
                rows.change(DealRow, deal, loss_reason=lost.reason)
            case DealReopened(stage=stage):
                rows.change(
                    DealRow, deal, status="open", closed_at=None, closed_position=None, closed_owner=None,
                    loss_reason=None,
                )
                self._enter(deal, stage, fact, rows)
