"""The commands whose answers are figures: funnel, cycle-time, owner, scorecard."""

from typing import Any

import click

from adapters.cli.asking import Request, report, source, tell
from adapters.cli.wording import counted
from adapters.reading.moments import span
from projections.asking import View
from projections.cycle_time import CycleTime
from projections.funnel import Funnel, FunnelBy
from projections.grouping import DIMENSIONS, Dimension
from projections.owner import Owner
from projections.scorecard import Scorecard

BY = click.option("--by", type=click.Choice(DIMENSIONS), help="Tell groups apart by this.")
PIPELINE = click.option("--pipeline", required=True, metavar="P", help="The pipeline asked about.")


@PIPELINE
@click.option("--from", "start", metavar="WHEN", help="First day, or first moment, of the range.")
@click.option("--to", "end", metavar="WHEN", help="Last day, or last moment, of the range; inclusive.")
@click.option(
    "--view",
    "kind",
    type=click.Choice(["cohort", "flow"]),
    default="cohort",
    show_default=True,
    help="The deals opened in the range, or the moves made in it.",
)
@BY
def _funnel(
    request: Request, pipeline: str, start: str | None, end: str | None, kind: Any, by: Dimension | None
) -> None:
    """How far deals get, where they stop, and how long they stay in each stage."""
    from projections.funnel import funnel as ask

    within = span(start, end, request.settings.timezone)
    with source(request) as asked:
        tell(request, asked, ask(asked.view, pipeline=pipeline, kind=kind, by=by, span=within), draw_funnel)


def draw_funnel(found: Funnel, view: View) -> None:
    from adapters.cli.render import Column, count, days, draw, head, percent, purse, say, text

    head(f"Funnel of {found.pipeline} ({found.view})", view)
    say(
        f"{counted(found.deals, 'deal')} of {counted(found.leads, 'lead')}: {found.open:,} open, "
        f"{found.won:,} won, {found.lost:,} lost · won {purse(found.won_amount)}"
    )
    say(f"win rate of closed {percent(found.win_rate_closed)}, of all {percent(found.win_rate_all)}")
    draw(
        [
            Column("stage", lambda one: one.stage),
            Column("reached", lambda one: count(one.reached), number=True),
            Column("now in", lambda one: count(one.current), number=True),
            Column("lost", lambda one: count(one.lost), number=True),
            Column("goes on", lambda one: percent(one.conversion), number=True),
            Column("median days", lambda one: days(one.median_days), number=True),
            Column("p90 days", lambda one: days(one.p90_days), number=True),
        ],
        found.stages,
    )
    if found.loss_reasons:
        say("Lost for: " + ", ".join(f"{reason} {deals:,}" for reason, deals in found.loss_reasons.items()))
    if isinstance(found, FunnelBy):
        draw(
            [
                Column("", lambda one: text(one.key)),
                Column("deals", lambda one: count(one.deals), number=True),
                Column("open", lambda one: count(one.open), number=True),
                Column("won", lambda one: count(one.won), number=True),
                Column("lost", lambda one: count(one.lost), number=True),
                Column("of closed", lambda one: percent(one.win_rate_closed), number=True),
                Column("won amount", lambda one: purse(one.won_amount, "\n"), number=True),
            ],
            found.groups,
            "No deals in this range.",
        )


@PIPELINE
@BY
@click.option("--outcome", type=click.Choice(["won", "lost", "closed"]), default="won", show_default=True)
@click.option(
    "--since",
    type=click.Choice(["deal", "lead"]),
    default="deal",
    show_default=True,
    help="Count from the deal's opening, or from its lead's registration.",
)
def _cycle_time(request: Request, pipeline: str, by: Dimension | None, outcome: Any, since: Any) -> None:
    """How long deals take from opening to close, beside the median that counts open ones as unfinished."""
    from projections.cycle_time import cycle_time as ask

    with source(request) as asked:
        found = ask(asked.view, pipeline=pipeline, by=by, outcome=outcome, since=since)
        tell(request, asked, found, draw_cycle_time)


def draw_cycle_time(found: CycleTime, view: View) -> None:
    from adapters.cli.render import Column, count, days, draw, head, say, text

    head(f"Cycle time of {found.pipeline}: {found.outcome} deals, since the {found.since}, in days", view)
    draw(
        [
            Column("", lambda one: "all" if one.key is None and len(found.groups) == 1 else text(one.key)),
            Column("n", lambda one: count(one.n), number=True),
            Column("mean", lambda one: days(one.mean_days), number=True),
            Column("median", lambda one: days(one.median_days), number=True),
            Column("p90", lambda one: days(one.p90_days), number=True),
            Column("min", lambda one: days(one.min_days), number=True),
            Column("max", lambda one: days(one.max_days), number=True),
            Column("with open", lambda one: days(one.censored_median_days), number=True),
            Column("at risk", lambda one: count(one.at_risk), number=True),
        ],
        found.groups,
        "No deals closed so far.",
    )
    if found.groups:
        say('"with open": the median when deals not ended so count as lasting on from now (Kaplan-Meier).')
    if negative := sum(one.negative for one in found.groups):
        say(f"{negative:,} closed before they began: the source's dates are wrong.")


@click.argument("lead")
def _owner(request: Request, lead: str) -> None:
    """Whose a lead is, since when and by which event, and whose it was before."""
    from projections.owner import owner as ask

    with source(request) as asked:
        tell(request, asked, ask(asked.view, lead=lead), draw_owner)


def draw_owner(found: Owner, view: View) -> None:
    from adapters.cli.render import Column, count, draw, head, moment, say, text

    head(f"Owner of {found.lead}", view)
    if found.asked != found.lead:
        say(f"{found.asked} is the same customer: {found.lead} stands for it.")
    since = f"since {moment(found.since, view)}, by event {found.by_position:,}"
    if found.owner is None:
        say(f"Nobody's {since}; the lead is {found.status}.")
    else:
        say(f"{found.owner}'s {since}, until {moment(found.expires_at, view)} unless worked; {found.status}.")
    draw(
        [
            Column("since", lambda one: moment(one.since, view)),
            Column("owner", lambda one: text(one.owner)),
            Column("event", lambda one: one.event.split(".")[-1] + ("" if one.written else " (due)")),
            Column("at", lambda one: count(one.position), number=True),
            Column("by", lambda one: text(one.actor)),
            Column("reason", lambda one: text(one.reason)),
        ],
        found.history,
    )


@click.option("--rep", required=True, metavar="R", help="The rep asked about.")
def _scorecard(request: Request, rep: str) -> None:
    """A rep's figures beside the team's median and best."""
    from projections.scorecard import scorecard as ask

    with source(request) as asked:
        tell(request, asked, ask(asked.view, rep=rep), draw_scorecard)


def draw_scorecard(found: Scorecard, view: View) -> None:
    from adapters.cli.render import Column, draw, head, number, percent, purse, say

    head(f"Scorecard of {found.name}" + (f" ({found.rep})" if found.rep != found.name else ""), view)
    say(f"Beside {counted(len(found.team), 'rep')} {f'of {found.manager}' if found.manager else 'in all'}.")
    rows: list[tuple[str, ...]] = [
        (name.replace("_", " "), show(one.rep), show(one.team_median), show(one.team_best))
        for name, one in found.figures.items()
        for show in [percent if name.startswith("win_rate") else number]
    ]
    won = found.won_amount
    rows.append(("won amount", *(purse(one, "\n") for one in (won.rep, won.team_median, won.team_best))))
    draw(
        [
            Column("", lambda one: one[0]),
            Column("rep", lambda one: one[1], number=True),
            Column("team median", lambda one: one[2], number=True),
            Column("team best", lambda one: one[3], number=True),
        ],
        rows,
    )


funnel = report("funnel", "deals", "leads", "pipelines", "team")(_funnel)
cycle_time = report("cycle-time", "deals", "leads", "pipelines", "team")(_cycle_time)
owner = report("owner", "leads")(_owner)
scorecard = report("scorecard", "deals", "leads", "next_steps", "contacts", "team")(_scorecard)
