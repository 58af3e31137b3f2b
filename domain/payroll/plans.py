"""A commission plan: the document that is published, and what it says of a rep, a product or a role."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Basis = Literal["won", "paid"]
Window = Literal["month", "quarter", "year"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Part):
    """Above `above` of the measure (money, or percent of the quota), `percent` is paid."""

    above: Decimal
    percent: Decimal


class Tiers(_Part):
    """Marginal pays each slice of the window's basis at its own percent, retroactive all at that reached."""

    method: Literal["marginal", "retroactive"]
    measure: Literal["amount", "attainment"]
    window: Window
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


class Quota(_Part):
    """What is to be sold in each window, in the plan's currency."""

    default: Decimal | None = None
    reps: dict[str, Decimal] = Field(default_factory=dict)

    def of(self, rep: str) -> Decimal | None:
        return self.reps.get(rep, self.default)


class Draw(_Part):
    """The least per period; what a `recoverable` one added is taken back from later earnings above it."""

    amount: Decimal
    recoverable: bool


class Plan(_Part):
    """How commission follows from credit. Percents and amounts are decimals, `currency` is theirs.

    One of `rate`, `tiers`, `products`, `roles` decides the percent; beside `products` or `roles`, `rate` is
    that of products and roles not named. `clawback_days` None takes commission back at any time.
    """

    name: str
    currency: str
    basis: Basis
    rate: Decimal | None = None
    tiers: Tiers | None = None
    quota: Quota | None = None
    products: dict[str, Decimal] | None = None
    roles: dict[str, Decimal] | None = None
    override: Decimal | None = None
    cap: Decimal | None = None
    draw: Draw | None = None
    clawback_days: int | None = None
