"""How every worker is ended: by SIGTERM or Ctrl-C, after what it is at."""

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from adapters.cli.asking import REFUSED
from adapters.logging import Logger
from adapters.observing.lines import RequestLines
from adapters.observing.work import unwatch, watch

if TYPE_CHECKING:
    from adapters.postgres.database import Database
    from adapters.wiring import Engine

LOOK_SECONDS, CONNECT_SECONDS = 1, 2
_ENDING = (signal.SIGINT, signal.SIGTERM)
_logger = Logger(__name__)


@contextmanager
def stopping(*told: Callable[[], None]) -> Iterator[threading.Event]:
    """An event that the first SIGTERM or SIGINT sets; `told` are called then, in the main thread.

    The second signal ends the process at once, as if nobody listened.
    """
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in _ENDING}

    def end(_signal: int, _frame: FrameType | None) -> None:
        _restore(before)
        stop.set()
        for each in told:
            each()

    for number in _ENDING:
        signal.signal(number, end)
    try:
        yield stop
    finally:
        _restore(before)


@contextmanager
def working(parts: "Engine", *told: Callable[[], None]) -> Iterator[threading.Event]:
    """As `stopping`; meanwhile requests are logged, metrics served if a port is set. Raises BadSetting.

    A thread that fails ends the process as a signal would, but with exit code 1: better anew than by half.
    """
    lines = RequestLines()
    with ExitStack() as stack:
        watch(lines)
        stack.callback(unwatch, lines)
        if parts.settings.metrics_port is not None:
            from adapters.observing.metrics import serving

            stack.enter_context(serving(parts.database, parts.settings.metrics_port))
        stop = stack.enter_context(stopping(*told))
        stack.enter_context(_ending_with_threads(stop, *told))
        stack.enter_context(_waiting_for_none(parts.database, stop))
        yield stop


@contextmanager
def _ending_with_threads(stop: threading.Event, *told: Callable[[], None]) -> Iterator[None]:
    """A thread that fails sets the event, too. Raises Exit at the end then."""
    failed = False
    before = threading.excepthook

    def end(what: threading.ExceptHookArgs) -> None:
        nonlocal failed
        failed = True
        said = "".join(traceback.format_exception(what.exc_type, what.exc_value, what.exc_traceback))
        _logger.error("thread_failed", thread=what.thread and what.thread.name, exception=said)
        stop.set()
        for each in told:
            each()

    threading.excepthook = end
    try:
        yield
    finally:
        threading.excepthook = before
    if failed:
        raise click.exceptions.Exit(REFUSED)


@contextmanager
def _waiting_for_none(database: "Database", stop: threading.Event) -> Iterator[None]:
    """Once it is to stop, close a database that is away: else each thread waits for it by half minutes."""
    done = threading.Event()

    def look() -> None:
        from psycopg import OperationalError

        stop.wait()
        while not done.wait(LOOK_SECONDS):
            try:
                with database.apart(CONNECT_SECONDS):
                    pass
            except OperationalError:
                database.close()
                return

    looking = threading.Thread(target=look, name="ending")
    looking.start()
    try:
        yield
    finally:
        done.set()
        stop.set()
        looking.join()


def _restore(handlers: "dict[signal.Signals, signal._HANDLER]") -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
