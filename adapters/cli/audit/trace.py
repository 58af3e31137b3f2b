"""The command `audit trace`: from a figure of a report to the events behind it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from adapters.cli.asking import REFUSED, Request
from adapters.cli.audit.asked import asked
from adapters.cli.audit.trusting import JSON
from adapters.cli.wording import counted
from adapters.reading.source import Source
from projections.asking import Listing, View, answer, as_json

if TYPE_CHECKING:
    from projections.tracing.trace import Item, Trace

SHOWN_MAX = 100
"""Items that are shown to people; --json has all."""


@click.command("trace", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@JSON
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="REPORT [OPTIONS]… FIGURE")
def trace(as_json: bool, words: Sequence[str]) -> None:
    """From a figure of a report to what counts in it, and to the events that make it count.

    REPORT and its options are as one would type them. FIGURE is its path in what the report prints with
    --json, such as won, won_amount.USD, stages.Proposal.reached, groups.rep-7.won, lines.1.amount or
    items.0; what isn't known is -, elements without a name are counted from 0. Without it the figures are
    named.

    The figure is counted again from what is listed. Exit code 1 if that comes to another value: then the
    report is wrong, or the trace. The stories of deal and lead have their events beside them already.
    """
    if not words:
        raise click.UsageError("Name a report, such as funnel, and a figure of it.")

    def instead(function: Callable[..., None], request: Request, options: Mapping[str, Any]) -> None:
        if len(report.rest) > 1:
            raise click.UsageError(f"Name one figure, not {len(report.rest)}: {' '.join(report.rest)}.")
        figure = "".join(report.rest)
        if report.name in ("payroll statement", "payroll statements"):
            from adapters.cli.audit.tracing_pay import trace_pay

            trace_pay(report.name, request, options, figure, tell)
            return

        def hear(source: Source, found: Any) -> None:
            zone = request.settings.timezone
            tell(request, source.view, trace_figure(report.name, source, found, options, figure, zone))

        function(replace(request, hear=hear), **options)

    report = asked([*words, "--json"] if as_json else words, instead, rest=True)
    report.ask()


def trace_figure(
    report: str, source: Source, found: Any, options: Mapping[str, Any], figure: str, zone: ZoneInfo
) -> "Trace":
    """The figure of what the report found with these options, in the company's zone.

    Raises UnknownFigure or NotTraced.
    """
    from adapters.reading.moments import span
    from projections.tracing import places
    from projections.tracing.cycle_time import trace_cycle_time
    from projections.tracing.funnel import trace_funnel
    from projections.tracing.lists import EVIDENCE, trace_list
    from projections.tracing.owner import trace_owner
    from projections.tracing.scorecard import trace_scorecard

    view = source.view
    if report == "cycle-time" and options["by"] is None and figure and not figure.startswith("groups"):
        figure = f"groups.{places.NOT_KNOWN}.{figure}"
    place = places.find(report, as_json(found, zone), figure)
    match report:
        case "funnel":
            asked_of = {name: options[name] for name in ("pipeline", "kind", "by")}
            range_ = span(options["start"], options["end"], zone)
            return trace_funnel(view, source, place, **asked_of, span=range_)
        case "cycle-time":
            return trace_cycle_time(view, source, place, **options)
        case "owner":
            return trace_owner(view, source, place, found)
        case "scorecard":
            return trace_scorecard(view, source, place, found)
        case _ if isinstance(found, Listing) and report in EVIDENCE:
            return trace_list(report, view, source, place, found)
    raise places.NotTraced(report=report, figure=figure)


def tell(request: Request, view: View, traced: "Trace") -> None:
    """Print it. Exits with 1 if the figure is not what its items come to."""
    if request.as_json:
        click.echo(json.dumps(answer(view, traced), ensure_ascii=False, indent=2))
    else:
        _draw(traced, view)
    if not traced.holds:
        raise click.exceptions.Exit(REFUSED)


def _draw(traced: "Trace", view: View) -> None:
    from adapters.cli.render import Column, draw, head, moment, say

    head(f"{traced.report}: {traced.figure} is {_told(traced.value)}", view)
    for sentence in traced.story:
        say(sentence)
    draw(
        [
            Column("what", lambda one: one[0], whole=True),
            Column("gives", lambda one: one[1], number=True),
            Column("event", lambda one: f"{one[2].position:,}" if one[2] else "", number=True),
            Column("occurred", lambda one: moment(one[2].occurred_at, view) if one[2] else "", whole=True),
            Column("name", lambda one: one[2].event.split(".")[-1] if one[2] else "", whole=True),
            Column("by", lambda one: one[2].actor if one[2] else ""),
        ],
        _rows(traced.items[:SHOWN_MAX]),
        "Nothing counts in it.",
    )
    if traced.count > SHOWN_MAX:
        say(f"And {counted(traced.count - SHOWN_MAX, 'item')} more: --json has them all.")
    again = _told(as_json(traced.recomputed, ZoneInfo(view.timezone)))
    if traced.holds:
        say(f"Counted again from {counted(traced.count, 'item')}: {again} ({traced.rule}).")
    else:
        say(f"WRONG: counted again from {counted(traced.count, 'item')} it is {again} ({traced.rule}).")


def _rows(items: "Iterable[Item]") -> Iterable[tuple[str, str, Any]]:
    """A line for each event; what it is about on the first of each item."""
    for item in items:
        what = f"{item.kind} {item.id}" + (f" ({item.of})" if item.of else "")
        for number, event in enumerate(item.events or (None,)):
            yield ("", "", event) if number else (what, _gives(item.value), event)


def _told(value: Any) -> str:
    """A figure in full; an item of a list by what is known of it."""
    from adapters.cli.render import text

    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items() if one is not None)
    return text(value)


def _gives(value: Any) -> str:
    from adapters.cli.render import text

    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_gives(one)}" for name, one in value.items())
    return "" if is_dataclass(value) else text(value)
