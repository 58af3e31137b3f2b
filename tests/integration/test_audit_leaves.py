"""The leaf hash is written with every event, and SQL and Python agree on what it is of."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.postgres import migrate as migrating
from adapters.postgres.audit.leaves import computed, stored
from adapters.postgres.audit.verifying import verify
from adapters.postgres.database import Database
from adapters.postgres.embedded import Embedded
from adapters.postgres.migrate import migrate
from adapters.postgres.store import PostgresStore
from domain.audit.leaf import Leaf
from domain.leads.events import LeadRegistered
from services.ports import Appended, Unit

NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50)
ODD = (
    "".join(map(chr, [*range(1, 0x30), *range(0x7E, 0xA1), 0x2028, 0x2029, 0xFEFF, 0xFFFF, 0x1F600]))
    + "\\'\"\\u0041"
)


@pytest.fixture(scope="module")
def store(module_database_url: str) -> Iterator[PostgresStore]:
    """One database for all examples, so that hypothesis need not wait for a clone each."""
    with Database(module_database_url) as database:
        opened = PostgresStore(database)
        yield opened
        opened.close()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(ODD, ODD, None, ODD, NOON, NOON, True)
@given(
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.none() | TEXT,
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]), min_value=datetime(2, 1, 1)),  # noqa: DTZ001 - the zone is given beside
    st.booleans(),
)
def test_sql_and_python_hash_the_same_line(
    module_database_url: str,
    store: PostgresStore,
    actor: str,
    source: str,
    correlation: str | None,
    note: str | None,
    occurred_at: datetime,
    decided_at: datetime,
    migrated: bool,
) -> None:
    head = store.head()
    stream = f"lead-{actor}-{head}"
    event = LeadRegistered(keys={source: actor}, name=note)
    unit = Unit(
        [(stream, event), (stream, event)],
        {stream: 0},
        occurred_at,
        decided_at,
        actor,
        source,
        f"{source}{head}",
        correlation,
        note,
        migrated,
    )
    if not isinstance(store.append([unit])[0], Appended):
        return  # Migrated, and earlier than what is there.
    with psycopg.connect(module_database_url) as auditor:
        for row in stored(auditor, head + 1, head + 2):
            in_sql = auditor.execute(
                "SELECT log.leaf(event), sha256('\\x00'::bytea || log.leaf(event)) FROM log.event"
                " WHERE notification_id = %s",
                (row[0],),
            ).fetchone()
            assert in_sql == (Leaf._make(row[:-1]).line(), row[-1])
            assert computed(row) == row[-1]


def test_events_from_before_get_their_hashes(
    server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE earlier")
    try:
        with Database(server.url("earlier")) as database, monkeypatch.context() as patched:
            for file in migrating.FOLDER.glob("000[123]_*.sql"):
                shutil.copy(file, tmp_path)
            patched.setattr(migrating, "FOLDER", tmp_path)
            migrate(database)
            with database.connection() as connection:
                connection.execute(
                    "INSERT INTO log.event SELECT 'lead-' || n, 1, 'leads.KeyBound', '{}', n, 1, now(),"
                    " now(), 'rep', 'crm', n::text, 0, NULL, NULL, true FROM generate_series(1, 700) AS n"
                )
            patched.undo()
            assert migrate(database)[0] == "0004_audit"
            assert verify(database, ()).items == ()
            with (
                psycopg.connect(server.url("earlier"), autocommit=True) as connection,
                pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
            ):
                connection.execute("SET session_replication_role = replica; DELETE FROM log.event")
    finally:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("DROP DATABASE earlier WITH (FORCE)")
