"""Log lines on stderr, as JSON or for a console. structlog, slow to import, is fetched for the first line."""

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import TracebackType
from typing import Any, Literal

_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default={})  # noqa: B039 - never changed in place
_MAP = logging.getLevelNamesMapping()


class _Shape:
    """How lines look and which are shown, for the whole process."""

    look: Literal["json", "console"] = "console"
    level: int = logging.WARNING


class Logger:
    """Says what happened: an event's name in words joined by underscores, and facts by name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **facts: Any) -> None:
        say(self._name, logging.DEBUG, event, facts)

    def info(self, event: str, **facts: Any) -> None:
        say(self._name, logging.INFO, event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        say(self._name, logging.WARNING, event, facts)

    def error(self, event: str, **facts: Any) -> None:
        say(self._name, logging.ERROR, event, facts)


_logger = Logger(__name__)


def configure(look: Literal["json", "console"], level: str) -> None:
    """Set how lines look and the least severe level shown; lines of libraries take the same way.

    So do warnings and, as JSON, what nobody caught.

    May be called again, with another look or level. Until it is called: console, WARNING.
    """
    _Shape.look, _Shape.level = look, _MAP[level]
    _configured.cache_clear()
    root = logging.getLogger()
    root.setLevel(_Shape.level)
    if not any(isinstance(handler, _FromLibraries) for handler in root.handlers):
        root.addHandler(_FromLibraries())
    logging.captureWarnings(True)
    sys.excepthook = _uncaught if look == "json" else sys.__excepthook__


@contextmanager
def bound(**facts: Any) -> Iterator[None]:
    """These facts are in every line that is said within, in this thread or task: a request's id, say."""
    token = _bound.set({**_bound.get(), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


def shows(level: int) -> bool:
    """Whether lines of this level are shown: for whoever would have to gather facts for many."""
    return level >= _Shape.level


def say(name: str, level: int, event: str, facts: dict[str, Any]) -> None:
    """Write one line, unless its level is below what is shown."""
    if level >= _Shape.level:
        _configured()
        import structlog

        structlog.get_logger().bind(logger=name).log(level, event, **{**_bound.get(), **facts})


class _FromLibraries(logging.Handler):
    """What libraries say by the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info and record.exc_info[0] is not None
        facts = {"exception": logging.Formatter().formatException(record.exc_info)} if failed else {}  # type: ignore[arg-type]
        say(record.name, record.levelno, record.getMessage(), facts)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _logger.error("command_failed", exception="".join(traceback.format_exception(kind, error, trace)))


@cache
def _configured() -> None:
    import structlog

    last: Any = structlog.processors.JSONRenderer(default=str)
    if _Shape.look == "console":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_Shape.level),
        # Asked each time: whoever replaces sys.stderr for a while gets the lines said meanwhile.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
