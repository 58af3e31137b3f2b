"""E(P, n) over random histories: what statements pay, to whom, and that it is what the reference says."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from payroll_company import InMemory
from payroll_histories import DEALS, FIRST, PERIODS, REPS, History, Player, histories
from payroll_reference import Key, Reference, month_of, shared_out

from domain.payroll.earnings import earnings
from domain.payroll.entitlement import entitlement
from domain.payroll.events import PeriodClosed, StatementIssued
from domain.payroll.standing import divide
from domain.payroll.statement import statement, statements
from domain.shared.periods import Period

LAST = Period(Period.of(FIRST).index + PERIODS - 1)
CLOSES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=6, max_size=6)
ANY = histories("all")
FLAT = histories("flat")


class Unchecked(InMemory):
    """Where the reference is asked elsewhere."""

    checks = False


def played(history: History, closes: list[tuple[int, int]], company: type[InMemory] = Unchecked) -> Player:
    """With a close after so many steps, which misses the last few facts."""
    player = Player(history, company())
    for at, _ in enumerate(player.steps()):
        for step, lag in closes:
            if step == at:
                player.close(lag)
    return player


def entries(company: InMemory, rep: str, upto: Period) -> dict[Key, tuple[Decimal, Decimal]]:
    records, earned = company.earned()
    told = entitlement(records, earned, rep, upto)
    return {
        (
            key.kind,
            key.for_period,
            key.deal,
            key.earning,
            key.credited,
            key.plan,
            key.plan_version,
            key.rate,
        ): (entry.basis, entry.amount)
        for key, entry in told.items()
        if entry.basis or entry.amount
    }


def by_reference(company: InMemory, rep: str, upto: Period) -> dict[Key, tuple[Decimal, Decimal]]:
    reference = Reference(company.facts)
    told = reference.entitled(rep, month_of(upto.first_day))
    return {key: entry for key, entry in told.items() if any(entry)}


@settings(max_examples=100, deadline=None)
@given(ANY, CLOSES, st.integers(0, PERIODS - 1))
def test_every_entry_is_that_of_the_reference(
    history: History, closes: list[tuple[int, int]], upto: int
) -> None:
    company = played(history, closes).company
    period = Period(Period.of(FIRST).index + upto)
    for rep in REPS:
        assert entries(company, rep, period) == by_reference(company, rep, period)


@settings(max_examples=60, deadline=None)
@given(ANY, CLOSES)
def test_statements_sum_to_what_was_earned(history: History, closes: list[tuple[int, int]]) -> None:
    """Every close checks it against the reference, and so does one of all the rest at the end."""
    player = played(history, closes, InMemory)
    player.close_all()
    for rep in REPS:
        paid = sum((one.total for one in player.company.issued(rep)), Decimal(0))
        earned = sum((amount for _, amount in entries(player.company, rep, LAST).values()), Decimal(0))
        assert paid == earned


@settings(max_examples=60, deadline=None)
@given(FLAT, CLOSES, CLOSES)
def test_when_periods_close_never_changes_what_is_paid_in_all(
    history: History, sooner: list[tuple[int, int]], later: list[tuple[int, int]]
) -> None:
    totals = []
    for closes in (sooner, later, []):
        player = played(history, closes)
        player.close_all()
        totals.append({rep: sum(one.total for one in player.company.issued(rep)) for rep in REPS})
    assert totals[0] == totals[1] == totals[2]


def punctual(history: History, at: int, period: Period) -> bool:
    """Whether no win, payment or link to a deal comes after that step that can belong to the period."""
    came = {op[1]: op[-1] for op in reversed(history.ops) if op[0] == "pay"}
    for kind, *what, day in history.ops[at + 1 :]:
        if kind in ("match", "refund"):  # A refund may be the first to say for which deal a payment was.
            day = came.get(what[0], 0)
        if kind in ("win", "pay", "match", "refund") and _month(day) <= period:
            return False
    return True


def _month(day: int) -> Period:
    return Period.of(FIRST.fromordinal(FIRST.toordinal() + day))


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_for_any_plan_closing_later_changes_nothing_where_nothing_was_late(history: History) -> None:
    soon = Player(history, Unchecked())
    for at, _ in enumerate(soon.steps()):
        while soon.closed < PERIODS - 1 and punctual(
            history, at, Period(Period.of(FIRST).index + soon.closed)
        ):
            soon.close()
    late = Player(history, Unchecked())
    late.play()
    for player in (soon, late):
        player.close_all()
    for rep in REPS:
        totals = [sum(one.total for one in player.company.issued(rep)) for player in (soon, late)]
        assert totals[0] == totals[1], rep


@settings(max_examples=40, deadline=None)
@given(ANY, CLOSES)
def test_what_was_recorded_after_the_cutoff_never_changes_a_statement(
    history: History, closes: list[tuple[int, int]]
) -> None:
    player = played(history, closes)
    player.close_all()
    company = player.company
    for fact in company.facts:
        if isinstance(fact.event, PeriodClosed):
            records = company.records(fact.event.cutoff_position)
            again = statements(
                records, earnings(records), Period.parse(fact.entity), fact.event.cutoff_position
            )
            frozen = [
                one for rep in company.reps() for one in company.issued(rep) if one.period == fact.entity
            ]
            assert again == sorted(frozen, key=lambda one: one.rep)


@settings(max_examples=30, deadline=None)
@given(ANY, CLOSES)
def test_a_preview_is_what_closing_then_pays(history: History, closes: list[tuple[int, int]]) -> None:
    player = played(history, closes)
    records, earned = player.company.earned()
    periods = [Period(records.first_open.index + ahead) for ahead in range(PERIODS - player.closed)]
    previews = {
        (rep, str(period)): statement(records, earned, rep, period, 0) for rep in REPS for period in periods
    }
    player.close_all()
    for rep in REPS:
        for issued in player.company.issued(rep):
            preview = previews.get((rep, issued.period))
            if preview is not None:
                assert figures(preview) == figures(issued)


def figures(issued: StatementIssued) -> list[object]:
    lines = [
        (one.kind, one.of, one.deal, one.earning, one.rate, one.basis, one.amount) for one in issued.lines
    ]
    return [issued.total, *lines]


@settings(max_examples=60, deadline=None)
@given(ANY, CLOSES)
def test_a_line_is_its_basis_at_its_rate_in_whole_minor_units(
    history: History, closes: list[tuple[int, int]]
) -> None:
    player = played(history, closes)
    player.close_all()
    for rep in REPS:
        for issued in player.company.issued(rep):
            assert issued.total == sum(line.amount for line in issued.lines)
            assert [line.line for line in issued.lines] == list(range(1, len(issued.lines) + 1))
            for line in issued.lines:
                assert (line.kind == "adjustment") == (line.for_period < issued.period)
                assert line.amount.as_tuple().exponent == line.basis.as_tuple().exponent == -2, line
                if line.kind != "adjustment" and line.rate is not None:
                    assert line.amount == round(line.basis * line.rate / 100, 2), line
                assert all(0 < position <= issued.cutoff_position for position in line.events)


@settings(max_examples=60, deadline=None)
@given(FLAT, CLOSES, st.sampled_from(sorted(DEALS)))
def test_a_deal_whose_events_are_removed_earns_nothing_and_takes_nothing_along(
    history: History, closes: list[tuple[int, int]], deal: str
) -> None:
    whole = played(history, closes).company
    rest = InMemory()
    rest.facts = [fact for fact in whole.facts if fact.stream != f"deal-{deal}"]
    for rep in REPS:
        kept = {key: entry for key, entry in entries(whole, rep, LAST).items() if key[2] != deal}
        assert entries(rest, rep, LAST) == kept


@settings(max_examples=60, deadline=None)
@given(histories("all", [None]), CLOSES, st.sampled_from(REPS))
def test_what_others_are_paid_by_never_matters(
    history: History, closes: list[tuple[int, int]], rep: str
) -> None:
    whole = played(history, closes).company
    alone = InMemory()
    others = {f"assignment-{other}" for other in REPS if other != rep}
    alone.facts = [fact for fact in whole.facts if fact.stream not in others]
    assert entries(alone, rep, LAST) == entries(whole, rep, LAST)


@settings(max_examples=60, deadline=None)
@given(ANY, CLOSES)
def test_an_override_is_judged_by_the_heads_plan_alone(
    history: History, closes: list[tuple[int, int]]
) -> None:
    whole = played(history, closes).company
    alone = InMemory()
    others = {f"assignment-{other}" for other in REPS if other != "head"}
    alone.facts = [fact for fact in whole.facts if fact.stream not in others]
    overrides = [
        {key: entry for key, entry in entries(company, "head", LAST).items() if key[0] == "override"}
        for company in (whole, alone)
    ]
    assert overrides[0] == overrides[1]


@given(
    st.integers(-(10**6), 10**6),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=6),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_parts_sum_to_the_whole(minor_units: int, weights: list[int], currency: str) -> None:
    whole = Decimal(minor_units).scaleb(-{"USD": 2, "JPY": 0, "KWD": 3}[currency])
    percents = [Decimal(weight) * 100 / sum(weights) for weight in weights[:-1]]
    percents = [round(percent, 6) for percent in percents]
    percents.append(100 - sum(percents))
    parts = divide(whole, percents, currency)
    assert sum(parts) == whole
    assert parts == shared_out(whole, percents, currency)
