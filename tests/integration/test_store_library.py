"""What we lean on in the eventsourcing library: its version, the names we use and override, its reading."""

import inspect
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.postgres.database import Database, Datastore
from adapters.postgres.recorder import LogRecorder
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound
from services.ports import Unit

NOW = datetime(2026, 10, 2, tzinfo=UTC)


def _filled(database: Database) -> PostgresStore:
    store = PostgresStore(database)
    streams = ["key-a", "key-b", "key-a"]
    units = [
        Unit([(stream, KeyBound(lead=f"L-{n}"))], {stream: n // 2}, NOW, NOW, "rep-1", "crm", f"a-{n}")
        for n, stream in enumerate(streams)
    ]
    store.append(units)
    store.close()
    return store


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("eventsourcing") == "9.5.6"


def test_the_librarys_recorder_reads_our_table(database_url: str) -> None:
    with Database(database_url) as database:
        _filled(database)
        recorder = LogRecorder(database.datastore)
        events = recorder.select_events("key-a")
        assert [(event.originator_version, event.topic, event.state) for event in events] == [
            (1, "leads.KeyBound", b'{"lead":"L-0"}'),
            (2, "leads.KeyBound", b'{"lead":"L-2"}'),
        ]
        assert [event.originator_version for event in recorder.select_events("key-a", gt=1, desc=True)] == [2]
        notifications = recorder.select_notifications(start=2, limit=10, topics=["leads.KeyBound"])
        assert [(one.id, one.originator_id) for one in notifications] == [(2, "key-b"), (3, "key-a")]
        assert recorder.max_notification_id() == 3


def test_appends_wake_the_librarys_subscribers(database_url: str) -> None:
    with Database(database_url) as database:
        recorder = LogRecorder(database.datastore)
        with recorder.subscribe(gt=0) as subscription:
            _filled(database)
            assert [next(subscription).id for _ in range(3)] == [1, 2, 3]


def test_the_librarys_own_way_in_is_closed(database_url: str) -> None:
    with Database(database_url) as database:
        recorder = LogRecorder(database.datastore)
        with pytest.raises(NotImplementedError):
            recorder.insert_events([StoredEvent("key-a", 1, "leads.KeyBound", b"{}")])
        with pytest.raises(NotImplementedError):
            recorder.create_table()


def test_the_locks_are_the_librarys(database_url: str) -> None:
    with Database(database_url) as database:
        assert LogRecorder(database.datastore).begin().split("; ") == [
            "BEGIN",
            "SET LOCAL lock_timeout = '0s'",
            'LOCK TABLE "log"."event" IN EXCLUSIVE MODE',
            'NOTIFY "event"',
        ]


def test_what_we_override_is_still_there_and_called_as_we_expect() -> None:
    assert list(inspect.signature(PostgresDatastore.after_connect_func).parameters) == ["self"]
    assert "configure=self.after_connect_func()" in inspect.getsource(PostgresDatastore.__init__)
    assert list(inspect.signature(PostgresApplicationRecorder.insert_events).parameters) == [
        "self",
        "stored_events",
        "kwargs",
    ]
    assert list(inspect.signature(PostgresApplicationRecorder.create_table).parameters) == ["self"]


def test_the_pool_is_told_everything_in_the_url() -> None:
    datastore = Datastore(
        "postgresql:///there?host=%2Ftmp&user=me&sslmode=disable&options=-c%20jit%3Doff",
        pool_max=3,
        application_name="x",
    )
    assert isinstance(datastore.pool.kwargs, dict)
    told = {name: value for name, value in datastore.pool.kwargs.items() if name != "row_factory"}
    assert told == {
        "dbname": "there",
        "host": "/tmp",
        "user": "me",
        "sslmode": "disable",
        "options": "-c jit=off",
        "application_name": "x",
    }
    assert (datastore.pool.min_size, datastore.pool.max_size) == (1, 3)


def test_connections_speak_utc_autocommit_and_tuples(database_url: str) -> None:
    with Database(database_url) as database:
        with database.connection() as connection:
            assert connection.autocommit
            assert connection.execute("SHOW timezone").fetchone() == ("UTC",)
            assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("0",)
        with database.datastore.get_connection() as pooled:
            assert pooled.execute("SELECT 1 AS one").fetchone() == {"one": 1}
