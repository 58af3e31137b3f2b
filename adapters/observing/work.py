"""Pieces of work, told to whoever watches this process. Nobody does until metrics or traces are asked for."""

import time
from types import TracebackType
from typing import Any, Protocol


class Work:
    """`with Work("append", units=3) as work:`. Told to the watchers as it begins and as it ends.

    `facts` may be added to until the end; `seconds` and `error` are known then. Costs a microsecond or so
    if nobody watches.
    """

    __slots__ = ("began", "error", "facts", "kept", "name", "seconds")

    def __init__(self, name: str, **facts: Any) -> None:
        self.name = name
        self.facts = facts
        self.error: BaseException | None = None
        self.kept: dict[Watcher, Any] = {}
        """What a watcher keeps from the beginning to the end."""

    def __enter__(self) -> "Work":
        for watcher in _watchers:
            watcher.begun(self)
        self.began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self.began
        self.error = error
        for watcher in reversed(_watchers):
            watcher.ended(self)


class Watcher(Protocol):
    """Hears of all work of the process, from many threads. It must be quick, and raise nothing."""

    def begun(self, work: Work) -> None:
        """Before it; in the same thread and context as `ended`."""

    def ended(self, work: Work) -> None:
        """After it, however it ended."""


_watchers: tuple[Watcher, ...] = ()


def tell(name: str, **facts: Any) -> None:
    """Tell the watchers what is so: it ends without having begun, so no trace has it."""
    work = Work(name, **facts)
    work.seconds = 0.0
    for watcher in _watchers:
        watcher.ended(work)


def watch(watcher: Watcher) -> None:
    """From now on."""
    global _watchers
    _watchers = (*_watchers, watcher)


def unwatch(watcher: Watcher) -> None:
    """No more."""
    global _watchers
    _watchers = tuple(each for each in _watchers if each is not watcher)
