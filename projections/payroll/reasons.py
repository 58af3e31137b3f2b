"""Why a line is what it is: whose part, which period, where a tier's window, a cap or a draw stood."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.deals.events import DealWon
from domain.kernel import Event, Recorded
from domain.payments.events import PaymentRecorded
from domain.payroll.entitlement import Entitlement
from domain.payroll.events import Line, PlanPublished
from domain.payroll.plans import Plan, Tiers
from domain.payroll.rating import MONTHS, plain
from domain.payroll.standing import WHOLE, ZERO, rounded
from domain.shared.periods import Period
from projections.payroll.previews import Pay
from projections.payroll.wording import money

EARNED = ("win", "payment", "override")
"""Kinds of entries that are about a deal, not about a period as a whole."""


def reasons(
    pay: Pay, line: Line, entries: Entitlement, facts: Sequence[Recorded[Event]], zone: ZoneInfo
) -> Iterator[str]:
    """Sentences. `entries` are all that was earned by that statement, `facts` what the line rests on."""
    currency, plan = pay.issued.currency, _plan(line, facts)
    if line.of in EARNED:
        yield from _late(line, facts, zone)
        yield from _part(line, entries)
    match line.of:
        case "win" | "payment" if plan is not None and plan.tiers is not None:
            yield _window(line, plan, plan.tiers, entries, currency)
        case "cap" if plan is not None and plan.cap is not None:
            earned = _sum(entries, line.for_period, EARNED, currency)
            yield (
                f"The commission of {line.for_period} came to {money(earned, currency)}; "
                f"the plan pays no more than {money(plan.cap, currency)}."
            )
        case "draw" | "recovery" if plan is not None and plan.draw is not None:
            yield from _draw(line, plan.draw.amount, entries, currency)
        case _:
            return


def _late(line: Line, facts: Iterable[Recorded[Event]], zone: ZoneInfo) -> Iterator[str]:
    earned = _earned_at(line, facts)
    if earned is None:
        return
    month = Period.at(earned, zone)
    if str(month) < line.for_period:
        yield (
            f"It happened in {month}, which was closed already when it was recorded: "
            f"it counts in {line.for_period}, the first period then open."
        )


def _earned_at(line: Line, facts: Iterable[Recorded[Event]]) -> datetime | None:
    """When it was earned: at the win, or with the payment, whichever is later."""
    moments = []
    for fact in facts:
        match fact.event:
            case DealWon() if line.earning in (str(fact.position), ""):
                return fact.occurred_at
            case DealWon():
                moments.append(fact.occurred_at)
            case PaymentRecorded() if fact.entity == line.earning:
                moments.append(fact.occurred_at)
    return max(moments, default=None)


def _part(line: Line, entries: Entitlement) -> Iterator[str]:
    if line.share is None or (line.share == WHOLE and not line.role):
        return
    whose = f"{line.credited}'s part" if line.of == "override" else "Your part"
    role = f" as {line.role}" if line.role else ""
    still = any(
        (key.kind, key.deal, key.earning, key.credited) == (line.of, line.deal, line.earning, line.credited)
        for key in entries
        if entries[key].basis
    )
    yield f"{whose} of the deal {'is' if still else 'was'} {plain(line.share)} %{role}."


def _window(line: Line, plan: Plan, tiers: Tiers, entries: Entitlement, currency: str) -> str:
    months = MONTHS[tiers.window]
    first = Period(Period.parse(line.for_period).index // months * months)
    last = Period(first.index + months - 1)
    total = sum(
        (
            entry.basis
            for key, entry in entries.items()
            if key.kind in ("win", "payment")
            and key.plan == line.plan
            and str(first) <= key.for_period <= str(last)
        ),
        rounded(ZERO, currency),
    )
    unit = f" {currency}" if tiers.measure == "amount" else " % of the quota"
    steps = ", ".join(f"above {plain(step.above)}{unit} {plain(step.percent)} %" for step in tiers.steps)
    span = str(first) if months == 1 else f"{first} to {last}"
    quota = None if plan.quota is None else plan.quota.of(line.credited)
    of = f" of a quota of {money(quota, currency)}" if quota is not None else ""
    return f"All credit of {span} by {line.plan} came to {money(total, currency)}{of}; it pays {steps}."


def _draw(line: Line, least: Decimal, entries: Entitlement, currency: str) -> Iterator[str]:
    earned = _sum(entries, line.for_period, (*EARNED, "cap"), currency)
    yield (
        f"The commission of {line.for_period} came to {money(earned, currency)}; "
        f"the plan pays no less than {money(least, currency)}."
    )
    if line.of == "recovery":
        kinds = ("draw", "recovery")
        open_ = sum(
            (
                entry.amount
                for key, entry in entries.items()
                if key.kind in kinds and key.for_period < line.for_period
            ),
            rounded(ZERO, currency),
        )
        yield (
            f"What earlier draws added and was not taken back before is {money(open_, currency)} "
            "(as far as they are recoverable); it is taken from what exceeds the least."
        )


def _sum(entries: Entitlement, period: str, kinds: Sequence[str], currency: str) -> Decimal:
    amounts = (
        entry.amount for key, entry in entries.items() if key.kind in kinds and key.for_period == period
    )
    return sum(amounts, rounded(ZERO, currency))


def _plan(line: Line, facts: Iterable[Recorded[Event]]) -> Plan | None:
    for fact in facts:
        match fact.event:
            case PlanPublished(number=number, plan=plan) if (
                fact.entity == line.plan and number == line.plan_version
            ):
                return plan
    return None
