"""The worker that takes actions in from Kafka, and what sends refused ones again."""

import json
import time

import click

from adapters.cli.asking import opened, refusing
from adapters.cli.publish import must_have_kafka
from adapters.cli.stopping import working
from adapters.reading import moments
from adapters.settings import read_settings


@click.group("ingest", invoke_without_command=True)
@click.option("--once", is_flag=True, help="Take in what is there and end, instead of waiting for more.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.pass_context
def ingest(context: click.Context, once: bool, as_json: bool) -> None:
    """Take actions in from Kafka until interrupted; any number may do it at once.

    What is refused goes to the dead-letter topic, with the error and where it came from.
    """
    if context.invoked_subcommand is not None:
        return
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        must_have_kafka(parts)
        topic, began = parts.actions_topic, time.monotonic()
        with working(parts) as stop:
            if once:
                topic.catch_up(stop)
            else:
                click.echo(f"Taking actions in from {topic.name}. Ctrl-C ends it.", err=True)
                topic.follow(stop)
        seconds = round(time.monotonic() - began, 3)
        if as_json:
            click.echo(json.dumps({**topic.counts, "topic": topic.name, "seconds": seconds}))
        else:
            told = ", ".join(f"{count:,} {what}" for what, count in topic.counts.items())
            click.echo(f"From {topic.name}: {told}; {seconds:.1f} s.")


@ingest.command("redrive")
@click.option("--code", metavar="CODE", help="Only what was refused with this error code.")
@click.option("--since", metavar="WHEN", help="Only what was refused since then: a date or a moment.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="So many at most, the first ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def redrive(code: str | None, since: str | None, limit: int | None, as_json: bool) -> None:
    """Send dead letters to the actions topic again, as they came, once what was wrong is put right."""
    settings = read_settings()
    with refusing(as_json=as_json), opened(settings) as parts:
        must_have_kafka(parts)
        moment = None if since is None else moments.start(since, settings.timezone)
        count = parts.dead_letters.redrive(code=code, since=moment, limit=limit)
        if as_json:
            click.echo(json.dumps({"redriven": count}))
        else:
            click.echo(f"{count:,} sent again.")
