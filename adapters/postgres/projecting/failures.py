"""What is a projection's own fault, and how it is said."""

from psycopg import Connection
from psycopg import Error as DatabaseError
from psycopg.rows import TupleRow

from adapters.logging import Logger
from projections.kernel import Failure

_logger = Logger(__name__)


def failed(connection: Connection[TupleRow], name: str, position: int, error: Exception) -> Failure:
    row = connection.execute("SELECT topic FROM log.event WHERE notification_id = %s", (position,)).fetchone()
    return Failure(name, position, row[0] if row else "", f"{type(error).__name__}: {error}")


def report(failure: Failure) -> None:
    _logger.error(
        "projection_stopped",
        projection=failure.projection,
        position=failure.position,
        event_name=failure.event,
        error=failure.error,
    )


def is_folds_fault(error: Exception) -> bool:
    """Whether the projection or the event is to blame, rather than the database or the way to it.

    The database blames them for data, constraints, statements and limits (SQLSTATE classes 22, 23, 42, 54).
    """
    if not isinstance(error, DatabaseError):
        return True
    return error.sqlstate is not None and error.sqlstate[:2] in {"22", "23", "42", "54"}
