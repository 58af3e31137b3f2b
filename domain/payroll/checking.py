"""What makes a commission plan sound."""

from collections.abc import Mapping
from decimal import Decimal

from domain.kernel import Rejected
from domain.payroll.plans import Draw, Plan, Quota, Step, Tiers
from domain.shared.money import check, minor_digits
from domain.shared.rejections import InvalidData

PERCENT_DECIMALS_MAX = 6
ATTAINMENT_PERCENT_MAX = 1_000_000
CLAWBACK_DAYS_MAX = 36_500
NAME_LENGTH_MAX = 200


class InvalidPlan(Rejected):
    """The plan's {field}: {problem}."""

    code = "invalid_plan"


class NotAPercent(InvalidPlan):
    """The plan's {field}: {percent} is not a percent from 0 to {most} with at most 6 decimals."""


class NoPercent(InvalidPlan):
    """The plan says no percent: name one of rate, tiers, products, roles, or for a head the override."""


class PercentSaidTwice(InvalidPlan):
    """The plan has both {field} and {beside}, and each says the percent: leave one of them out."""


class TiersGap(InvalidPlan):
    """The tiers leave a gap: {field} is {above}, and nothing is said of what lies below. Begin at 0."""


class TiersOverlap(InvalidPlan):
    """The tiers overlap: {field} is {above}, the step before is above {before}. Name each once, in order."""


class NoQuota(InvalidPlan):
    """The plan's tiers go by attainment, but it has no quota: add {field}, with a default or reps."""


def checked(plan: Plan) -> Plan:
    """The same plan with amounts in full minor units and percents without needless zeros.

    Raises InvalidPlan for the first fault; `field` among its details is the place, such as
    `tiers.steps.1.percent` (counted from 0).
    """
    _say_the_percent_once(plan)
    if not 0 < len(plan.name.strip()) <= NAME_LENGTH_MAX:
        raise InvalidPlan(field="name", problem=f"must have 1 to {NAME_LENGTH_MAX} characters")
    currency = plan.currency
    try:
        minor_digits(currency)
    except InvalidData as fault:
        raise InvalidPlan(**fault.details) from None
    if plan.tiers is not None and plan.tiers.measure == "attainment" and plan.quota is None:
        raise NoQuota(field="quota")
    days = plan.clawback_days
    if days is not None and not 0 <= days <= CLAWBACK_DAYS_MAX:
        raise InvalidPlan(field="clawback_days", problem=f"{days} is not from 0 to {CLAWBACK_DAYS_MAX}")
    return Plan(
        name=plan.name,
        currency=currency,
        basis=plan.basis,
        rate=None if plan.rate is None else _percent(plan.rate, "rate"),
        tiers=None if plan.tiers is None else _tiers(plan.tiers, currency),
        quota=None if plan.quota is None else _quota(plan.quota, currency),
        products=None if plan.products is None else _percents(plan.products, "products"),
        roles=None if plan.roles is None else _percents(plan.roles, "roles"),
        override=None if plan.override is None else _percent(plan.override, "override"),
        cap=None if plan.cap is None else _positive(plan.cap, currency, "cap"),
        draw=None if plan.draw is None else _draw(plan.draw, plan.cap, currency),
        clawback_days=days,
    )


def _say_the_percent_once(plan: Plan) -> None:
    ways = [way for way in ("tiers", "products", "roles", "rate") if getattr(plan, way) is not None]
    if not ways and plan.override is None:
        raise NoPercent(field="rate")
    # Beside products or roles a rate is for those not named.
    if len(ways) > 1 and ways not in (["products", "rate"], ["roles", "rate"]):
        raise PercentSaidTwice(field=ways[0], beside=ways[1])


def _percent(percent: Decimal, field: str, most: int = 100) -> Decimal:
    if not 0 <= percent <= most or percent != round(percent, PERCENT_DECIMALS_MAX):
        raise NotAPercent(field=field, percent=percent, most=most)
    return Decimal(format(percent.normalize() + 0, "f"))


def _percents(percents: Mapping[str, Decimal], field: str) -> dict[str, Decimal]:
    if not percents:
        raise InvalidPlan(field=field, problem="must name at least one")
    if not all(name.strip() for name in percents):
        raise InvalidPlan(field=field, problem="there is one without a name")
    return {name: _percent(percent, f"{field}.{name}") for name, percent in percents.items()}


def _amount(amount: Decimal, currency: str, field: str) -> Decimal:
    try:
        whole = check(amount, currency, field)
    except InvalidData as fault:
        raise InvalidPlan(**fault.details) from None
    if whole < 0:
        raise InvalidPlan(field=field, problem=f"{whole} is less than 0")
    return whole


def _positive(amount: Decimal, currency: str, field: str) -> Decimal:
    whole = _amount(amount, currency, field)
    if not whole:
        raise InvalidPlan(field=field, problem="must be more than 0")
    return whole


def _tiers(tiers: Tiers, currency: str) -> Tiers:
    if not tiers.steps:
        raise InvalidPlan(field="tiers.steps", problem="must name at least one")
    steps: list[Step] = []
    for at, step in enumerate(tiers.steps):
        place = f"tiers.steps.{at}"
        field = f"{place}.above"
        if tiers.measure == "attainment":
            above = _percent(step.above, field, ATTAINMENT_PERCENT_MAX)
        else:
            above = _amount(step.above, currency, field)
        if not steps and above:
            raise TiersGap(field=field, above=above)
        if steps and above <= steps[-1].above:
            raise TiersOverlap(field=field, above=above, before=steps[-1].above)
        steps.append(Step(above=above, percent=_percent(step.percent, f"{place}.percent")))
    return Tiers(method=tiers.method, measure=tiers.measure, window=tiers.window, steps=tuple(steps))


def _quota(quota: Quota, currency: str) -> Quota:
    if quota.default is None and not quota.reps:
        raise InvalidPlan(field="quota", problem="must have a default, or name reps")
    default = None if quota.default is None else _positive(quota.default, currency, "quota.default")
    reps = {rep: _positive(amount, currency, f"quota.reps.{rep}") for rep, amount in quota.reps.items()}
    return Quota(default=default, reps=reps)


def _draw(draw: Draw, cap: Decimal | None, currency: str) -> Draw:
    amount = _amount(draw.amount, currency, "draw.amount")
    if cap is not None and cap < amount:
        raise InvalidPlan(field="cap", problem=f"{cap} is below the draw, {amount}")
    return Draw(amount=amount, recoverable=draw.recoverable)
