"""What the company sells, where, through which channels, and in which stages."""

from dataclasses import dataclass
from typing import Any

from adapters.demo.chance import Wheel


@dataclass(frozen=True, slots=True)
class Channel:
    """`quality` multiplies the odds that a lead becomes a customer; `sender` registers, None = the rep."""

    name: str
    quality: float
    sender: str | None
    campaigns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """`price` is per unit and year, in minor units of whatever currency the deal is in."""

    name: str
    price: int
    units_max: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`days` are the usual working days between two touches in each stage."""

    name: str
    stages: tuple[str, ...]
    days: tuple[int, ...]
    loses: float
    reasons: Wheel[str]


SITE = Channel("site", 0.85, "service:website", ("seo", "webinar", "newsletter", "ads"))
EXISTING = Channel("existing", 1.2, "service:billing")
CHANNELS = Wheel(
    [
        (SITE, 38),
        (Channel("referral", 1.5, None), 14),
        (Channel("fair", 0.8, None, ("spring-fair", "autumn-fair", "roadshow")), 12),
        (Channel("cold-call", 0.5, None, ("outbound-a", "outbound-b")), 16),
        (Channel("partner", 1.2, "service:partners"), 10),
        (EXISTING, 10),
    ]
)

PRODUCTS = Wheel(
    [
        (Product("Starter", 58_800, 12), 34),
        (Product("Team", 228_000, 12), 30),
        (Product("Business", 1_068_000, 5), 20),
        (Product("Enterprise", 7_680_000, 2), 8),
        (Product("Onboarding", 150_000, 3), 8),
    ]
)

NEW_BUSINESS = Pipeline(
    "new-business",
    ("qualification", "discovery", "proposal", "negotiation"),
    (5, 8, 9, 6),
    0.2,
    Wheel([("price", 30), ("competitor", 25), ("timing", 20), ("bad-fit", 15), ("silence", 10)]),
)
RENEWALS = Pipeline(
    "renewals",
    ("upcoming", "offer", "signature"),
    (10, 7, 4),
    0.06,
    Wheel([("price", 40), ("competitor", 25), ("unhappy", 25), ("closed-down", 10)]),
)

DISQUALIFIED = Wheel([("unreachable", 4), ("no-need", 5), ("too-small", 2), ("student", 1)])
RELEASED = ("wrong territory", "no capacity", "other language")
REOPENED = ("customer came back", "budget found", "closed by mistake")
NOTES = ("asked for references", "wants a demo", "decides with the board", "compares two vendors")

_NEW_BUSINESS_REASONS = ["price", "competitor", "timing", "bad-fit", "silence"]
DEFINITIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "new-business",
        {
            "stages": [
                {"name": "qualification", "probability": "10", "days": 14},
                {"name": "discovery", "probability": "25", "days": 21},
                {"name": "proposal", "probability": "50", "days": 21},
                {"name": "negotiation", "probability": "75", "days": 14},
            ],
            "loss_reasons": _NEW_BUSINESS_REASONS,
            "protection_days": 90,
        },
    ),
    (
        "renewals",
        {
            "stages": [
                {"name": "upcoming", "probability": "60", "days": 30},
                {"name": "offer", "probability": "80", "days": 21},
                {"name": "signature", "probability": "95", "days": 10},
            ],
            "loss_reasons": ["price", "competitor", "unhappy", "closed-down"],
            "protection_days": 120,
        },
    ),
)
"""As defined on the first day; half-way through, new-business is defined anew with one more reason."""
NEW_REASON = "compliance"
REVISED: tuple[str, dict[str, Any]] = (
    "new-business",
    {**DEFINITIONS[0][1], "loss_reasons": [*_NEW_BUSINESS_REASONS, NEW_REASON]},
)
CLAIM_HOLDS_DAYS = 88
"""So many calendar days after the last work a claim surely still holds, in either pipeline."""
CLAIM_LAPSED_DAYS = 122
"""So many calendar days after the last work a claim has surely lapsed, in either pipeline."""

TIERED, FLAT, HEADS = "sellers", "sellers-new-york", "heads"
FLAT_BRANCH = "New York"
PLANS: dict[str, dict[str, Any]] = {
    TIERED: {
        "name": "Tiers by the quarter",
        "currency": "USD",
        "basis": "won",
        "clawback_days": 90,
        "tiers": {
            "method": "marginal",
            "measure": "amount",
            "window": "quarter",
            "steps": [
                {"above": "0", "percent": "4"},
                {"above": "20000", "percent": "6"},
                {"above": "60000", "percent": "8"},
            ],
        },
    },
    FLAT: {"name": "Flat, when the money comes", "currency": "USD", "basis": "paid", "rate": "5"},
    HEADS: {"name": "Override", "currency": "USD", "basis": "won", "override": "1"},
}
"""By whom a rep reports to and where they work, each is bound to one of these."""
