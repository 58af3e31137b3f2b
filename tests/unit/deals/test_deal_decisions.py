"""Opening deals, moving them, closing them, and who gets what part."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from scenario import Scenario

from domain.deals.decisions import (
    DealClosed,
    DealExists,
    SharesNot100,
    amend,
    lose,
    move,
    open_deal,
    reopen,
    split,
    win,
)
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
from domain.deals.model import DEAL
from domain.shared.rejections import InvalidData, UnknownDeal

OPENED = DealOpened(lead="L-1", pipeline="sales", amount=Decimal("100.00"), currency="USD")
IN_TALKS = StageEntered(stage="talks")
WON = DealWon(stage="talks", owner="ann", amount=Decimal("100.00"), currency="USD")
LOST = DealLost(stage="talks", owner="ann", reason="price")
HALVES = (Share(rep="ann", percent=Decimal(50)), Share(rep="bob", percent=Decimal(50)))


def deal(*more: Any) -> Scenario[Any]:
    return Scenario(DEAL, "D-1").given(OPENED, IN_TALKS, *more)


def test_a_deal_is_opened_in_a_stage_with_its_amount_in_full_minor_units() -> None:
    Scenario(DEAL, "D-1").when(
        open_deal, lead="L-1", pipeline="sales", stage="talks", amount=Decimal(100), currency="USD"
    ).then(OPENED, IN_TALKS)


@pytest.mark.parametrize("currency", ["EUR", None])
def test_a_deal_without_an_amount_keeps_the_currency_for_when_there_is_one(currency: str | None) -> None:
    Scenario(DEAL, "D-1").when(
        open_deal, lead="L-1", pipeline="sales", stage="talks", currency=currency
    ).then(DealOpened(lead="L-1", pipeline="sales", currency=currency), IN_TALKS)


def test_a_double_click_does_not_make_two_deals() -> None:
    deal().when(open_deal, lead="L-1", pipeline="sales", stage="new", currency="USD").then_nothing()


@pytest.mark.parametrize(("lead", "pipeline"), [("L-2", "sales"), ("L-1", "repairs")])
def test_an_id_that_means_another_deal_already_is_refused(lead: str, pipeline: str) -> None:
    deal().when(open_deal, lead=lead, pipeline=pipeline, stage="new", currency="USD").then_rejected(
        DealExists, deal="D-1", lead="L-1", pipeline="sales"
    )


@pytest.mark.parametrize("stage", ["new", "contract"])
def test_a_deal_moves_forward_and_back(stage: str) -> None:
    deal().when(move, stage=stage).then(StageEntered(stage=stage))


def test_moving_to_the_stage_it_is_in_changes_nothing() -> None:
    deal().when(move, stage="talks").then_nothing()


@pytest.mark.parametrize(("closed", "status"), [(WON, "won"), (LOST, "lost")])
@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (move, {"stage": "new"}),
        (move, {"stage": "talks"}),
        (win, {"owner": "ann", "currency": "USD"}),
        (lose, {"owner": "ann", "reason": "price"}),
    ],
)
def test_a_closed_deal_is_neither_moved_nor_closed_again(
    decide: Callable[..., Any], said: dict[str, str], closed: DealWon | DealLost, status: str
) -> None:
    refusal = deal(closed).when(decide, **said).then_rejected(DealClosed, deal="D-1", status=status)
    assert refusal.message == f"The deal D-1 is {status}. To change that, reopen it first (deal.reopen)."


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        (move, {"stage": "new"}),
        (amend, {"amount": Decimal(1), "currency": "USD"}),
        (split, {"shares": HALVES}),
        (win, {"owner": None, "currency": "USD"}),
        (lose, {"owner": None, "reason": "price"}),
        (reopen, {"reason": "mistake"}),
    ],
)
def test_a_deal_that_was_never_opened_is_unknown(decide: Callable[..., Any], said: dict[str, Any]) -> None:
    Scenario(DEAL, "D-1").when(decide, **said).then_rejected(UnknownDeal, deal="D-1")


def test_a_win_names_the_stage_and_whose_lead_it_is_and_takes_the_deals_amount() -> None:
    deal().when(win, owner="ann", currency="USD").then(WON)


def test_a_win_in_another_currency_needs_its_amount() -> None:
    deal().when(win, owner="ann", currency="EUR").then_rejected(InvalidData, field="currency")


def test_a_win_may_bring_its_own_amount() -> None:
    deal().when(win, owner=None, amount=Decimal("90.5"), currency="EUR").then(
        DealWon(stage="talks", owner=None, amount=Decimal("90.50"), currency="EUR")
    )


def test_a_deal_without_an_amount_may_be_won() -> None:
    Scenario(DEAL, "D-1").given(DealOpened(lead="L-1", pipeline="sales"), IN_TALKS).when(
        win, owner="ann", currency="USD"
    ).then(DealWon(stage="talks", owner="ann"))


def test_a_loss_names_the_stage_and_the_reason() -> None:
    deal().when(lose, owner="ann", reason="price", note="too dear").then(
        DealLost(stage="talks", owner="ann", reason="price", note="too dear")
    )


@pytest.mark.parametrize("closed", [WON, LOST])
def test_a_reopened_deal_is_open_again_in_the_stage_it_was_closed_in(closed: DealWon | DealLost) -> None:
    scenario = deal(closed).when(reopen, reason="mistake").then(DealReopened(stage="talks", reason="mistake"))
    assert (scenario.state.status, scenario.state.stage) == ("open", "talks")


def test_reopening_an_open_deal_changes_nothing() -> None:
    deal().when(reopen, reason="mistake").then_nothing()


def test_a_reopened_deal_may_be_won_a_second_time() -> None:
    deal(WON, DealReopened(stage="talks", reason="mistake")).when(win, owner="bob", currency="USD").then(
        DealWon(stage="talks", owner="bob", amount=Decimal("100.00"), currency="USD")
    )


def test_an_open_or_a_won_deal_is_amended_and_a_lost_one_is_not() -> None:
    amended = DealAmended(amount=Decimal("80.00"), currency="USD")
    deal().when(amend, amount=Decimal(80), currency="USD").then(amended)
    deal(WON).when(amend, amount=Decimal(80), currency="USD").then(amended)
    deal(LOST).when(amend, amount=Decimal(80), currency="USD").then_rejected(DealClosed, status="lost")


def test_amending_to_the_same_amount_changes_nothing_and_to_another_currency_does() -> None:
    deal().when(amend, amount=Decimal("100.0"), currency="USD").then_nothing()
    deal().when(amend, amount=Decimal(100), currency="EUR").then(
        DealAmended(amount=Decimal("100.00"), currency="EUR")
    )


@pytest.mark.parametrize(
    ("amount", "currency", "field"),
    [
        ("NaN", "USD", "amount"),
        ("0.001", "USD", "amount"),
        ("1", "BTC", "currency"),
    ],
)
def test_a_deal_is_not_worth_what_is_no_amount_of_money(amount: str, currency: str, field: str) -> None:
    said = {"amount": Decimal(amount), "currency": currency}
    deal().when(amend, **said).then_rejected(InvalidData, field=field)
    deal().when(win, owner="ann", **said).then_rejected(InvalidData, field=field)
    Scenario(DEAL, "D-2").when(open_deal, lead="L-1", pipeline="sales", stage="new", **said).then_rejected(
        InvalidData, field=field
    )


def test_a_deal_may_be_worth_nothing_or_less_as_a_credit_note_is() -> None:
    deal().when(amend, amount=Decimal(-5), currency="USD").then(
        DealAmended(amount=Decimal("-5.00"), currency="USD")
    )
    deal().when(amend, amount=Decimal(0), currency="JPY").then(DealAmended(amount=Decimal(0), currency="JPY"))


def shares(**percents: str) -> list[Share]:
    return [Share(rep=rep, percent=Decimal(percent)) for rep, percent in percents.items()]


@pytest.mark.parametrize(
    "percents",
    [{"ann": "100"}, {"ann": "60", "bob": "40"}, {"ann": "33.33", "bob": "33.33", "carl": "33.34"}],
)
def test_shares_that_sum_to_100_are_kept(percents: dict[str, str]) -> None:
    deal().when(split, shares=shares(**percents)).then(DealSplit(shares=tuple(shares(**percents))))


@pytest.mark.parametrize(
    ("percents", "total"),
    [
        ({}, "0"),
        ({"ann": "99.999999"}, "99.999999"),
        ({"ann": "60", "bob": "50"}, "110"),
        ({"ann": "50.000", "bob": "40"}, "90"),
    ],
)
def test_shares_that_do_not_sum_to_100_are_refused_with_their_sum(
    percents: dict[str, str], total: str
) -> None:
    deal().when(split, shares=shares(**percents)).then_rejected(SharesNot100, sum=total)


@pytest.mark.parametrize(
    "percents",
    [
        {"ann": "0", "bob": "100"},
        {"ann": "-1", "bob": "101"},
        {"ann": "100.1"},
        {"ann": "0.0000001", "bob": "99.9999999"},
        {"ann": "33." + "3" * 28, "bob": "33." + "3" * 28, "carl": "33." + "3" * 28},
    ],
)
def test_a_percent_out_of_bounds_or_too_fine_is_refused(percents: dict[str, str]) -> None:
    deal().when(split, shares=shares(**percents)).then_rejected(InvalidData, field="shares")


def test_a_rep_may_play_two_roles_but_not_one_role_twice() -> None:
    two_roles = [Share(rep="ann", role=role, percent=Decimal(50)) for role in ("opener", "closer")]
    deal().when(split, shares=two_roles).then(DealSplit(shares=tuple(two_roles)))
    deal().when(split, shares=[two_roles[0], two_roles[0]]).then_rejected(InvalidData, field="shares")


def test_the_same_split_again_changes_nothing_and_another_replaces_it() -> None:
    scenario = deal(DealSplit(shares=HALVES))
    scenario.when(split, shares=shares(ann="50.0", bob="50")).then_nothing()
    after = deal(DealSplit(shares=HALVES)).when(split, shares=shares(bob="100"))
    assert after.then(DealSplit(shares=tuple(shares(bob="100")))).state.on_the_split == {"bob"}


def test_a_won_deals_split_may_be_changed_and_a_lost_ones_not() -> None:
    deal(WON).when(split, shares=HALVES).then(DealSplit(shares=HALVES))
    deal(LOST).when(split, shares=HALVES).then_rejected(DealClosed, status="lost")
