"""Deals through any history, and keys, amounts and shares of any kind."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
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
from domain.deals.events import DealLost, DealReopened, DealWon, Share
from domain.deals.model import DEAL, Deal
from domain.kernel import Event, Rejected
from domain.shared.keys import normalise
from domain.shared.money import check, minor_digits
from domain.shared.rejections import InvalidData, InvalidKey, UnknownDeal

STAGES = st.sampled_from(["new", "talks", "contract"])
REPS = st.sampled_from(["ann", "bob", "carl"])
AMOUNTS = st.one_of(st.none(), st.decimals("-1", "1000", places=2), st.decimals("0", "1", places=3))
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "XAU"])
PERCENTS = st.sampled_from([Decimal(one) for one in ("25", "50", "100", "33.33", "33.34", "0", "99.9999999")])
QUICK = settings(max_examples=150, deadline=None, database=None)


class OneDeal(RuleBasedStateMachine):
    """Everything that can be asked of a deal, in any order."""

    @initialize()
    def begin(self) -> None:
        self.scenario = Scenario(DEAL, "D-1")
        self.status = "unknown"
        self.stage = ""

    @property
    def deal(self) -> Deal:
        return self.scenario.state

    @rule(stage=STAGES, amount=AMOUNTS, currency=CURRENCIES, lead=st.sampled_from(["L-1", "L-2"]))
    def open(self, stage: str, amount: Decimal | None, currency: str, lead: str) -> None:
        said = {"lead": lead, "pipeline": "sales", "stage": stage, "amount": amount, "currency": currency}
        events = self._ask(open_deal, said, refusals=(DealExists, InvalidData))
        if events:
            assert self.status == "unknown"
            self.status, self.stage = "open", stage

    @rule(stage=STAGES)
    def move(self, stage: str) -> None:
        if self._ask(move, {"stage": stage}, refusals=(DealClosed, UnknownDeal)) is not None:
            assert self.status == "open"
            self.stage = stage

    @rule(owner=st.one_of(st.none(), REPS), amount=AMOUNTS, currency=CURRENCIES)
    def win(self, owner: str | None, amount: Decimal | None, currency: str) -> None:
        said = {"owner": owner, "amount": amount, "currency": currency}
        events = self._ask(win, said, refusals=(DealClosed, UnknownDeal, InvalidData), once=True)
        if events is not None:
            (won,) = events
            assert isinstance(won, DealWon)
            assert (self.status, won.stage, won.owner) == ("open", self.stage, owner)
            self.status = "won"

    @rule(owner=st.one_of(st.none(), REPS))
    def lose(self, owner: str | None) -> None:
        said = {"owner": owner, "reason": "price"}
        events = self._ask(lose, said, refusals=(DealClosed, UnknownDeal), once=True)
        if events is not None:
            (lost,) = events
            assert isinstance(lost, DealLost)
            assert (self.status, lost.stage) == ("open", self.stage)
            self.status = "lost"

    @rule()
    def reopen(self) -> None:
        events = self._ask(reopen, {"reason": "mistake"}, refusals=(UnknownDeal,))
        if events is not None:
            assert (events == []) == (self.status == "open")
            assert all(isinstance(event, DealReopened) and event.stage == self.stage for event in events)
            self.status = "open"

    @rule(amount=AMOUNTS.filter(lambda one: one is not None), currency=CURRENCIES)
    def amend(self, amount: Decimal, currency: str) -> None:
        said = {"amount": amount, "currency": currency}
        if self._ask(amend, said, refusals=(DealClosed, UnknownDeal, InvalidData)) is not None:
            assert self.status in ("open", "won")
            assert (self.deal.amount, self.deal.currency) == (amount, currency)

    @rule(parts=st.lists(st.tuples(REPS, PERCENTS), max_size=4))
    def split(self, parts: list[tuple[str, Decimal]]) -> None:
        shares = [Share(rep=rep, percent=percent) for rep, percent in parts]
        refusals = (DealClosed, UnknownDeal, SharesNot100, InvalidData)
        if self._ask(split, {"shares": shares}, refusals=refusals) is not None:
            assert self.status in ("open", "won")
            assert self.deal.shares == tuple(shares)

    @invariant()
    def the_deal_is_in_one_status_and_where_it_was_moved_to(self) -> None:
        assert (self.deal.status, self.deal.stage) == (self.status, self.stage)

    @invariant()
    def shares_sum_to_100(self) -> None:
        assert sum(share.percent for share in self.deal.shares) in (0, 100)
        assert all(share.percent > 0 for share in self.deal.shares)

    @invariant()
    def the_amount_is_money_in_full_minor_units(self) -> None:
        amount, currency = self.deal.amount, self.deal.currency
        if amount is not None:
            assert currency is not None
            assert amount.as_tuple().exponent == -minor_digits(currency)

    def _ask(
        self,
        decide: Callable[..., Sequence[Event]],
        said: dict[str, Any],
        *,
        refusals: tuple[type[Rejected], ...],
        once: bool = False,
    ) -> list[Event] | None:
        """What came of it, None for a refusal; accepted and asked again, nothing comes of it."""
        before = self.deal
        try:
            events = list(decide(before, **said))
        except refusals:
            assert self.deal == before
            return None
        self.scenario.given(*events)
        if once:
            with pytest.raises(DealClosed):
                decide(self.deal, **said)
        else:
            assert list(decide(self.deal, **said)) == []
        return events


TestOneDeal = OneDeal.TestCase
TestOneDeal.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, database=None)


@QUICK
@given(
    kind=st.sampled_from(["phone", "email", "tax_id", "external"]),
    value=st.one_of(
        st.text(max_size=40),
        st.from_regex(r"\+[0-9 ()-]{6,18}", fullmatch=True),
        st.from_regex(r"[a-zA-Zß\u0130\u0131éДΣ.]{1,8}@[a-zßé]{1,8}\.(com|рф)", fullmatch=True),
        st.from_regex(r"(DE|RU|GB|CHE|BE|NL)?[0-9]{8,12}(B01|MWST)?", fullmatch=True),
        st.text("0123456789", min_size=300, max_size=6000),
    ),
)
def test_any_text_is_a_key_in_normal_form_or_refused_with_a_reason(kind: str, value: str) -> None:
    try:
        (key,) = normalise({kind: value}, source="crm")
    except InvalidKey as refusal:
        assert refusal.details["reason"]  # noqa: PT017 - it may be refused, it needn't
        return
    assert key.value
    if kind != "external":
        assert normalise({kind: key.value}, source="crm") == (key,)


@QUICK
@given(
    one=st.tuples(st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=6)),
    other=st.tuples(st.text(min_size=1, max_size=6), st.text(min_size=1, max_size=6)),
)
def test_external_keys_are_equal_only_for_the_same_source_and_id(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    try:
        keys = [normalise({"external": value}, source=source) for source, value in (one, other)]
    except InvalidKey:
        return
    same = (one[0], one[1].strip()) == (other[0], other[1].strip())
    assert (keys[0] == keys[1]) == same


@QUICK
@given(
    amount=st.decimals(allow_nan=True, allow_infinity=True), currency=st.sampled_from(["USD", "JPY", "KWD"])
)
def test_any_decimal_is_the_same_amount_in_full_minor_units_or_refused(
    amount: Decimal, currency: str
) -> None:
    try:
        whole = check(amount, currency)
    except InvalidData as refusal:
        assert refusal.details["field"] == "amount"  # noqa: PT017 - it may be refused, it needn't
        return
    assert whole == amount
    assert whole.as_tuple().exponent == -minor_digits(currency)
    assert str(whole) != "-0.00"
