"""A durable embedded server of the benchmarks' own, and databases on it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.settings import read_settings
from adapters.wiring import Engine

END = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS_PER_LEAD = 23.8
"""Of the demo's company, roughly; only sizes the log to generate."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Ground:
    """The server. Its settings are PostgreSQL's own: fsync and synchronous_commit are on."""

    server: Embedded

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"bench_{next(_numbers)}"
        with psycopg.connect(self.server.url(), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        return self.server.url(name)

    @contextmanager
    def new_engine(self) -> Iterator[Engine]:
        """Dealtrail over an empty database."""
        with Database(self.new_database(), pool_max=40) as database:
            migrate(database)
            yield Engine(read_settings({}), database)


@contextmanager
def ground() -> Iterator[Ground]:
    """The server, started in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="dealtrail-bench-") as folder:
        server = Embedded(Path(folder), {"max_connections": "200"}).start()
        try:
            yield Ground(server)
        finally:
            server.stop()


def fill(engine: Engine, leads: int) -> int:
    """Record the demo's company of so many leads; gives the events."""
    record(generate(7, leads, END), engine.intake())
    return engine.store.head()
