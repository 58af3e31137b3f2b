"""How does a rep do beside the team?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TypeVar

from projections.asking import OWNER_NOW, STANDS_FOR, View, days, ratio
from projections.grouping import joins_for, key_of
from projections.neglected import COVERED, IDLE
from projections.team import colleagues

Number = TypeVar("Number", int, float, Decimal)


@dataclass(slots=True)
class Standing:
    """A rep's figures at the view's moment; rates and medians are None of nothing.

    `leads` are the open ones owned, `neglected` open leads and deals without a planned step; `encroachments`
    contacts that the rep had with others' leads; days from the deals won.
    """

    leads: int = 0
    deals_open: int = 0
    deals_won: int = 0
    deals_lost: int = 0
    win_rate_closed: float | None = None
    median_cycle_days: float | None = None
    contacts: int = 0
    neglected: int = 0
    overdue: int = 0
    encroachments: int = 0


LESS_IS_BETTER = frozenset({"deals_lost", "median_cycle_days", "neglected", "overdue", "encroachments"})


@dataclass(frozen=True, slots=True)
class Beside:
    """A rep's figure beside the team's median (of those who have one) and best."""

    rep: float | None
    team_median: float | None
    team_best: float | None


@dataclass(frozen=True, slots=True)
class MoneyBeside:
    """The same of money, by currency; who has none in a currency counts as zero."""

    rep: Mapping[str, Decimal]
    team_median: Mapping[str, Decimal]
    team_best: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A rep's figures beside those of `team`: the reps with the same head, or all for one without."""

    rep: str
    name: str
    manager: str | None
    team: tuple[str, ...]
    won_amount: MoneyBeside
    figures: Mapping[str, Beside]


def scorecard(view: View, *, rep: str) -> Scorecard:
    """The rep's figures over all pipelines. Raises UnknownRep."""
    them = colleagues(view, rep)
    standings = _standings(view)
    team = [standings[one] for one in them.team]
    names = [column.name for column in fields(Standing)]
    return Scorecard(
        rep=rep,
        name=them.name,
        manager=them.manager,
        team=them.team,
        won_amount=_money(view, rep, them.team),
        figures={name: _beside(name, standings[rep], team) for name in names},
    )


def _standings(view: View) -> dict[str | None, Standing]:
    standings: dict[str | None, Standing] = defaultdict(Standing)
    for rep, opened, won, lost, median in view.ask(
        f"""{STANDS_FOR}
        SELECT {key_of("rep", month_of="")}, count(*) FILTER (WHERE d.status = 'open'),
               count(*) FILTER (WHERE d.status = 'won'), count(*) FILTER (WHERE d.status = 'lost'),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY d.cycle_us) FILTER (WHERE d.status = 'won')
        FROM deal d {joins_for("rep")} GROUP BY 1"""
    ):
        one = standings[rep]
        one.deals_open, one.deals_won, one.deals_lost = opened, won, lost
        one.win_rate_closed, one.median_cycle_days = ratio(won, won + lost), days(median)
    for rep, leads in view.ask(
        f"SELECT {OWNER_NOW}, count(*) FROM lead l WHERE l.status = 'open' GROUP BY 1"
    ):
        standings[rep].leads = leads
    for rep, contacts, past_owners in view.ask(
        "SELECT actor, count(*), count(encroached_on) FROM contact GROUP BY actor"
    ):
        standings[rep].contacts, standings[rep].encroachments = contacts, past_owners
    for rep, neglected, overdue in view.ask(_STEPS):
        standings[rep].neglected, standings[rep].overdue = neglected, overdue
    return standings


_STEPS = f"""{STANDS_FOR}{COVERED}{IDLE}
, behind AS (
    SELECT rep, 1 AS neglected, 0 AS overdue FROM idle
    UNION ALL
    SELECT coalesce(step.assignee, held.rep), 0, 1 FROM step LEFT JOIN held USING (lead)
    WHERE step.status = 'planned' AND step.due_at < %(moment)s
      AND held.status IS DISTINCT FROM 'disqualified'
)
SELECT rep, sum(neglected)::int, sum(overdue)::int FROM behind GROUP BY rep"""


def _money(view: View, rep: str, team: Iterable[str]) -> MoneyBeside:
    won: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for currency, whose, amount in view.ask(
        """
        SELECT currency, closed_owner, sum(amount) FROM deal
        WHERE status = 'won' AND amount IS NOT NULL AND closed_owner = ANY(%(team)s)
        GROUP BY 1, 2 ORDER BY 1
        """,
        team=list(team),
    ):
        won[currency][whose] = amount
    zero = Decimal(0)
    by_currency = {currency: [amounts.get(one, zero) for one in team] for currency, amounts in won.items()}
    return MoneyBeside(
        rep={currency: amounts.get(rep, zero) for currency, amounts in won.items()},
        team_median={currency: _median(amounts) for currency, amounts in by_currency.items()},
        team_best={currency: max(amounts) for currency, amounts in by_currency.items()},
    )


def _beside(name: str, own: Standing, team: Iterable[Standing]) -> Beside:
    figures = [figure for one in team if (figure := getattr(one, name)) is not None]
    best = min if name in LESS_IS_BETTER else max
    return Beside(
        rep=getattr(own, name),
        team_median=_median(figures) if figures else None,
        team_best=best(figures) if figures else None,
    )


def _median(numbers: list[Number]) -> Number:
    """The middle one, or the mean of the two in the middle, exactly."""
    ordered, half = sorted(numbers), len(numbers) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2  # type: ignore[return-value]  # of ints a float: fine
