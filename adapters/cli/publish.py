"""The worker that publishes the log to Kafka."""

import json
import time
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import Stopped, opened, refusing
from adapters.cli.stopping import working
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.wiring import Engine


@click.command("publish")
@click.option("--once", is_flag=True, help="Publish what is there and end, instead of following the log.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def publish(once: bool, as_json: bool) -> None:
    """Publish the log's events to Kafka, in their order, until interrupted.

    One publishes at a time; others that run stand by.
    """
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        must_have_kafka(parts)
        topic, began = parts.events_topic, time.monotonic()
        with working(parts) as stop:
            if once:
                topic.catch_up(stop)
            else:
                click.echo(f"Publishing to {topic.name}. Ctrl-C ends it.", err=True)
                topic.follow(stop)
        seconds = round(time.monotonic() - began, 3)
        told = {"published": topic.published, "topic": topic.name, "seconds": seconds}
        if as_json:
            click.echo(json.dumps(told))
        else:
            click.echo(f"{topic.published:,} events published to {topic.name}; {seconds:.1f} s.")


def must_have_kafka(parts: "Engine") -> None:
    """Raises Stopped if nobody said where Kafka is."""
    if parts.settings.kafka_bootstrap_servers is None:
        raise Stopped("kafka_unavailable", "Where Kafka is must be said by KAFKA_BOOTSTRAP_SERVERS.")
