"""How every worker is ended: by SIGTERM or Ctrl-C, after what it is at."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from adapters.observing.lines import RequestLines
from adapters.observing.work import unwatch, watch

if TYPE_CHECKING:
    from adapters.wiring import Engine

_ENDING = (signal.SIGINT, signal.SIGTERM)


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
    """As `stopping`; meanwhile requests are logged, metrics served if a port is set. Raises BadSetting."""
    lines = RequestLines()
    with ExitStack() as stack:
        watch(lines)
        stack.callback(unwatch, lines)
        if parts.settings.metrics_port is not None:
            from adapters.observing.metrics import serving

            stack.enter_context(serving(parts.database, parts.settings.metrics_port))
        yield stack.enter_context(stopping(*told))


def _restore(handlers: "dict[signal.Signals, signal._HANDLER]") -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
