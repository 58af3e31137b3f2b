"""What may be done with a deal. Who may do it is decided by whose the lead is, so it is asked before."""

from collections.abc import Sequence
from decimal import Decimal

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
from domain.deals.model import Deal
from domain.kernel import Event, Rejected
from domain.shared.money import check, minor_digits
from domain.shared.rejections import InvalidData, UnknownDeal

PERCENT_DECIMALS_MAX = 6


class DealClosed(Rejected):
    """The deal {deal} is {status}. To change that, reopen it first (deal.reopen)."""

    code = "deal_closed"


class DealExists(Rejected):
    """The deal {deal} was opened before, for the lead {lead} in the pipeline {pipeline}."""

    code = "deal_exists"


class SharesNot100(Rejected):
    """The shares sum to {sum} %, not to 100 %."""

    code = "shares_not_100"


def known(deal: Deal) -> Deal:
    """The deal itself; UnknownDeal if it was never opened."""
    if deal.status == "unknown":
        raise UnknownDeal(deal=deal.id)
    return deal


def still_open(deal: Deal) -> Deal:
    """The deal itself; UnknownDeal, or DealClosed if it is won or lost."""
    if known(deal).status != "open":
        raise DealClosed(deal=deal.id, status=deal.status)
    return deal


def open_deal(
    deal: Deal,
    *,
    lead: str,
    pipeline: str,
    stage: str,
    title: str | None = None,
    product: str | None = None,
    amount: Decimal | None = None,
    currency: str | None = None,
) -> Sequence[Event]:
    """An attempt to sell begins in `stage`. Raises DealExists if the id means another deal already.

    An amount has a currency; a currency alone is that of an amount to come.
    """
    if deal.status != "unknown":
        if (deal.lead, deal.pipeline) == (lead, pipeline):
            return []  # A double click or a slow retry must not make two deals.
        raise DealExists(deal=deal.id, lead=deal.lead, pipeline=deal.pipeline)
    if currency is not None:
        minor_digits(currency)
    opened = DealOpened(
        lead=lead,
        pipeline=pipeline,
        title=title,
        product=product,
        amount=None if amount is None or currency is None else check(amount, currency),
        currency=currency,
    )
    return [opened, StageEntered(stage=stage)]


def move(deal: Deal, *, stage: str) -> Sequence[StageEntered]:
    """To another stage, before or behind. Raises DealClosed, UnknownDeal."""
    return [] if still_open(deal).stage == stage else [StageEntered(stage=stage)]


def amend(deal: Deal, *, amount: Decimal, currency: str) -> Sequence[DealAmended]:
    """Correct the amount of an open or a won deal. Raises DealClosed for a lost one, UnknownDeal."""
    if known(deal).status == "lost":
        raise DealClosed(deal=deal.id, status=deal.status)
    whole = check(amount, currency)
    if (deal.amount, deal.currency) == (whole, currency):
        return []
    return [DealAmended(amount=whole, currency=currency)]


def split(deal: Deal, *, shares: Sequence[Share]) -> Sequence[DealSplit]:
    """Share the credit. Raises SharesNot100, InvalidData, DealClosed for a lost deal, UnknownDeal."""
    if known(deal).status == "lost":
        raise DealClosed(deal=deal.id, status=deal.status)
    for share in shares:
        if not 0 < share.percent <= 100:
            raise InvalidData(
                field="shares",
                problem=f"{share.rep}'s percent {share.percent} is not above 0 and at most 100",
            )
        if share.percent != round(share.percent, PERCENT_DECIMALS_MAX):
            raise InvalidData(
                field="shares",
                problem=f"{share.percent} % for {share.rep} has more than {PERCENT_DECIMALS_MAX} decimals",
            )
    total = sum((share.percent for share in shares), Decimal(0))
    if total != 100:
        raise SharesNot100(deal=deal.id, sum=format(total.normalize(), "f"))
    named = [(share.rep, share.role) for share in shares]
    if len(set(named)) < len(named):
        raise InvalidData(field="shares", problem="the same rep and role is named twice")
    return [] if deal.shares == tuple(shares) else [DealSplit(shares=tuple(shares))]


def win(deal: Deal, *, owner: str | None, amount: Decimal | None = None, currency: str) -> Sequence[DealWon]:
    """The customer bought; without an amount, for what the deal was worth. Raises DealClosed, UnknownDeal.

    `currency` is that of `amount`; the credit is the owner's unless there is a split. Raises InvalidData for
    another currency without an amount in it.
    """
    still_open(deal)
    if amount is None:
        if deal.amount is not None and currency != deal.currency:
            raise InvalidData(
                field="currency",
                problem=f"the deal is worth {deal.amount} {deal.currency}: name the amount too",
            )
        return [DealWon(stage=deal.stage, owner=owner, amount=deal.amount, currency=deal.currency)]
    return [DealWon(stage=deal.stage, owner=owner, amount=check(amount, currency), currency=currency)]


def lose(deal: Deal, *, owner: str | None, reason: str, note: str | None = None) -> Sequence[DealLost]:
    """The deal failed. `reason` is from the pipeline's list. Raises DealClosed, UnknownDeal."""
    return [DealLost(stage=still_open(deal).stage, owner=owner, reason=reason, note=note)]


def reopen(deal: Deal, *, reason: str) -> Sequence[DealReopened]:
    """Undo the close; the deal goes on in the stage it was closed in. Raises UnknownDeal."""
    return [] if known(deal).status == "open" else [DealReopened(stage=deal.stage, reason=reason)]
