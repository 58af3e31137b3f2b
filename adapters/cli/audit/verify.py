"""The command `audit verify`: was anything in the log changed?"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import click

from adapters.cli.asking import REFUSED, Stopped, opened, progress, refusing
from adapters.cli.audit.trusting import CHECKPOINT, JSON, KEY, trusted
from adapters.cli.wording import counted
from adapters.settings import read_settings

if TYPE_CHECKING:
    from adapters.postgres.audit.verifying import Verified
    from adapters.wiring import Engine
    from domain.audit.note import Verifier


@click.command("verify")
@CHECKPOINT
@KEY
@click.option(
    "--checkpoints-from-kafka",
    "from_kafka",
    is_flag=True,
    help="Compare with all that were published, too: those are out of reach of who can change the database.",
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes. Default: one per core.")
@JSON
def verify(
    kept: BinaryIO | None, vkeys: Sequence[str], from_kafka: bool, workers: int | None, as_json: bool
) -> None:
    """Hash every event anew; compare with the hash written with it, the tree, and all checkpoints.

    Says which event is the first that isn't right, and what was done. Exit code 1 if anything is wrong.
    """
    from adapters.postgres.audit.verifying import verify as ask

    with refusing(as_json=as_json):
        settings = read_settings()
        keys, given = trusted(settings, vkeys), None if kept is None else kept.read()
        with opened(settings) as parts, progress("hashing the log") as bar:
            began = time.monotonic()
            published = partial(_published, parts, keys) if from_kafka else tuple
            found = ask(parts.database, keys, given, published=published, workers=workers, progress=bar)
            seconds = time.monotonic() - began
    if as_json:
        click.echo(json.dumps({**asdict(found), "seconds": round(seconds, 3)}, ensure_ascii=False, indent=2))
    else:
        _draw(found, seconds)
    if found.count:
        raise click.exceptions.Exit(REFUSED)


def _published(parts: "Engine", keys: "Sequence[Verifier]") -> "Sequence[bytes]":
    """At least one. Raises Stopped."""
    topic = parts.checkpoint_topic
    if topic is None:
        raise Stopped("kafka_unavailable", "Where Kafka is must be said by KAFKA_BOOTSTRAP_SERVERS.")
    names = sorted({key.name for key in keys})
    copies = topic.copies(names)
    if not copies:
        said = (
            f"The topic {topic.name} has no checkpoint of {' or '.join(names) or 'a log whose key is known'}."
        )
        raise Stopped("nothing_published", said, topic=topic.name, names=names)
    return copies


def _draw(found: "Verified", seconds: float) -> None:
    from adapters.cli.render import Column, count, draw, say

    if found.count:
        say(f"The log of {counted(found.position, 'event')} is not what was recorded; {seconds:.1f} s.")
        draw(
            [
                Column("from", lambda one: count(one.position), number=True),
                Column("to", lambda one: count(one.upto), number=True),
                Column("", lambda one: one.problem, whole=True),
                Column("what", lambda one: one.message),
            ],
            found.items,
        )
        return
    say(f"Each of {counted(found.position, 'event')} is what was recorded, in its place; {seconds:.1f} s.")
    say(f"The root of their tree: {found.root}")
    if found.sealed:
        said = f"{counted(found.checkpoints, 'checkpoint')} looked at, the latest of"
        say(f"{said} {counted(found.sealed, 'event')}.")
        if found.published:
            say(f"{counted(found.published, 'checkpoint')} in Kafka compared.")
    else:
        say("No checkpoint vouches for it: audit seal makes one, to be kept elsewhere.")
