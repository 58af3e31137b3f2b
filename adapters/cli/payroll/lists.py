"""The lists of payroll: ghosts, exceptions, disputes, plans, assignments, periods."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from adapters.cli.asking import Request, report, source, tell
from adapters.cli.lists import REP, draw_list
from adapters.reading.source import Source
from projections.asking import Listing, View

Columns = Callable[[View], Sequence[Any]]


def _list(request: Request, ask: Callable[[View], Listing], title: str, columns: Columns, empty: str) -> None:
    with source(request) as asked:
        _show(request, asked, ask(asked.view), title, columns, empty)


def _show(request: Request, asked: Source, found: Listing, title: str, columns: Columns, empty: str) -> None:
    tell(request, asked, found, lambda listing, view: draw_list(listing, view, title, columns, empty))


def _ghosts(request: Request) -> None:
    """Payments that belong to no recorded deal: nobody is paid for them. Work them off with payment.match."""
    from projections.payroll.payments import ghosts as ask

    _list(request, ask, "Ghosts", ghost_columns, "Every payment belongs to a recorded deal.")


def ghost_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, count, day, money, text

    return [
        Column("came", lambda one: day(one.occurred_at, view), whole=True),
        Column("payment", lambda one: one.payment),
        Column("amount", lambda one: money(one.amount, one.currency), number=True),
        Column("refunded", lambda one: money(one.refunded or None, one.currency), number=True),
        Column("named deal", lambda one: text(one.deal)),
        Column("reference", lambda one: text(one.reference)),
        Column("event", lambda one: count(one.position), number=True),
    ]


@REP
@click.option("--period", metavar="P", help="Only earnings that belong to this month.")
def _exceptions(request: Request, rep: str | None, period: str | None) -> None:
    """Earnings that can't be paid until something is recorded: a rate, a plan, an owner, an amount."""
    from adapters.cli.payroll.ledger import ledger
    from domain.shared.periods import Period
    from projections.payroll.exceptions import exceptions as ask
    from projections.payroll.previews import must_have_begun

    month = None if period is None else Period.parse(period)
    with ledger(request) as book:
        records = book.records()
        if month is not None:
            must_have_begun(records, month, book.view.moment)
        found = ask(records, rep=rep, period=month)
        empty = "Nothing waits: whatever was earned can be paid."
        _show(request, book.source, found, "Exceptions", exception_columns, empty)


def exception_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, money, text

    return [
        Column("period", lambda one: one.period, whole=True),
        Column("deal", lambda one: one.deal),
        Column("rep", lambda one: text(one.rep)),
        Column("amount", lambda one: money(one.amount, one.currency), number=True),
        Column("missing", lambda one: one.missing),
        Column("events", lambda one: ", ".join(map(str, one.events))),
    ]


@REP
@click.option("--open", "open_only", is_flag=True, help="Only those that wait for an answer.")
def _disputes(request: Request, rep: str | None, open_only: bool) -> None:
    """Lines said to be wrong, and payroll's answers."""
    from projections.payroll.statements import disputes as ask

    _list(
        request,
        lambda view: ask(view, open_only=open_only, rep=rep),
        "Disputes",
        dispute_columns,
        "No line is disputed.",
    )


def dispute_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, day, money, text

    return [
        Column("since", lambda one: day(one.disputed_at, view), whole=True),
        Column("line", lambda one: one.line),
        Column("paid", lambda one: money(one.paid, one.currency), number=True),
        Column("reason", lambda one: one.reason),
        Column("answer", lambda one: one.status),
        Column("conceded", lambda one: money(one.conceded, one.currency), number=True),
        Column("note", lambda one: text(one.note)),
    ]


def _plans(request: Request) -> None:
    """Commission plans, version by version."""
    from projections.payroll.plans import plans as ask

    _list(request, ask, "Plans", plan_columns, "No plan is published.")


def plan_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, count, day

    return [
        Column("plan", lambda one: one.plan),
        Column("version", lambda one: str(one.number), number=True),
        Column("name", lambda one: one.name),
        Column("basis", lambda one: one.basis, whole=True),
        Column("currency", lambda one: one.currency, whole=True),
        Column("published", lambda one: day(one.recorded_at, view), whole=True),
        Column("event", lambda one: count(one.position), number=True),
    ]


@REP
def _assignments(request: Request, rep: str | None) -> None:
    """Who earns by which plan, and when; of a rep's that overlap the first one holds."""
    from projections.payroll.plans import assignments as ask

    _list(
        request, lambda view: ask(view, rep=rep), "Assignments", assignment_columns, "No plan binds anybody."
    )


def assignment_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, count, day, text

    return [
        Column("rep", lambda one: one.rep),
        Column("plan", lambda one: f"{one.plan} v{one.number}"),
        Column("from", lambda one: str(one.first_day), whole=True),
        Column("to", lambda one: text(one.last_day), whole=True),
        Column("assigned", lambda one: day(one.recorded_at, view), whole=True),
        Column("event", lambda one: count(one.position), number=True),
    ]


def _periods(request: Request) -> None:
    """The months that are closed, in order."""
    from projections.payroll.statements import periods as ask

    _list(request, ask, "Closed periods", period_columns, "No period is closed.")


def period_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, count, moment

    return [
        Column("period", lambda one: one.period, whole=True),
        Column("statements", lambda one: count(one.statements), number=True),
        Column("up to", lambda one: count(one.cutoff_position), number=True),
        Column("closed", lambda one: moment(one.closed_at, view), whole=True),
        Column("by", lambda one: one.closed_by),
    ]


ghosts = report("ghosts", "payments", "deals")(_ghosts)
exceptions = report("exceptions")(_exceptions)
disputes = report("disputes", "statements", "team")(_disputes)
plans = report("plans", "plans")(_plans)
assignments = report("assignments", "plans", "assignments", "team")(_assignments)
periods = report("periods", "periods")(_periods)
