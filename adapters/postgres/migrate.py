"""Numbered SQL files, each applied once, with the rights of whoever connected."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import Connection
from psycopg.errors import Diagnostic, InsufficientPrivilege, UndefinedTable
from psycopg.rows import TupleRow

from adapters.logging import Logger
from adapters.postgres.database import ACT_AS_APP, APP, APP_WAITS, Database

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6465616C  # "deal": one process migrates, the others wait and then find it done.

_logger = Logger(__name__)


class DatabaseNewer(Exception):  # noqa: N818 - named for what happened
    """The database was migrated by a newer version of Dealtrail than this one."""


class DatabaseOlder(Exception):  # noqa: N818 - named for what happened
    """Migrations are missing, or may be, and whoever connected may not apply them."""


def migrate(database: Database) -> list[str]:
    """Apply what is missing, all or nothing, and give the names applied. Raises DatabaseNewer, DatabaseOlder.

    Any number of processes may start at once. With nothing to do it costs two small queries. What the server
    doesn't let us do for the roles is logged; the work then goes on with the rights that there are.
    """
    files = {int(path.name.split("_", 1)[0]): path for path in sorted(FOLDER.glob("[0-9]*.sql"))}
    missing: list[int] = []
    with database.connection() as connection:
        try:
            if _missing(connection, files):
                with _alone(connection):
                    missing = _apply(connection, files)
        except InsufficientPrivilege as error:
            said = error.diag.message_primary
            raise DatabaseOlder(
                f"{connection.info.user} may not migrate the database, or is not in {APP} ({said})"
            ) from None
        if not missing and connection.execute(APP_WAITS).fetchone() is not None:
            with _alone(connection):
                connection.execute("SELECT log.set_up_roles()")
        _act_as_app(database, connection)
    return [files[number].stem for number in missing]


def set_up_roles(database: Database) -> str:
    """Give the roles their rights once more, as after a restore on another server. The role acted as then."""
    with database.connection() as connection:
        with _alone(connection):
            connection.execute("SELECT log.set_up_roles()")
        _act_as_app(database, connection)
        ((role,),) = connection.execute("SELECT current_user").fetchall()
    return str(role)


@contextmanager
def _alone(connection: Connection[TupleRow]) -> Iterator[None]:
    """A transaction with the rights of the login, and nobody else migrating."""
    connection.add_notice_handler(_warned)
    try:
        with connection.transaction():
            connection.execute("SET LOCAL role = DEFAULT")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            yield
    finally:
        connection.remove_notice_handler(_warned)


def _warned(notice: Diagnostic) -> None:
    """Only of our own: PostgreSQL warns of every single right that isn't the login's to give (01007)."""
    if notice.sqlstate == "01000":
        _logger.warning("roles_not_set_up", reason=notice.message_primary)


def _act_as_app(database: Database, connection: Connection[TupleRow]) -> None:
    """Whatever connected before the role had its rights here would go on with those of the login."""
    acting = connection.execute(ACT_AS_APP).fetchone()
    if acting is not None and acting[0] != acting[1]:
        database.renew()


def _apply(connection: Connection[TupleRow], files: dict[int, Path]) -> list[int]:
    connection.execute(
        "CREATE SCHEMA IF NOT EXISTS log;"
        "CREATE TABLE IF NOT EXISTS log.migration"
        " (number integer PRIMARY KEY, name text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    missing = _missing(connection, files)
    for number in missing:
        connection.execute(files[number].read_bytes())
        connection.execute(
            "INSERT INTO log.migration (number, name) VALUES (%s, %s)", (number, files[number].stem)
        )
    return missing


def _missing(connection: Connection[TupleRow], known: Iterable[int]) -> list[int]:
    try:
        applied = {number for (number,) in connection.execute("SELECT number FROM log.migration")}
    except UndefinedTable:
        return sorted(known)
    if unknown := applied.difference(known):
        raise DatabaseNewer(f"the database has migration {max(unknown)}, which this version does not know")
    return sorted(set(known) - applied)
