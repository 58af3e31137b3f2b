"""Where does every deal stand, how long was it in each stage, and how did it end?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

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
from domain.shared.personal import ERASED, PersonalDataErased
from projections.kernel import Projection, Row, Rows


@dataclass(slots=True)
class DealRow(Row):
    """A deal as it stands. `closed_*` speak of the present close and are empty while the deal is open.

    `visited` are the stages it was ever in, each once; `cycle_us` the microseconds from opening to close.
    """

    table: ClassVar[str] = "deal"
    key: ClassVar[tuple[str, ...]] = ("deal",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("lead",), ("pipeline", "status"))
    personal: ClassVar[tuple[str, ...]] = ("title",)

    deal: str
    lead: str
    pipeline: str
    title: str | None
    product: str | None
    amount: Decimal | None
    currency: str | None
    opened_at: datetime
    opened_position: int
    open_since: datetime
    status: str = "open"
    stage: str | None = None
    stage_since: datetime | None = None
    visited: tuple[str, ...] = ()
    visits: int = 0
    closes: int = 0
    shares: int = 0
    closed_at: datetime | None = None
    closed_position: int | None = None
    closed_owner: str | None = None
    cycle_us: int | None = None
    loss_reason: str | None = None


@dataclass(slots=True)
class StageVisit(Row):
    """One stay of a deal in a stage; `left_at` and `spent_us` are empty while it lasts.

    `latest` marks the deal's last visit to this stage and `earlier_us` what all visits to it before this one
    took, in microseconds: so the time in a stage over all visits is one row.
    """

    table: ClassVar[str] = "stage_visit"
    key: ClassVar[tuple[str, ...]] = ("deal", "visit")

    deal: str
    visit: int
    stage: str
    entered_at: datetime
    entered_position: int
    left_at: datetime | None = None
    spent_us: int | None = None
    earlier_us: int = 0
    latest: bool = True


@dataclass(slots=True)
class DealClose(Row):
    """One close of a deal. It stays here when the deal is reopened, at `reopened_at`."""

    table: ClassVar[str] = "deal_close"
    key: ClassVar[tuple[str, ...]] = ("deal", "ordinal")

    deal: str
    ordinal: int
    outcome: str
    stage: str
    reason: str | None
    owner: str | None
    amount: Decimal | None
    currency: str | None
    closed_at: datetime
    position: int
    reopened_at: datetime | None = None


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
    version = 2
    category = "deal"
    rows = (DealRow, StageVisit, DealClose, DealShare)

    def apply(self, fact: Recorded[Event], rows: Rows) -> None:
        deal = fact.entity
        match fact.event:
            case DealOpened() as opened:
                rows.put(_opened(opened, fact))
            case StageEntered(stage=stage):
                _leave_stage(fact, rows)
                _enter_stage(stage, fact, rows)
            case DealAmended(amount=amount, currency=currency):
                row = rows.change(DealRow, deal, amount=amount, currency=currency)
                if row.status == "won":
                    rows.change(DealClose, deal, row.closes, amount=amount, currency=currency)
            case PersonalDataErased():
                if rows.get(DealRow, deal).title is not None:
                    rows.change(DealRow, deal, title=ERASED)
            case DealSplit(shares=shares):
                _split(shares, fact, rows)
            case DealWon() as won:
                _close("won", won, fact, rows)
            case DealLost() as lost:
                _close("lost", lost, fact, rows)
            case DealReopened(stage=stage):
                _reopen(stage, fact, rows)


def _opened(opened: DealOpened, fact: Recorded[Event]) -> DealRow:
    return DealRow(
        deal=fact.entity,
        lead=opened.lead,
        pipeline=opened.pipeline,
        title=opened.title,
        product=opened.product,
        amount=opened.amount,
        currency=opened.currency,
        opened_at=fact.occurred_at,
        opened_position=fact.position,
        open_since=fact.occurred_at,
    )


def _enter_stage(stage: str, fact: Recorded[Event], rows: Rows) -> None:
    row = rows.get(DealRow, fact.entity)
    visited, earlier_us = row.visited, 0
    if stage in visited:
        earlier_us = _supersede(stage, row, rows)
    else:
        visited = (*visited, stage)
    visit = row.visits + 1
    rows.change(
        DealRow, fact.entity, stage=stage, stage_since=fact.occurred_at, visits=visit, visited=visited
    )
    entered = StageVisit(fact.entity, visit, stage, fact.occurred_at, fact.position, earlier_us=earlier_us)
    rows.put(entered)


def _supersede(stage: str, row: DealRow, rows: Rows) -> int:
    """The visit that was the latest to the stage no longer is; the microseconds spent there so far."""
    for visit in range(row.visits, 0, -1):
        before = rows.get(StageVisit, row.deal, visit)
        if before.stage == stage:
            rows.change(StageVisit, row.deal, visit, latest=False)
            return before.earlier_us + (before.spent_us or 0)
    raise LookupError(f"{row.deal} never was in {stage}")


def _leave_stage(fact: Recorded[Event], rows: Rows) -> None:
    row = rows.get(DealRow, fact.entity)
    if not row.visits or row.status != "open":
        return
    visit = rows.get(StageVisit, fact.entity, row.visits)
    spent_us = _microseconds(fact.occurred_at - visit.entered_at)
    rows.change(StageVisit, fact.entity, row.visits, left_at=fact.occurred_at, spent_us=spent_us)


def _close(
    outcome: Literal["won", "lost"], closed: DealWon | DealLost, fact: Recorded[Event], rows: Rows
) -> None:
    _leave_stage(fact, rows)
    row = rows.get(DealRow, fact.entity)
    if isinstance(closed, DealWon) and closed.amount is not None:
        row = rows.change(DealRow, fact.entity, amount=closed.amount, currency=closed.currency)
    reason = closed.reason if isinstance(closed, DealLost) else None
    rows.change(
        DealRow,
        fact.entity,
        status=outcome,
        closes=row.closes + 1,
        closed_at=fact.occurred_at,
        closed_position=fact.position,
        closed_owner=closed.owner,
        cycle_us=_microseconds(fact.occurred_at - row.opened_at),
        loss_reason=reason,
    )
    rows.put(
        DealClose(
            deal=fact.entity,
            ordinal=row.closes,
            outcome=outcome,
            stage=closed.stage,
            reason=reason,
            owner=closed.owner,
            amount=row.amount if outcome == "won" else None,
            currency=row.currency if outcome == "won" else None,
            closed_at=fact.occurred_at,
            position=fact.position,
        )
    )


def _reopen(stage: str, fact: Recorded[Event], rows: Rows) -> None:
    _leave_stage(fact, rows)  # By the dates alone the close may come later: the deal is in a stage still.
    row = rows.get(DealRow, fact.entity)
    if row.status != "open":
        rows.change(DealClose, fact.entity, row.closes, reopened_at=fact.occurred_at)
    rows.change(
        DealRow,
        fact.entity,
        status="open",
        open_since=fact.occurred_at,
        closed_at=None,
        closed_position=None,
        closed_owner=None,
        cycle_us=None,
        loss_reason=None,
    )
    _enter_stage(stage, fact, rows)


def _split(shares: tuple[Share, ...], fact: Recorded[Event], rows: Rows) -> None:
    before = rows.get(DealRow, fact.entity).shares
    for ordinal in range(len(shares) + 1, before + 1):
        rows.delete(DealShare, fact.entity, ordinal)
    for ordinal, share in enumerate(shares, start=1):
        rows.put(DealShare(fact.entity, ordinal, share.rep, share.role, share.percent))
    rows.change(DealRow, fact.entity, shares=len(shares))


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
