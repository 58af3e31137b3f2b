"""Connections to PostgreSQL: a postgresql:// URL in, pooled autocommit connections with tuple rows out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow, dict_row, tuple_row

RECONNECT_SECONDS = 2.0
"""How long the pool tries to connect before it begins anew: its pauses double meanwhile, up to minutes."""
APP = "dealtrail_app"
"""The role of everyday work: it can append to the log and keep the read tables, and change nothing else."""
_APP_IS_OURS = (
    f"pg_has_role(session_user, to_regrole('{APP}'),"
    " CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)"
)
_APP_IS_SET_UP = (  # Roles are the server's: another database of it may be older, or a copy without rights.
    f"has_database_privilege(to_regrole('{APP}'), current_database(), 'CREATE')"
    f" AND has_schema_privilege(to_regrole('{APP}'), to_regnamespace('log'), 'USAGE')"
)
ACT_AS_APP = (
    f"SELECT current_user, set_config('role', '{APP}', false) WHERE {_APP_IS_OURS} AND {_APP_IS_SET_UP}"
)
"""Give up the rights of whoever connected for those of the application's role, where there is one for us.

Gives a row if so: who we acted as before, and the role.
"""
APP_WAITS = f"SELECT WHERE {_APP_IS_OURS} AND ({_APP_IS_SET_UP}) IS NOT TRUE"
"""A row if we could act as the application's role, but it has no rights in this database."""
_ON_CONNECT = (
    # First: who may make schemas can name one as the login, with functions in it that suit calls better.
    "SET search_path = pg_catalog; SET timezone = 'UTC'; SET idle_in_transaction_session_timeout = 0;"
    f" {ACT_AS_APP}"
)
"""What is to be said first on every connection."""


class Datastore(PostgresDatastore):
    """The library's pool, told everything that the URL says: sockets, TLS, options and the like."""

    def __init__(self, url: str, *, pool_max: int, application_name: str) -> None:
        where: dict[str, Any] = {"application_name": application_name, **conninfo_to_dict(url)}
        names = ("dbname", "host", "port", "user", "password")
        given = {name: str(where.pop(name, None) or "") for name in names}
        super().__init__(
            given["dbname"],
            given["host"],
            given["port"],
            given["user"],
            given["password"],
            schema="log",
            originator_id_type="text",
            pool_size=1,
            max_overflow=pool_max - 1,
            connect_timeout=30,
        )
        self.pool.reconnect_timeout = RECONNECT_SECONDS
        settings = cast(dict[str, Any], self.pool.kwargs)
        for name, value in given.items():
            if not value:  # Left to libpq's defaults and environment.
                del settings[name]
        settings.update(where)

    def after_connect_func(self) -> Callable[[Connection[Any]], None]:
        def after_connect(connection: Connection[Any]) -> None:
            connection.autocommit = True
            connection.execute(_ON_CONNECT)

        return after_connect


class Database:
    """A PostgreSQL database. Opens lazily; not to be used across a fork: make a new one in the child."""

    def __init__(self, url: str, *, pool_max: int = 16, application_name: str = "dealtrail") -> None:
        """`url` is anything libpq understands: postgresql://… with sockets and query options."""
        self.url = url
        self.datastore = Datastore(url, pool_max=pool_max, application_name=application_name)

    @contextmanager
    def connection(self) -> Iterator[Connection[TupleRow]]:
        """A connection in autocommit mode giving tuples, then back in the pool. Raises psycopg.Error."""
        pool = self.datastore.pool
        pool.open(wait=False)
        with pool.connection() as pooled:
            connection = cast(Connection[TupleRow], pooled)
            connection.row_factory = tuple_row
            try:
                yield connection
            finally:
                pooled.row_factory = dict_row  # What the library's own recorders expect.

    @contextmanager
    def apart(self, seconds: int) -> Iterator[Connection[TupleRow]]:
        """A connection that is not of the pool, whose own may all be waiting for the database to come back.

        Raises psycopg.OperationalError if there is none within so many seconds.
        """
        with psycopg.connect(self.url, connect_timeout=seconds, autocommit=True) as connection:
            connection.execute(_ON_CONNECT)
            yield connection

    def forget_broken(self) -> None:
        """Drop idle connections that the server has ended, as after a restart."""
        self.datastore.pool.check()

    def renew(self) -> None:
        """Let every connection go once it isn't used; new ones get the rights that there are now."""
        self.datastore.pool.drain()

    def close(self) -> None:
        """Close every connection."""
        self.datastore.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
