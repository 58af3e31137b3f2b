"""How a line's basis came about: the sum step by step, or where that doesn't come out the facts alone."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from domain.deals.events import DealAmended, DealReopened, DealWon
from domain.kernel import Event, Recorded
from domain.payments.events import RefundRecorded
from domain.payroll.plans import Plan
from projections.payroll.sale import Account, Facts, Sale, by
from projections.payroll.wording import money


def derived(sale: Sale, basis: Decimal, currency: str, plan: Plan | None) -> Iterator[str]:
    """Sentences. `basis` is what the rep's part came to in all, in their currency, at whatever percents."""
    account = sale.account(currency)
    if account is None:
        return
    if account.amount == basis and account.currency == currency:
        yield from _sum(account)
        return
    yield from (f"{step}." for step, _ in account.steps)
    if plan is not None and plan.clawback_days is not None:
        yield f"By the plan nothing is taken back later than {plan.clawback_days} days after the earning."
    yield f"On these rests the basis, {money(basis, currency)}; it is not a plain sum of them."


def void(sale: Sale, plan: Plan | None) -> Iterator[str]:
    """A sentence on the win that is no more, if that is why nothing is earned."""
    if sale.reopening is not None and _in_time(sale, sale.reopening, plan):
        yield f"The deal was reopened{by(sale.reopening)}: nothing is earned by that win."


def _sum(account: Account) -> Iterator[str]:
    """A win or a payment that nothing was done to needs none."""
    if len(account.steps) > 1:
        yield from (f"{step}{comes_to}." for step, comes_to in account.steps)


def left_out(sale: Sale, history: Facts, plan: Plan | None) -> Iterator[str]:
    """Sentences on what might have lowered the basis and didn't.

    `history` is what was recorded of the deal and its refunds by then, whether the line rests on it or not.
    """
    for fact in _after(sale, history):
        if sale.rests_on(fact):
            continue
        if plan is not None and not _in_time(sale, fact, plan):
            yield (
                f"{_named(fact)} takes nothing back: it came on {sale.day(fact.occurred_at)}, "
                f"more than {plan.clawback_days} days after the earning."
            )
        elif isinstance(fact.event, RefundRecorded) and sale.win is not None and sale.payment is None:
            worth, of = sale.worth(sale.win), fact.event
            if worth.amount and worth.currency != of.currency:
                yield (
                    f"{_named(fact)} takes nothing back as long as no rate of {of.currency} "
                    f"in {worth.currency} on {sale.day(fact.occurred_at)} is recorded."
                )


def _after(sale: Sale, history: Facts) -> Iterator[Recorded[Event]]:
    """Corrections, the reopening and refunds of the sale, and of no other win of the deal."""
    if sale.win is None:
        return
    win, later = sale.win, [fact for fact in history if fact.position > sale.win.position]
    end = next((fact for fact in later if isinstance(fact.event, DealReopened)), None)
    next_win = next((fact for fact in later if isinstance(fact.event, DealWon)), None)
    for fact in history:
        match fact.event:
            case DealAmended() if sale.payment is None and fact in later:
                if end is None or fact.position < end.position:
                    yield fact
            case DealReopened() if fact is end:
                yield fact
            case RefundRecorded() if sale.payment is not None:
                if fact.entity == sale.payment.entity:
                    yield fact
            case RefundRecorded() if fact.occurred_at >= win.occurred_at:
                if next_win is None or fact.occurred_at < next_win.occurred_at:
                    yield fact


def _in_time(sale: Sale, fact: Recorded[Event], plan: Plan | None) -> bool:
    """Whether it came within the plan's days of the earning."""
    if plan is None or plan.clawback_days is None or sale.earned_at is None:
        return True
    last = sale.day(sale.earned_at) + timedelta(days=plan.clawback_days)
    return sale.day(fact.occurred_at) <= last


def _named(fact: Recorded[Event]) -> str:
    match fact.event:
        case DealAmended(amount=amount, currency=currency):
            return f"The correction to {money(amount, currency)}{by(fact)}"
        case RefundRecorded(amount=amount, currency=currency):
            return f"The refund of {money(amount, currency)}{by(fact)}"
        case _:
            return f"The reopening{by(fact)}"
