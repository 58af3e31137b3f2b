"""Every line of random histories can be explained, and a sum that is stated comes out."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from payroll_company import InMemory
from payroll_histories import REPS, History, Player, histories

from domain.deals.events import DealOpened
from domain.payroll.events import Line
from domain.payroll.statement import paid_before
from projections.payroll.explaining import Background, Explanation, explain
from projections.payroll.previews import Pay
from projections.payroll.wording import money

NO_SUM = "it is not a plain sum of them."
EARNED = ("win", "payment", "override")


class Unchecked(InMemory):
    """Where the reference is asked elsewhere."""

    checks = False


def explained(company: InMemory, rep: str) -> Iterator[tuple[Line, Decimal, Explanation]]:
    """Every line of a deal, and the whole basis that was paid by then."""
    issued = company.issued(rep)
    payments = company.records().payments.values()
    for at, one in enumerate(issued):
        known = company.facts[: one.cutoff_position]
        entries = paid_before(issued[: at + 1])
        for line in (line for line in one.lines if line.of in EARNED):
            of_deal = {payment.id for payment in payments if payment.deal == line.deal}
            background = Background(
                facts=[
                    fact
                    for fact in known
                    if fact.position in line.events
                    or (isinstance(fact.event, DealOpened) and fact.entity == line.deal)
                ],
                history=[
                    fact
                    for fact in known
                    if fact.stream == f"deal-{line.deal}"
                    or (fact.entity in of_deal and fact.event.stored_name == "payments.RefundRecorded")
                ],
                before=[Pay(earlier, closed=True) for earlier in issued[:at]],
                entries=entries,
                cutoff_position=issued[at - 1].cutoff_position if at else 0,
                zone=ZoneInfo("UTC"),
            )
            same = (line.of, line.for_period, line.deal, line.earning, line.credited)
            basis = sum(
                (
                    entry.basis
                    for key, entry in entries.items()
                    if (key.kind, key.for_period, key.deal, key.earning, key.credited) == same
                ),
                Decimal("0.00"),
            )
            yield line, basis, explain(Pay(one, closed=True), line, background)


@settings(max_examples=50, deadline=None)
@given(histories("all"), st.integers(0, 60))
def test_a_stated_sum_is_the_basis(history: History, closed_after: int) -> None:
    player = Player(history, Unchecked())
    for at, _ in enumerate(player.steps()):
        if at == closed_after:
            player.close()
    player.close_all()
    for rep in REPS:
        for line, basis, found in explained(player.company, rep):
            sums = [one for one in found.story if ": " in one and "(event" in one.rpartition(": ")[0]]
            sums = [one for one in sums if one.startswith(("Your part", f"{line.credited}'s part", "One "))]
            if not any(one.endswith(NO_SUM) for one in found.story) and sums:
                told = sums[-1].rpartition(": ")[2]
                assert told.startswith(money(basis, found.currency)), found.story


@settings(max_examples=50, deadline=None)
@given(histories("flat", windows=[None]))
def test_where_a_deal_is_won_once_and_refunds_name_their_payment_the_sum_is_stated(history: History) -> None:
    player = Player(history, Unchecked())
    player.play()
    player.close_all()
    for rep in REPS:
        for _, _, found in explained(player.company, rep):
            unclear = any("An earlier win" in one for one in found.story) or any(
                one.event == "payments.RefundRecorded" and one.stream.startswith("payment-R")
                for one in found.events
            )
            assert unclear or not any(one.endswith(NO_SUM) for one in found.story), found.story
