"""Whoever may make schemas plants functions that suit calls better; nobody else's session runs them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from adapters.postgres.database import Database
from adapters.postgres.migrate import set_up_roles
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound
from services.ports import Unit

NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
PLANTED = """
SET ROLE dealtrail_app;
CREATE SCHEMA postgres;  -- What "$user" in the superuser's search_path stands for.
CREATE TABLE postgres.ran (as_whom text);
CREATE FUNCTION postgres.pg_has_role(name, regrole, text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO postgres.ran VALUES (current_user); RETURN pg_catalog.pg_has_role($1, $2::oid, $3); END $$;
CREATE FUNCTION postgres.starts_with(name, text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO postgres.ran VALUES (current_user); RETURN pg_catalog.starts_with($1::text, $2); END $$;
CREATE FUNCTION postgres.lie(text, bigint) RETURNS text LANGUAGE sql AS $$ SELECT 'a lie' $$;
CREATE OPERATOR postgres.|| (LEFTARG = text, RIGHTARG = bigint, FUNCTION = postgres.lie)
"""


@pytest.fixture
def planted(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's session, its search_path as it is by default."""
    with psycopg.connect(database_url, autocommit=True) as service:
        service.execute(PLANTED)
    with psycopg.connect(database_url, autocommit=True) as superuser:
        assert superuser.execute("SELECT 'one ' || 2::bigint").fetchone() == ("a lie",)
        yield superuser


def test_connecting_and_migrating_run_nothing_planted(
    planted: psycopg.Connection[tuple[object, ...]], database_url: str
) -> None:
    with Database(database_url) as database:
        assert set_up_roles(database) == "dealtrail_app"
    planted.execute("SELECT log.set_up_roles()")
    assert planted.execute("SELECT * FROM postgres.ran").fetchall() == []


def test_the_hash_in_sql_is_of_what_is_stored(
    planted: psycopg.Connection[tuple[object, ...]], database_url: str
) -> None:
    with Database(database_url) as database:
        store = PostgresStore(database)
        written = [("lead-1", KeyBound(lead="L"))]
        store.append([Unit(written, {"lead-1": 0}, NOON, NOON, "rep-7", "crm", "a")])
        store.close()
    hashes = planted.execute("SELECT leaf_hash, sha256('\\x00'::bytea || log.leaf(event)) FROM log.event")
    ((stored, computed),) = hashes.fetchall()
    assert stored == computed
