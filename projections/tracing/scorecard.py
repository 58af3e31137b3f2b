"""A figure of a scorecard: the rep's own, or the team's, each member's counted again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

from domain.deals.events import DealAmended
from projections import neglected
from projections.asking import MICROSECONDS_PER_DAY, OWNER_NOW, STANDS_FOR, View, ratio
from projections.grouping import joins_for, key_of
from projections.scorecard import LESS_IS_BETTER, Scorecard
from projections.tracing import lists
from projections.tracing.grouped import CLOSES, HANDS
from projections.tracing.places import NotTraced, Place
from projections.tracing.trace import Counted, Log, Trace, look_up, percentile, traced

Ask = Callable[[View], Iterable[Counted]]


def trace_scorecard(view: View, log: Log, place: Place, found: Scorecard) -> Trace:
    """What counts in the rep's figure, or in those of all reps of the team."""
    if place.path[0] not in ("figures", "won_amount"):
        raise NotTraced(report="scorecard", figure=place.figure)
    if place.path[0] == "figures":
        _, name, which = place.path
        ask, own, rule = _FIGURES[name]
    else:
        name, which = "won_amount", place.path[1]
        ask, own, rule = _amounts(place.path[2]), _sum, "the sum of the amounts"
    reps = [found.rep] if which == "rep" else found.team
    counted = [one for one in ask(view) if one.of in reps]
    values = [own([one.value for one in counted if one.of == rep]) for rep in reps]
    told = [value for value in values if value is not None]
    best: Callable[[Any], Any] = min if name in LESS_IS_BETTER else max
    combined: Mapping[str, tuple[Callable[[Any], Any], str]] = {
        "rep": (lambda one: one[0], ""),
        "team_median": (median, ", of each rep; the median of these"),
        "team_best": (best, f", of each rep; the {'least' if best is min else 'most'} of these"),
    }
    combine, also = combined[which]
    recomputed = combine(told) if told else None
    return traced("scorecard", place, recomputed, rule + also, look_up(view, log, counted))


def _deals(status: Sequence[str], value: Callable[..., Any], *further: Any) -> Ask:
    """Deals that stand so, as their rep's: whose the lead is, or was at the close."""

    def ask(view: View) -> Iterable[Counted]:
        rows = view.ask(
            f"""{STANDS_FOR}
            SELECT d.deal, {key_of("rep", month_of="")}, l.lead, d.status, d.cycle_us, d.amount, d.currency
            FROM deal d {joins_for("rep")} WHERE d.status = ANY(%(status)s) ORDER BY 1""",
            status=list(status),
        )
        for deal, rep, lead, stands, cycle_us, amount, currency in rows:
            given = value(stands, cycle_us, amount, currency)
            open_one = stands == "open"
            streams = (f"deal-{deal}", f"lead-{lead}") if open_one else (f"deal-{deal}",)
            kinds = (*CLOSES, *HANDS) if open_one else (*CLOSES, *further)
            if given is not None:
                yield Counted("deal", deal, given, rep, streams, kinds)

    return ask


def _amounts(wanted: str) -> Ask:
    def amount_of(_: str, __: int, amount: Decimal | None, currency: str | None) -> Decimal | None:
        return amount if currency == wanted else None

    return _deals(["won"], amount_of, DealAmended)


def _leads(view: View) -> Iterable[Counted]:
    rows = view.ask(f"SELECT l.lead, {OWNER_NOW} FROM lead l WHERE l.status = 'open' ORDER BY 1")
    for lead, rep in rows:
        yield Counted("lead", lead, 1, rep, (f"lead-{lead}",), HANDS)


def _contacts(view: View) -> Iterable[Counted]:
    for lead, rep, position in view.ask("SELECT lead, actor, position FROM contact ORDER BY position"):
        yield Counted("contact", lead, 1, rep, positions=(position,))


def _encroachments(view: View) -> Iterable[Counted]:
    rows = view.ask(
        "SELECT lead, actor, position FROM contact WHERE encroached_on IS NOT NULL ORDER BY position"
    )
    for lead, rep, position in rows:
        yield Counted("contact", lead, 1, rep, positions=(position,))


def _neglected(view: View) -> Iterable[Counted]:
    relatives = lists.families(view)
    return [lists.neglected(item, relatives) for item in neglected.neglected(view).items]


def _overdue(view: View) -> Iterable[Counted]:
    relatives = lists.families(view)
    return [lists.overdue(item, relatives) for item in neglected.overdue(view).items]


def _sum(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


def _rate(values: Sequence[int]) -> float | None:
    return ratio(sum(values), len(values))


def _median_days(values: Sequence[float]) -> float | None:
    return percentile(values, 0.5)


def _one(*_: Any) -> int:
    return 1


_CLOSED = _deals(["won", "lost"], lambda status, *_: int(status == "won"))
_CYCLES = _deals(["won"], lambda _, cycle_us, *__: cycle_us / MICROSECONDS_PER_DAY)
_FIGURES: Mapping[str, tuple[Ask, Callable[[Any], Any], str]] = {
    "leads": (_leads, len, "the number of open leads owned"),
    "deals_open": (_deals(["open"], _one), len, "the number of deals"),
    "deals_won": (_deals(["won"], _one), len, "the number of deals"),
    "deals_lost": (_deals(["lost"], _one), len, "the number of deals"),
    "win_rate_closed": (_CLOSED, _rate, "the sum of the values (1 is won) by their number"),
    "median_cycle_days": (_CYCLES, _median_days, "percentile_cont(0.5) of the days"),
    "contacts": (_contacts, len, "the number of contacts"),
    "neglected": (_neglected, len, "the number of open leads and deals without a planned step"),
    "overdue": (_overdue, len, "the number of planned steps past due"),
    "encroachments": (_encroachments, len, "the number of contacts past an owner"),
}
