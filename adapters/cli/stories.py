"""The commands that tell a story event by event: deal, lead."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from adapters.cli.asking import Request, report, source, tell
from projections.asking import View
from projections.timeline import DealStory, Happening, LeadStory


@click.argument("deal")
def _deal(request: Request, deal: str) -> None:
    """A deal as it stands, and the events behind it."""
    from projections.timeline import deal_story

    with source(request) as asked:
        tell(request, asked, deal_story(asked.view, asked.history, deal=deal), draw_deal)


def draw_deal(found: DealStory, view: View) -> None:
    from adapters.cli.render import head, moment, money, say, text

    head(f"Deal {found.deal}{f': {found.title}' if found.title else ''}", view)
    say(f"{found.status} in {text(found.stage)} since {moment(found.closed_at or found.stage_since, view)}")
    say(
        f"pipeline {found.pipeline} · lead {found.lead} · rep {text(found.rep)} · "
        f"product {text(found.product)} · {money(found.amount, found.currency)}"
    )
    if found.loss_reason:
        say(f"lost for {found.loss_reason}")
    for share in found.shares:
        say(f"share of {share['rep']}: {share['percent']} % as {text(share['role'])}")
    _draw_timeline(found.timeline, view)


@click.argument("lead")
def _lead(request: Request, lead: str) -> None:
    """A lead as it stands, and the events of it, its steps and its deals."""
    from projections.timeline import lead_story

    with source(request) as asked:
        tell(request, asked, lead_story(asked.view, asked.history, lead=lead), draw_lead)


def draw_lead(found: LeadStory, view: View) -> None:
    from adapters.cli.render import head, moment, say, text

    head(f"Lead {found.lead}{f': {found.name}' if found.name else ''}", view)
    if found.asked != found.lead:
        say(f"{found.asked} is the same customer: {found.lead} stands for it.")
    say(f"{found.status}, registered {moment(found.registered_at, view)}")
    say(f"owner {text(found.ownership.owner)} since {moment(found.ownership.since, view)}")
    say(f"channel {text(found.channel)} · campaign {text(found.campaign)} · branch {text(found.branch)}")
    if found.deals:
        say(f"deals: {', '.join(found.deals)}")
    for task in found.tasks:
        if task["status"] == "planned":
            say(f"planned: {task['task']} ({task['kind']}), due {moment(task['due_at'], view)}")
    _draw_timeline(found.timeline, view)


def _draw_timeline(timeline: Sequence[Happening], view: View) -> None:
    from adapters.cli.render import Column, count, draw, moment

    draw(
        [
            Column("at", lambda one: count(one.position), number=True),
            Column("occurred", lambda one: moment(one.occurred_at, view)),
            Column("event", lambda one: one.event.split(".")[-1]),
            Column("by", lambda one: one.actor),
            Column("what", lambda one: _brief(one.data)),
        ],
        timeline,
    )


def _brief(data: Mapping[str, Any]) -> str:
    """What an event says, without what it leaves open."""
    return ", ".join(
        _brief(value) if isinstance(value, Mapping) else f"{name} {value}"
        for name, value in data.items()
        if value not in (None, [], ())
    )


deal = report("deal", "deals", "leads")(_deal)
lead = report("lead", "deals", "leads", "next_steps")(_lead)
