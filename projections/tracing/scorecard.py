"""A figure of a scorecard: the rep's own, or the team's, each member's counted again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from statistics import median
from typing import Any

from domain.activities.events import ContactRecorded
from domain.deals.events import DealAmended
from projections import neglected
from projections.asking import OWNER_NOW, STANDS_FOR, View, ratio
from projections.grouping import joins_for, key_of
from projections.scorecard import LESS_IS_BETTER, Scorecard
from projections.tracing import lists
from projections.tracing.grouped import CLOSES, HANDS, Kinds
from projections.tracing.places import NotTraced, Place
from projections.tracing.standing import lasted, status, won_for
from projections.tracing.trace import Counted, Fact, Log, Trace, look_up, percentile, traced

Ask = Callable[[View], Iterable[Counted]]
Says = Callable[[Sequence[Fact]], Any]


def trace_scorecard(view: View, log: Log, place: Place, found: Scorecard) -> Trace:
    """What counts in the rep's figure, or in those of all reps of the team."""
    if place.path[0] not in ("figures", "won_amount"):
        raise NotTraced(report="scorecard", figure=place.figure)
    if place.path[0] == "figures":
        _, name, which = place.path
        ask, own, rule = _FIGURES[name]
    else:
        name, which = "won_amount", place.path[1]
        currency = place.path[2]
        ask, own, rule = _deals(["won"], won_for(currency), currency), _sum, "the sum of the amounts"
    reps = [found.rep] if which == "rep" else found.team
    counted = [one for one in ask(view) if one.of in reps]
    looked_up = look_up(view, log, counted)
    given = [(one.counted.of, one.gives) for one in looked_up]
    values = [own([value for of, value in given if of == rep and value is not None]) for rep in reps]
    told = [value for value in values if value is not None]
    best: Callable[[Any], Any] = min if name in LESS_IS_BETTER else max
    combined: Mapping[str, tuple[Callable[[Any], Any], str]] = {
        "rep": (lambda one: one[0], ""),
        "team_median": (median, ", of each rep; the median of these"),
        "team_best": (best, f", of each rep; the {'least' if best is min else 'most'} of these"),
    }
    combine, also = combined[which]
    recomputed = combine(told) if told else None
    return traced("scorecard", place, recomputed, rule + also, looked_up)


def _deals(wanted: Sequence[str], says: Says, currency: str | None = None) -> Ask:
    """Deals that stand so, as their rep's: whose the lead is, or was at the close."""

    def ask(view: View) -> Iterable[Counted]:
        rows = view.ask(
            f"""{STANDS_FOR}
            SELECT d.deal, {key_of("rep", month_of="")}, l.lead, d.status
            FROM deal d {joins_for("rep")} WHERE d.status = ANY(%(status)s)
              AND (%(currency)s::text IS NULL OR d.currency = %(currency)s) ORDER BY 1""",
            status=list(wanted),
            currency=currency,
        )
        for deal, rep, lead, stands in rows:
            open_one = stands == "open"
            streams = (f"deal-{deal}", f"lead-{lead}") if open_one else (f"deal-{deal}",)
            kinds: Kinds = (*CLOSES, *HANDS) if open_one else (*CLOSES, DealAmended) if currency else CLOSES
            yield Counted("deal", deal, None, rep, streams, kinds, says=says)

    return ask


def _one_if(*wanted: str) -> Says:
    return lambda facts: 1 if status(facts) in wanted else None


def _is_won(facts: Sequence[Fact]) -> int | None:
    return {"won": 1, "lost": 0}.get(status(facts) or "")


def _days_to_win(facts: Sequence[Fact]) -> float | None:
    return lasted(facts, facts[0].occurred_at) if status(facts) == "won" else None


def _leads(view: View) -> Iterable[Counted]:
    rows = view.ask(f"SELECT l.lead, {OWNER_NOW} FROM lead l WHERE l.status = 'open' ORDER BY 1")
    for lead, rep in rows:
        yield Counted("lead", lead, 1, rep, (f"lead-{lead}",), HANDS)


def _contacts(view: View) -> Iterable[Counted]:
    rows = view.ask("SELECT lead, actor, position, encroached_on FROM contact ORDER BY position")
    return [_contact(*row) for row in rows]


def _encroachments(view: View) -> Iterable[Counted]:
    rows = view.ask(
        "SELECT lead, actor, position, encroached_on FROM contact WHERE encroached_on IS NOT NULL"
        " ORDER BY position"
    )
    return [_contact(*row) for row in rows]


def _contact(lead: str, rep: str, position: int, encroached_on: str | None) -> Counted:
    def says(facts: Sequence[Fact]) -> int | None:
        had = [
            fact.event.encroached_on
            for fact in facts
            if isinstance(fact.event, ContactRecorded) and fact.actor == rep
        ]
        return 1 if had == [encroached_on] else None

    return Counted("contact", lead, 1, rep, positions=(position,), says=says)


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


_FIGURES: Mapping[str, tuple[Ask, Callable[[Any], Any], str]] = {
    "leads": (_leads, len, "the number of open leads owned"),
    "deals_open": (_deals(["open"], _one_if("open")), len, "the number of deals"),
    "deals_won": (_deals(["won"], _one_if("won")), len, "the number of deals"),
    "deals_lost": (_deals(["lost"], _one_if("lost")), len, "the number of deals"),
    "win_rate_closed": (
        _deals(["won", "lost"], _is_won),
        _rate,
        "the sum of the values (1 is won) by their number",
    ),
    "median_cycle_days": (_deals(["won"], _days_to_win), _median_days, "percentile_cont(0.5) of the days"),
    "contacts": (_contacts, len, "the number of contacts"),
    "neglected": (_neglected, len, "the number of open leads and deals without a planned step"),
    "overdue": (_overdue, len, "the number of planned steps past due"),
    "encroachments": (_encroachments, len, "the number of contacts past an owner"),
}
