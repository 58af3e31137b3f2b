"""A real PostgreSQL for the tests: one server per session and worker, a fresh database per test."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import cast

import psycopg
import pytest
from hypothesis import settings
from kafka_broker import Broker, NoBroker

from adapters.audit.keys import make_keys
from adapters.postgres import embedded as embedding
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.store import PostgresStore

# Tests kill clients and backends, never the machine, so nothing here depends on fsync; without it a clone of
# the template takes milliseconds.
QUICK = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
_numbers = count(1)

# A stranger's submission must not fail by chance: CI tries the same examples each time, everyone else others.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Another PostgreSQL than the embedded one: the folder of its programs. Before 17 it has no locale of its own.
if os.environ.get("DEALTRAIL_TEST_POSTGRES"):
    embedding._binaries = lambda: Path(os.environ["DEALTRAIL_TEST_POSTGRES"]).resolve()
    embedding.LOCALE = ("--encoding=UTF8", "--locale=C.UTF-8")


@pytest.fixture(scope="session")
def server() -> Iterator[Embedded]:
    """The session's own embedded server, in a directory that goes with it. Under xdist one per worker."""
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        embedded = Embedded(Path(folder), QUICK).start()
        try:
            yield embedded
        finally:
            embedded.stop()


@pytest.fixture(scope="module")
def port() -> int:
    """A free one, for `tcp_server`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


@pytest.fixture(scope="module")
def tcp_server(port: int) -> Iterator[Embedded]:
    """A server of the module's own that listens on loopback too, at `port`."""
    settings = {"fsync": "off", "listen_addresses": "127.0.0.1", "port": str(port)}
    with tempfile.TemporaryDirectory(prefix="dealtrail-") as folder:
        embedded = Embedded(Path(folder), settings).start()
        try:
            yield embedded
        finally:
            embedded.stop()


@pytest.fixture(scope="session", autouse=True)
def audit_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The key that signs what the command line closes: never the user's own."""
    file = tmp_path_factory.mktemp("keys") / "audit.key"
    make_keys(file, "example.com/tests")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DEALTRAIL_AUDIT_KEY", str(file))
        yield file


@pytest.fixture(scope="session")
def template(server: Embedded) -> str:
    """The name of a migrated database that is only ever copied."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE template_dealtrail")
    with Database(server.url("template_dealtrail")) as database:
        migrate(database)
    return "template_dealtrail"


@pytest.fixture
def database_url(server: Embedded, template: str) -> Iterator[str]:
    """A migrated database of the test's own, empty, dropped afterwards."""
    with _clone(server, template) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, with connections to it."""
    with Database(database_url) as database:
        yield database


@pytest.fixture
def store(database: Database) -> Iterator[PostgresStore]:
    """Its log."""
    store = PostgresStore(database)
    yield store
    store.close()


@pytest.fixture(scope="module")
def module_database_url(server: Embedded, template: str) -> Iterator[str]:
    """One for all tests and examples of a module."""
    with _clone(server, template) as url:
        yield url


@pytest.fixture
def other_database_url(server: Embedded, template: str) -> Iterator[str]:
    """Another one, to compare with."""
    with _clone(server, template) as url:
        yield url


@pytest.fixture
def empty_database_url(server: Embedded) -> Iterator[str]:
    """A database that nobody migrated."""
    name = f"empty_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield server.url(name)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session", autouse=True)
def given_kafka() -> Iterator[str | None]:
    """The broker that the environment names, which then only tests that ask for it know of."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        yield given


@pytest.fixture(scope="session")
def _broker() -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="dealtrail-kafka-", ignore_cleanup_errors=True) as folder:
        try:
            broker = Broker(Path(folder))
        except NoBroker as missing:
            pytest.skip(str(missing))
        try:
            yield broker
        finally:
            broker.kill()


@pytest.fixture
def broker(_broker: Broker) -> Broker:
    """A Kafka broker of the session's own, which runs and may be stopped; slow for the first who asks."""
    _broker.start()
    return _broker


@pytest.fixture
def kafka(given_kafka: str | None, request: pytest.FixtureRequest) -> str:
    """Kafka's host:port, for tests that don't stop it: that of the environment, or the session's own."""
    return given_kafka or cast(Broker, request.getfixturevalue("broker")).bootstrap


@contextmanager
def _clone(server: Embedded, template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        admin.execute(f'GRANT CREATE ON DATABASE "{name}" TO dealtrail_app')  # No copy has that by itself.
        try:
            yield server.url(name)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
