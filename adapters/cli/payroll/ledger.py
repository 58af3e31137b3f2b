"""The log as a payroll command was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adapters.cli.asking import Request, Stopped, opened, past
from adapters.reading.ledger import Ledger, ledger_at

if TYPE_CHECKING:
    from adapters.wiring import Engine


@contextmanager
def ledger(request: Request) -> Iterator[Ledger]:
    """The log as asked for. Raises Stopped."""
    from services.ports import EmptyLog

    with opened(request.settings) as parts:
        try:
            yield ledger_of(request, parts)
        except EmptyLog:
            raise Stopped("nothing_recorded", "Nothing is recorded yet.") from None


def ledger_of(request: Request, parts: "Engine") -> Ledger:
    """The same over a database that is open."""
    return ledger_at(parts, *past(request), request.axis)
