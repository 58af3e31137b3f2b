"""Which exceptions become which problems."""

from collections.abc import Sequence
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from adapters.http.problems import Problem, answer
from adapters.logging import Logger
from adapters.postgres.group_commit import Interrupted
from adapters.postgres.projecting.as_of import FoldStopped, NotBuilt
from adapters.reading.moments import BadMoment
from domain.kernel import Rejected
from services.answers import error_object
from services.ports import EmptyLog

_logger = Logger(__name__)
_OF_HTTP = {404: "not_found", 405: "method_not_allowed"}


def handle_failures(app: FastAPI) -> None:
    """Let every failure of a route be answered with a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(BadMoment, _bad_moment)
    app.add_exception_handler(EmptyLog, _empty)
    for away in (psycopg.OperationalError, psycopg.InterfaceError, Interrupted):
        app.add_exception_handler(away, _away)
    for stopped in (NotBuilt, FoldStopped):
        app.add_exception_handler(stopped, _stopped)
    app.add_exception_handler(Exception, _unforeseen)


def _said(code: str, message: str | None = None, **details: object) -> Response:
    return answer(Problem(code, message, **details).error)


async def _problem(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return answer(problem.error)


async def _rejected(_request: Request, rejected: Exception) -> Response:
    assert isinstance(rejected, Rejected)
    return answer(error_object(rejected))


async def _invalid(_request: Request, invalid: Exception) -> Response:
    assert isinstance(invalid, RequestValidationError)
    first: dict[str, Any] = invalid.errors()[0]
    field = _field(first["loc"])
    return _said("invalid_data", f"{field}: {first['msg']}.", field=field, problem=first["msg"])


def _field(place: Sequence[object]) -> str:
    """`from` for ("query", "from")."""
    return ".".join(str(part) for part in place[1:]) or str(place[0])


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code not in _OF_HTTP:
        return _said("malformed", f"This is no request that can be read: {error.detail}.")
    told = _said(_OF_HTTP[error.status_code])
    told.headers.update(error.headers or {})
    return told


async def _cut_off(_request: Request, _gone: Exception) -> Response:
    return _said("malformed", "The request ended before its body did.")  # For the log: nobody hears it.


async def _bad_moment(_request: Request, bad: Exception) -> Response:
    return _said("invalid_data", f"{bad}.", field="moment", problem=str(bad))


async def _empty(_request: Request, _error: Exception) -> Response:
    return _said("nothing_recorded", "Nothing is recorded yet.")


async def _away(_request: Request, error: Exception) -> Response:
    _logger.warning("database_away", error=str(error).strip())
    return _said("database_unavailable")


async def _stopped(_request: Request, error: Exception) -> Response:
    return _said("projection_stopped", f"{error}.")


async def _unforeseen(request: Request, error: Exception) -> Response:
    _logger.error("request_failed", method=request.method, path=request.url.path, error=repr(error))
    return _said("internal")
