"""Numbered SQL files, each applied once."""

from collections.abc import Iterable
from pathlib import Path

from psycopg import Connection
from psycopg.errors import UndefinedTable
from psycopg.rows import TupleRow

from adapters.postgres.database import Database

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6465616C  # "deal": one process migrates, the others wait and then find it done.


class DatabaseNewer(Exception):  # noqa: N818 - named for what happened
    """The database was migrated by a newer version of Dealtrail than this one."""


def migrate(database: Database) -> list[str]:
    """Apply what is missing, all or nothing, and give the names applied. Raises DatabaseNewer.

    Any number of processes may start at once. With nothing to do it costs one small query.
    """
    files = {int(path.name.split("_", 1)[0]): path for path in sorted(FOLDER.glob("[0-9]*.sql"))}
    with database.connection() as connection:
        if not _missing(connection, files):
            return []
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
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
    return [files[number].stem for number in missing]


def _missing(connection: Connection[TupleRow], known: Iterable[int]) -> list[int]:
    try:
        applied = {number for (number,) in connection.execute("SELECT number FROM log.migration")}
    except UndefinedTable:
        return sorted(known)
    if unknown := applied.difference(known):
        raise DatabaseNewer(f"the database has migration {max(unknown)}, which this version does not know")
    return sorted(set(known) - applied)
