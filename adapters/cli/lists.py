"""The commands whose answers are lists: neglected, overdue, queue, encroachments, refusals, pool."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from adapters.cli.asking import Request, report, source, tell
from projections.asking import Listing, View

REP = click.option("--rep", metavar="R", help="Only this rep's.")


def _list(
    request: Request,
    ask: Callable[[View], Listing],
    title: str,
    columns: Callable[[View], Sequence[Any]],
    empty: str,
) -> None:
    with source(request) as asked:
        found = ask(asked.view)
        tell(request, asked, found, lambda listing, view: draw_list(listing, view, title, columns, empty))


def draw_list(
    found: Listing, view: View, title: str, columns: Callable[[View], Sequence[Any]], empty: str
) -> None:
    from adapters.cli.render import draw, head

    head(f"{title}: {found.count:,}", view)
    draw(columns(view), found.items, empty)


@REP
def _neglected(request: Request, rep: str | None) -> None:
    """Open leads and deals with no next step planned, the longest idle first."""
    from projections.neglected import neglected as ask

    empty = "Every open lead and deal has a next step planned."
    _list(request, lambda view: ask(view, rep=rep), "Neglected", neglected_columns, empty)


def neglected_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, day, days, text

    return [
        Column("since", lambda one: day(one.since, view), whole=True),
        Column("days", lambda one: days(one.days), number=True),
        Column("what", lambda one: f"{one.kind} {one.deal or one.lead}"),
        Column("name", lambda one: text(one.name)),
        Column("rep", lambda one: text(one.rep)),
    ]


@REP
def _overdue(request: Request, rep: str | None) -> None:
    """Planned steps whose due time has passed, the longest first."""
    from projections.neglected import overdue as ask

    empty = "No planned step is past its due time."
    _list(request, lambda view: ask(view, rep=rep), "Overdue", overdue_columns, empty)


def overdue_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, days, moment, text

    return [
        Column("due", lambda one: moment(one.due_at, view), whole=True),
        Column("days", lambda one: days(one.days), number=True),
        Column("step", lambda one: f"{one.task} ({one.kind})"),
        Column("lead", lambda one: one.lead),
        Column("deal", lambda one: text(one.deal)),
        Column("rep", lambda one: text(one.rep)),
    ]


@click.option("--rep", required=True, metavar="R", help="Whose queue.")
def _queue(request: Request, rep: str) -> None:
    """What a rep should do next: overdue steps, then deals nearest the finish, then by due time."""
    from projections.queue import queue as ask

    _list(request, lambda view: ask(view, rep=rep), f"Queue of {rep}", queue_columns, "Nothing is waiting.")


def queue_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import NOTHING, Column, moment, money, text

    return [
        Column("what", lambda one: f"{one.kind} {one.deal or one.lead}", whole=True),
        Column("name", lambda one: text(one.name) + (f", {one.stage}" if one.stage else "")),
        Column("amount", lambda one: money(one.amount, one.currency), number=True),
        Column(
            "next step",
            lambda one: f"{moment(one.due_at, view)} {one.task_kind}" if one.due_at else NOTHING,
            whole=True,
        ),
        Column("", lambda one: "late" if one.overdue else "", whole=True),
    ]


@REP
def _encroachments(request: Request, rep: str | None) -> None:
    """Contacts that somebody else's rep had with an owned lead; with --rep those of either side."""
    from projections.contacts import encroachments as ask

    empty = "Nobody went past a lead's owner."
    _list(request, lambda view: ask(view, rep=rep), "Encroachments", encroachment_columns, empty)


def encroachment_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, count, moment

    return [
        Column("when", lambda one: moment(one.occurred_at, view), whole=True),
        Column("lead", lambda one: one.lead),
        Column("owner", lambda one: one.owner),
        Column("by", lambda one: one.by),
        Column("contact", lambda one: f"{one.kind} {one.direction}, {one.outcome}"),
        Column("event", lambda one: count(one.position), number=True),
    ]


@REP
@click.option("--lead", metavar="L", help="Only attempts on this lead.")
def _refusals(request: Request, rep: str | None, lead: str | None) -> None:
    """Attempts on leads that were another's: what a dispute over ownership is settled from."""
    from projections.owner import refusals as ask

    _list(
        request,
        lambda view: ask(view, rep=rep, lead=lead),
        "Refused attempts",
        refusal_columns,
        "Nobody tried to get a lead that was another's.",
    )


def refusal_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, count, moment, text

    return [
        Column("recorded", lambda one: moment(one.recorded_at, view), whole=True),
        Column("lead", lambda one: one.lead),
        Column("tried as", lambda one: one.subject),
        Column("by", lambda one: text(one.rep or one.actor)),
        Column("owner", lambda one: one.owner),
        Column("since", lambda one: moment(one.since, view), whole=True),
        Column("event", lambda one: count(one.position), number=True),
    ]


def _pool(request: Request) -> None:
    """Open leads that nobody owns, the longest waiting first."""
    from projections.owner import pool as ask

    _list(request, ask, "Pool", pool_columns, "Every open lead has an owner.")


def pool_columns(view: View) -> Sequence[Any]:
    from adapters.cli.render import Column, moment, text

    return [
        Column("since", lambda one: moment(one.since, view), whole=True),
        Column("lead", lambda one: one.lead),
        Column("name", lambda one: text(one.name)),
        Column("channel", lambda one: text(one.channel)),
        Column("branch", lambda one: text(one.branch)),
    ]


neglected = report("neglected", "leads", "deals", "next_steps", "team")(_neglected)
overdue = report("overdue", "leads", "deals", "next_steps", "team")(_overdue)
queue = report("queue", "leads", "deals", "next_steps", "pipelines", "team")(_queue)
encroachments = report("encroachments", "leads", "contacts", "team")(_encroachments)
refusals = report("refusals", "leads", "team")(_refusals)
pool = report("pool", "leads")(_pool)
