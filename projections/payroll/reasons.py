"""Why a line is what it is: whose part, which period, where a tier's window, a cap or a draw stood."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.kernel import Event, Recorded
from domain.payroll.entitlement import Entitlement, Entry, Key
from domain.payroll.events import Line, PlanPublished
from domain.payroll.plans import Plan, Tiers
from domain.payroll.rating import MONTHS, plain
from domain.payroll.standing import WHOLE, ZERO, rounded
from domain.shared.periods import Period
from projections.payroll.deriving import derived, left_out, void
from projections.payroll.previews import Pay
from projections.payroll.sale import Facts, Sale
from projections.payroll.wording import money, whose

EARNED = ("win", "payment", "override")
"""Kinds of entries that are about a deal, not about a period as a whole."""


def reasons(
    pay: Pay, line: Line, entries: Entitlement, facts: Facts, history: Facts, zone: ZoneInfo
) -> Iterator[str]:
    """Sentences. `entries` are all that was earned by that statement, `facts` what the line rests on.

    `history` is what was recorded of the deal and its refunds by then, whether the line rests on it or not.
    """
    currency, plan = pay.issued.currency, _plan(line, facts)
    if line.of in EARNED:
        sale = Sale(line, facts, zone)
        yield from _late(line, sale, zone)
        yield from _basis(line, entries, sale, currency, plan)
        yield from left_out(sale, history, plan)
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


def entries_of(line: Line, entries: Entitlement) -> list[tuple[Key, Entry]]:
    """What is about the same earning, or the same bound of a period, at whatever percents."""
    return [
        (key, entry)
        for key, entry in entries.items()
        if (key.kind, key.for_period, key.deal, key.earning, key.credited)
        == (line.of, line.for_period, line.deal, line.earning, line.credited)
    ]


def _late(line: Line, sale: Sale, zone: ZoneInfo) -> Iterator[str]:
    if sale.earned_at is None:
        return
    month = Period.at(sale.earned_at, zone)
    if str(month) < line.for_period:
        yield (
            f"It happened in {month}, which was closed already when it was recorded: "
            f"it counts in {line.for_period}, the first period then open."
        )


def _basis(line: Line, entries: Entitlement, sale: Sale, currency: str, plan: Plan | None) -> Iterator[str]:
    """How the whole basis came about, whatever percents its slices are paid at; or that there is none now.

    What is taken back whole rests on all that may be why: it isn't known which of that makes the sum.
    """
    now = entries_of(line, entries)
    basis = sum((entry.basis for _, entry in now), rounded(ZERO, currency))
    rule = (line.plan, line.plan_version, line.rate)
    gone = not any(entry.basis for key, entry in now if (key.plan, key.plan_version, key.rate) == rule)
    if line.kind == "adjustment" and gone:
        told = [] if basis else list(void(sale, plan))
    else:
        told = list(derived(sale, basis, currency, plan))
    yield from told
    if not told and line.share is not None and (line.share != WHOLE or line.role):
        role = f" as {line.role}" if line.role else ""
        yield f"{whose(line)} of the deal {'is' if basis else 'was'} {plain(line.share)} %{role}."


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
