"""Which percent is paid on which credit: flat, by product or role, or by tiers over a window."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.payroll.earnings import Credited, Earnings
from domain.payroll.plans import Step, Tiers, Window
from domain.payroll.standing import WHOLE, ZERO, Missing, rounded

MONTHS: Mapping[Window, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Rated:
    """So much of a credit's basis is paid at `percent`, by the `rule` in words, because of the `events`."""

    credit: Credited
    basis: Decimal
    percent: Decimal
    rule: str
    events: frozenset[int]


def rate(credits: Sequence[Credited], earned: Earnings) -> Iterator[Rated]:
    """The percents of one rep's credits. What lacks a percent or a quota is noted in `earned.unpaid`."""
    counted: defaultdict[str, list[Credited]] = defaultdict(list)
    windows: defaultdict[str, set[Window]] = defaultdict(set)
    for credit in credits:
        if credit.kind == "override":
            yield _override(credit)
            continue
        counted[credit.assignment.plan].append(credit)
        if credit.plan.tiers is not None:
            windows[credit.assignment.plan].add(credit.plan.tiers.window)
            continue
        try:
            yield _flat(credit)
        except Missing as missing:
            earned.note(credit, missing)
    for plan, used in windows.items():
        for window in sorted(used):
            together: defaultdict[int, list[Credited]] = defaultdict(list)
            for credit in counted[plan]:
                together[credit.period.index // MONTHS[window]].append(credit)
            for inside in together.values():
                yield from _tiered(inside, window, earned)


def _override(credit: Credited) -> Rated:
    percent = credit.plan.override
    if percent is None:
        raise ValueError(f"{credit.assignment.plan} has no override")
    return _rated(credit, credit.basis, percent, f"override on {credit.credited}'s credit")


def _flat(credit: Credited) -> Rated:
    plan = credit.plan
    of = "of the won amount" if plan.basis == "won" else "of the payment"
    if plan.products is not None and credit.product in plan.products:
        return _rated(credit, credit.basis, plan.products[credit.product], f"{of}, product {credit.product}")
    if plan.roles is not None and credit.role in plan.roles:
        return _rated(credit, credit.basis, plan.roles[credit.role], f"{of}, role {credit.role}")
    if plan.rate is not None:
        return _rated(credit, credit.basis, plan.rate, of)
    what = f"a percent for {_named(credit)} in the plan {credit.assignment.plan} (plan.publish, plan.assign)"
    raise Missing("no_percent", what, credit.basis, plan.currency)


def _named(credit: Credited) -> str:
    if credit.plan.products is not None:
        return f"the product {credit.product}" if credit.product else "deals without a product"
    if credit.plan.roles is not None:
        return f"the role {credit.role}" if credit.role else "deals without roles"
    return f"{credit.rep}'s own deals"


def _tiered(together: list[Credited], window: Window, earned: Earnings) -> Iterator[Rated]:
    """The credits of one window, in the order in which they were earned.

    All versions of a plan count together; only those with tiers over such a window pay by it.
    """
    together.sort(key=lambda one: (one.period, one.earned_at, one.position, one.deal, one.earning))
    so_far, came_above = ZERO, dict[Decimal, int]()
    at_once: list[tuple[Credited, Tiers, Sequence[Decimal]]] = []
    for credit in together:
        before, so_far = so_far, so_far + credit.basis
        tiers = credit.plan.tiers
        if tiers is None or tiers.window != window:
            continue
        try:
            bounds = _bounds(credit, tiers)
        except Missing as missing:
            earned.note(credit, missing)
            continue
        for bound in bounds[1:]:
            if before <= bound < so_far:
                came_above[bound] = credit.position
            elif so_far <= bound:
                came_above.pop(bound, None)
        if tiers.method == "retroactive":
            at_once.append((credit, tiers, bounds))
            continue
        for at, slice_ in _slices(bounds, before, so_far):
            yield _by_step(credit, tiers.steps[at], "of the slice", slice_, came_above.get(bounds[at]))
    for credit, tiers, bounds in at_once:
        at = _reached(bounds, so_far)
        yield _by_step(credit, tiers.steps[at], "of all", credit.basis, came_above.get(bounds[at]))


def _bounds(credit: Credited, tiers: Tiers) -> Sequence[Decimal]:
    """Above what each step begins, in money. Raises Missing where it hangs on a quota that isn't set."""
    if tiers.measure == "amount":
        return [step.above for step in tiers.steps]
    plan = credit.plan
    quota = None if plan.quota is None else plan.quota.of(credit.rep)
    if quota is None:
        what = f"{credit.rep}'s quota in the plan {credit.assignment.plan} (plan.publish, plan.assign)"
        raise Missing("no_quota", what, credit.basis, plan.currency)
    return [rounded(quota * step.above / WHOLE, plan.currency) for step in tiers.steps]


def _reached(bounds: Sequence[Decimal], total: Decimal) -> int:
    """The last step that the total is above; the first for what is above none."""
    return max(bisect_left(bounds, total) - 1, 0)


def _slices(bounds: Sequence[Decimal], start: Decimal, end: Decimal) -> Iterator[tuple[int, Decimal]]:
    """What of the way from `start` to `end`, up or down, lies in each step; the first reaches below zero."""
    if start == end:
        yield _reached(bounds, start), end - start
        return
    low, high = min(start, end), max(start, end)
    for at in range(len(bounds)):
        bottom = max(low, bounds[at]) if at else low
        top = min(high, bounds[at + 1]) if at + 1 < len(bounds) else high
        if top > bottom:
            yield at, (top - bottom).copy_sign(end - start)


def _by_step(credit: Credited, step: Step, of: str, basis: Decimal, came_above: int | None) -> Rated:
    """Paid by a tier; `came_above` is the position by which the window's basis came above the step."""
    tiers = credit.plan.tiers
    if tiers is None:
        raise ValueError(f"{credit.assignment.plan} has no tiers")
    unit = credit.plan.currency if tiers.measure == "amount" else "% of the quota"
    rule = f"{of} above {plain(step.above)} {unit} in the {tiers.window}"
    rated = _rated(credit, basis, step.percent, rule)
    return rated if came_above is None else replace(rated, events=rated.events | {came_above})


def _rated(credit: Credited, basis: Decimal, percent: Decimal, rule: str) -> Rated:
    plan = f"{credit.assignment.plan} v{credit.assignment.number}"
    return Rated(credit, basis, percent, f"{plain(percent)} % {rule} ({plan})", credit.events)


def plain(number: Decimal) -> str:
    """Without exponent and trailing zeros: the same number is always written the same."""
    return format(number.normalize(), "f")
