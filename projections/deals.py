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
    Share,
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
    opened_at: datetime
    opened_position: int
    status: str = "open"
    stage: str | None = None
    stage_since: datetime | None = None
    visits: int = 0
    shares: int = 0
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
                        opened_at=fact.occurred_at,
                        opened_position=fact.position,
                    )
                )
            case StageEntered(stage=stage):
                self._leave_stage(fact, rows)
                self._enter_stage(stage, fact, rows)
            case DealAmended(amount=amount, currency=currency):
                rows.change(DealRow, deal, amount=amount, currency=currency)
            case DealSplit(shares=shares):
                self._split(shares, fact, rows)
            case DealWon(amount=amount, currency=currency, owner=owner):
                self._close("won", owner, fact, rows)
                if amount is not None:
                    rows.change(DealRow, deal, amount=amount, currency=currency)
            case DealLost(reason=reason, owner=owner):
                self._close("lost", owner, fact, rows)
                rows.change(DealRow, deal, loss_reason=reason)
            case DealReopened(stage=stage):
                rows.change(
                    DealRow,
                    deal,
                    status="open",
                    closed_at=None,
                    closed_position=None,
                    closed_owner=None,
                    loss_reason=None,
                )
                self._enter_stage(stage, fact, rows)

    def _enter_stage(self, stage: str, fact: Recorded[Event], rows: Rows) -> None:
        visit = rows.get(DealRow, fact.entity).visits + 1
        rows.change(DealRow, fact.entity, stage=stage, stage_since=fact.occurred_at, visits=visit)
        rows.put(StageVisit(fact.entity, visit, stage, fact.occurred_at, fact.position))

    def _leave_stage(self, fact: Recorded[Event], rows: Rows) -> None:
        visit = rows.get(DealRow, fact.entity).visits
        if visit:
            rows.change(StageVisit, fact.entity, visit, left_at=fact.occurred_at)

    def _close(self, status: str, owner: str | None, fact: Recorded[Event], rows: Rows) -> None:
        self._leave_stage(fact, rows)
        rows.change(
            DealRow,
            fact.entity,
            status=status,
            closed_at=fact.occurred_at,
            closed_position=fact.position,
            closed_owner=owner,
        )

    def _split(self, shares: tuple[Share, ...], fact: Recorded[Event], rows: Rows) -> None:
        before = rows.get(DealRow, fact.entity).shares
        for ordinal in range(len(shares) + 1, before + 1):
            rows.delete(DealShare, fact.entity, ordinal)
        for ordinal, share in enumerate(shares, start=1):
            rows.put(DealShare(fact.entity, ordinal, share.rep, share.role, share.percent))
        rows.change(DealRow, fact.entity, shares=len(shares))
