"""The workers: project keeps the read tables up with the log, rebuild builds them anew."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import REFUSED, Stopped, opened, progress, refusing
from adapters.cli.publish import must_have_kafka
from adapters.cli.stopping import working
from adapters.logging import Logger
from adapters.settings import read_settings
from domain.kernel import Rejected
from projections.kernel import Failure

if TYPE_CHECKING:
    from adapters.audit.schedule import SealSchedule
    from adapters.wiring import Engine

UPKEEP_SECONDS = 60.0
SEALING_SECONDS = 5.0
"""From one look at what is to be sealed or published to the next."""

_logger = Logger(__name__)


@click.command("project")
@click.option("--once", is_flag=True, help="Catch up and end, instead of following the log.")
@click.option("--from-kafka", is_flag=True, help="Follow the events topic, and share it with others who do.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def project(once: bool, from_kafka: bool, as_json: bool) -> None:
    """Keep the read tables up with the log, write down lapsed claims and seal, until interrupted."""
    if once and from_kafka:
        raise click.UsageError("--once reads the log itself, so there is nothing --from-kafka.")
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        if from_kafka:
            must_have_kafka(parts)
        started = time.monotonic()
        if once:
            with progress("catching up") as counted:
                _keep_up_once(parts)
                failures = parts.projector.catch_up(progress=counted)
            _seal_once(parts)
            _publish_once(parts)
            position: int | None = parts.store.head()
        else:
            with working(parts) as stop:
                what = parts.events_reader.name if from_kafka else "the log"
                click.echo(f"Following {what}. Ctrl-C ends it.", err=True)
                _follow(parts, parts.events_reader.follow if from_kafka else parts.projector.follow, stop)
                failures = []
                position = _head_unless_away(parts)
        if position is not None:
            _report(position, failures, time.monotonic() - started, as_json=as_json)


def _follow(parts: "Engine", projecting: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Until told to stop, beside what else is to be seen to."""
    from adapters.audit.schedule import SealSchedule

    sealing = partial(_seal, SealSchedule.of(parts))
    beside = [
        threading.Thread(target=_keep_at, args=(work, tell, stop, seconds), name=name)
        for name, work, tell, seconds in (
            ("lapses", parts.intake().keep_up, _not_kept_up, UPKEEP_SECONDS),
            ("seals", sealing, _not_sealed, SEALING_SECONDS),
            ("checkpoints", parts.publish, _not_published, SEALING_SECONDS),
        )
    ]
    for each in beside:
        each.start()
    try:
        projecting(stop)
    finally:
        stop.set()  # Whatever it ended by: those beside it would keep the process for ever.
        for each in beside:
            each.join()


def _head_unless_away(parts: "Engine") -> int | None:
    """A worker that was told to end has done what it could, with a database or without."""
    from psycopg import OperationalError

    try:
        return parts.store.head()
    except OperationalError:
        click.echo("The database is away.", err=True)
        return None


def _keep_up_once(parts: "Engine") -> None:
    """Tables that can't be built stand in its way; whoever catches up next says so."""
    from adapters.postgres.projecting.as_of import NotBuilt

    try:
        parts.intake().keep_up()
    except NotBuilt as error:
        _not_kept_up(str(error))


def _seal_once(parts: "Engine") -> None:
    """Whoever has no key seals nothing."""
    from adapters.audit.keys import is_there
    from adapters.audit.schedule import SealSchedule

    if is_there(parts.settings.audit_key):
        with progress("hashing") as counted:
            SealSchedule.of(parts).look(counted, early=True)


def _publish_once(parts: "Engine") -> None:
    """A broker that is away fails nothing else: the next to publish has it all to do."""
    from adapters.kafka.connecting import KafkaAway

    try:
        while parts.publish():
            pass
    except KafkaAway as away:
        _not_published(str(away))


def _not_sealed(why: str) -> None:
    _logger.warning("not_sealed", error=why)


def _not_published(why: str) -> None:
    _logger.warning("not_published", error=why)


def _seal(schedule: "SealSchedule") -> None:
    if (sealed := schedule.look()) is not None:
        _logger.info("sealed", size=sealed.size, number=sealed.number)


def _not_kept_up(why: str) -> None:
    _logger.warning("lapses_not_written", error=why)


def _keep_at(
    work: Callable[[], object], tell: Callable[[str], None], stop: threading.Event, seconds: float
) -> None:
    """Until told to stop, every so many seconds. What stands in the way is told once, not every time."""
    from psycopg import Error

    from adapters.kafka.connecting import KafkaAway
    from adapters.postgres.projecting.as_of import NotBuilt

    said = ""
    while not stop.is_set():
        try:
            work()
            said = ""
        except (Rejected, Error, KafkaAway, NotBuilt) as error:
            why = error.message if isinstance(error, Rejected) else str(error).strip()
            if why != said:
                tell(why)
            said = why
        stop.wait(seconds)


@click.command("rebuild")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def rebuild(names: Sequence[str], as_json: bool) -> None:
    """Build read tables anew from the log beside the live ones, and swap them in. Default: all of them."""
    with refusing(as_json=as_json), opened(read_settings()) as parts:
        started = time.monotonic()
        try:
            with progress("rebuilding") as counted:
                failures = parts.projector.rebuild(names or None, progress=counted)
        except LookupError as unknown:
            raise Stopped("unknown_projection", f"There is {unknown.args[0]}.", names=list(names)) from None
        _report(parts.store.head(), failures, time.monotonic() - started, as_json=as_json)


def _report(position: int, failures: Sequence[Failure], seconds: float, *, as_json: bool) -> None:
    for failure in failures:
        click.echo(
            f"{failure.projection} stopped at position {failure.position} ({failure.event}): {failure.error}",
            err=True,
        )
    if as_json:
        stopped = [
            {
                "projection": failure.projection,
                "position": failure.position,
                "event": failure.event,
                "error": failure.error,
            }
            for failure in failures
        ]
        click.echo(json.dumps({"position": position, "seconds": seconds, "stopped": stopped}))
    else:
        click.echo(f"The log's {position:,} events are counted in; {seconds:.1f} s.")
    if failures:
        raise click.exceptions.Exit(REFUSED)
