"""What all reports have in common: their options, the view they read from, how they answer and refuse."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import click

from adapters.reading import moments
from adapters.reading.source import Source
from adapters.settings import BadSetting, Settings, read_settings
from domain.kernel import Rejected
from projections.asking import Axis, View, answer
from projections.kernel import Failure, Progress

if TYPE_CHECKING:
    from adapters.wiring import Engine

REFUSED, USAGE = 1, 2
SLOW_SECONDS = 0.7
CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of any report: as JSON or for people, as of when, on which axis of time.

    `reads` names the projections that the report needs: a past is folded for these alone. `at` is a position
    and a moment that were worked out already, `hear` gets what was found instead of the terminal.
    """

    settings: Settings
    as_json: bool
    as_of: str | None
    axis: Axis
    reads: tuple[str, ...]
    at: tuple[int | None, datetime | None] | None = None
    hear: "Callable[[Source, Any], None] | None" = None


Command = Callable[..., None]
"""Called with the Request first, and the command's own options by name."""

Instead = Callable[..., None]
"""Called with a report's function, its Request and its own options, where a context's `obj` says so."""


class Report(click.Command):
    """A command that only asks. It may be asked by another one, see `Instead`."""


def report(name: str, *reads: str) -> Callable[[Command], click.Command]:
    """A command with the options of every report; its function gets a Request and its own options.

    `reads` are the projections whose tables it asks.
    """

    def decorate(function: Command) -> click.Command:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
        @click.option(
            "--as-of",
            metavar="WHEN",
            help="As it was then: a date (its end), a moment, or a position (#4711).",
        )
        @click.option(
            "--axis",
            type=click.Choice(["recorded", "occurred"]),
            default="recorded",
            show_default=True,
            help="What the system knew by then, or what had happened by then as known now.",
        )
        @wraps(function)
        def command(as_json: bool, as_of: str | None, axis: Axis, **options: Any) -> None:
            with refusing(as_json=as_json):
                request = Request(read_settings(), as_json, as_of, axis, reads)
                instead: Instead | None = click.get_current_context().obj
                if instead is None:
                    function(request, **options)
                else:
                    instead(function, request, options)

        return click.command(name, cls=Report, help=function.__doc__)(command)

    return decorate


@contextmanager
def refusing(*, as_json: bool) -> Iterator[None]:
    """Turns what goes wrong into a sentence on stderr, with JSON also the error object, and an exit code."""
    try:
        yield
    except Rejected as rejected:
        from services.answers import error_object

        _refuse(error_object(rejected), as_json=as_json)
    except moments.BadMoment as bad:
        raise click.BadParameter(str(bad)) from None
    except BadSetting as bad:
        _refuse({"code": "bad_setting", "message": f"{bad}.", "details": {}}, as_json=as_json, code=USAGE)
    except Stopped as stopped:
        _refuse(stopped.error, as_json=as_json)


class Stopped(Exception):  # noqa: N818 - named for what happened
    """The command can't be done; `error` is the error object."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "details": details}


def _refuse(error: dict[str, Any], *, as_json: bool, code: int = REFUSED) -> NoReturn:
    click.echo(error["message"], err=True)
    if as_json:
        click.echo(json.dumps({"error": error}, ensure_ascii=False))
    raise click.exceptions.Exit(code)


def tell(request: Request, source: Source, found: object, draw: Callable[[Any, View], None]) -> None:
    """Print the report as asked."""
    if request.hear is not None:
        request.hear(source, found)
    elif request.as_json:
        click.echo(json.dumps(answer(source.view, found), ensure_ascii=False, indent=2))
    else:
        draw(found, source.view)


@contextmanager
def source(request: Request) -> Iterator[Source]:
    """The read tables as asked for, caught up with the log before. Raises Stopped."""
    zone = request.settings.timezone
    position, moment = past(request)

    from adapters.postgres.lookups import view_of
    from adapters.postgres.projecting.as_of import AsOf, FoldStopped, NotBuilt

    try:
        with opened(request.settings) as parts:
            at = None if position is None and moment is None else AsOf(moment, position, request.axis)
            with progress("reading the log") as counted:
                failures = parts.projector.catch_up(progress=counted) if at is None else []
                for failure in failures:
                    if failure.projection in request.reads:
                        raise _stopped(failure)
                with parts.projector.snapshot(request.reads, at, counted) as snapshot:
                    view = replace(view_of(snapshot, zone.key), axis=request.axis)
                    yield Source(view, parts.store.load, parts.store.at)
    except (NotBuilt, FoldStopped) as error:
        raise Stopped("projection_stopped", f"{error}.") from None


def past(request: Request) -> tuple[int | None, datetime | None]:
    """As of which position or moment. Raises BadMoment."""
    if request.at is not None:
        return request.at
    return moments.past(request.as_of, request.axis, request.settings.timezone)


@contextmanager
def opened(settings: Settings) -> Iterator["Engine"]:
    """Everything over the database that the settings name. Raises Stopped if it, or Kafka, is away."""
    import psycopg

    from adapters.kafka.connecting import KafkaAway
    from adapters.postgres.embedded import EmbeddedFailed
    from adapters.postgres.migrate import DatabaseNewer, DatabaseOlder
    from adapters.wiring import engine

    try:
        if settings.database_url is not None:
            # The pool would try for half a minute before it says why.
            psycopg.connect(settings.database_url, connect_timeout=CONNECT_SECONDS).close()
        with engine(settings) as parts:
            yield parts
    except DatabaseNewer as error:
        raise Stopped("database_newer", f"Install a newer version: {error}.") from None
    except DatabaseOlder as error:
        raise Stopped("database_older", f"Run dealtrail migrate as the owner: {error}.") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise Stopped("not_permitted", f"The database refused it: {error.diag.message_primary}.") from None
    except EmbeddedFailed as error:
        raise Stopped("database_unavailable", f"The embedded database can't be used: {error}") from None
    except psycopg.OperationalError as error:
        raise Stopped(
            "database_unavailable", f"The database can't be reached: {str(error).strip()}"
        ) from None
    except KafkaAway as away:
        raise Stopped("kafka_unavailable", f"{away}.") from None


def _stopped(failure: Failure) -> Stopped:
    return Stopped(
        "projection_stopped",
        f"The projection {failure.projection} stopped at position {failure.position} ({failure.event}): "
        f"{failure.error}",
        projection=failure.projection,
        position=failure.position,
        event=failure.event,
    )


@contextmanager
def progress(what: str) -> Iterator[Progress | None]:
    """A bar on stderr, if that is a terminal, once the work turns out to be slow."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = _SlowBar(what)
    try:
        yield bar
    finally:
        bar.stop()


class _SlowBar:
    def __init__(self, what: str) -> None:
        self._what = what
        self._started = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._started < SLOW_SECONDS:
                return
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=total)
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self.stop()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._started = time.monotonic()
