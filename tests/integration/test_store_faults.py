"""Connections lost at every moment of a commit: a winner is never told that they lost, nothing is doubled."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from adapters.postgres import appending
from adapters.postgres.appending import Appender
from adapters.postgres.embedded import Embedded
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound
from services.ports import Appended, Conflict, Unit

NOW = datetime(2026, 10, 2, tzinfo=UTC)
KILL_AT_COMMIT = """
CREATE SEQUENCE tries;
CREATE FUNCTION kill_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('public.tries') = 1 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER kill AFTER INSERT ON log.event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION kill_once();
"""


def unit(action: str, key: str) -> Unit:
    return Unit([(f"key-{key}", KeyBound(lead="L-1"))], {f"key-{key}": 0}, NOW, NOW, "rep-1", "crm", action)


@pytest.fixture
def admin(server: Embedded) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        yield connection


def test_a_backend_killed_at_commit_is_tried_again(store: PostgresStore, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as superuser:
        superuser.execute(KILL_AT_COMMIT)
        outcome = store.append([unit("a-1", "k1")])[0]
        assert isinstance(outcome, Appended)
        assert superuser.execute("SELECT last_value FROM tries").fetchone() == (2,)
    assert [fact.position for fact in outcome.facts] == [1]
    assert store.head() == 1


_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = %s"


def _commit_until_it_waits(url: str) -> None:
    """The server takes a new setting in its own time: commits pass until it has."""
    with psycopg.connect(url, autocommit=True, application_name="probe") as connection:
        patience = time.monotonic() + 20
        while time.monotonic() < patience:
            began = time.monotonic()
            connection.execute("SELECT pg_current_xact_id()")
            if time.monotonic() - began > 0.5:
                return


def test_a_backend_killed_between_commit_and_answer_has_its_winner(
    store: PostgresStore, admin: psycopg.Connection[tuple[object, ...]], database_url: str
) -> None:
    """A standby that never comes holds the answer back after the commit; there the backend dies."""
    store.append([unit("a-0", "k0")])
    admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    admin.execute("SELECT pg_reload_conf()")
    probe = threading.Thread(target=_commit_until_it_waits, args=(database_url,))
    probe.start()
    _until(lambda: admin.execute(_WAITING, ("probe",)).fetchone())
    outcomes: list[object] = []
    caller = threading.Thread(
        target=lambda: outcomes.extend(store.append([unit("a-1", "k1"), unit("a-2", "k0")]))
    )
    caller.start()
    try:
        killed = _until(
            lambda: admin.execute(
                f"SELECT pg_terminate_backend(pid) FROM ({_WAITING}) AS waiting", ("dealtrail",)
            ).fetchone()
        )
    finally:
        admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
        admin.execute("SELECT pg_reload_conf()")
    caller.join()
    probe.join()
    assert killed == (True,)
    assert outcomes == [Appended(store.load(["key-k1"])["key-k1"]), Conflict(frozenset({"key-k0"}))]
    assert store.head() == 2


def test_a_fault_after_commit_leaves_the_verdicts_as_they_were(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Appender._finish
    faults = iter([True, False])

    def commit_then_fail(self: Appender, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        commit(self, connection)
        if next(faults, False):
            connection.close()
            raise psycopg.OperationalError("the line went dead")

    monkeypatch.setattr(Appender, "_finish", commit_then_fail)
    outcomes = store.append([unit("a-1", "k1"), unit("a-2", "k1")])
    assert outcomes == [Appended(store.load(["key-k1"])["key-k1"]), Conflict(frozenset({"key-k1"}))]
    assert store.head() == 1


def test_idle_connections_that_died_do_no_harm(
    store: PostgresStore, admin: psycopg.Connection[object]
) -> None:
    store.append([unit("a-1", "k1")])
    assert store.head() == 1
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'dealtrail' AND pid <> pg_backend_pid()"
    )
    assert store.head() == 1
    assert isinstance(store.append([unit("a-2", "k2")])[0], Appended)


def test_a_database_that_stays_away_is_an_error_after_a_bounded_number_of_attempts(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def fail(self: Appender, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        attempts.append(1)
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(Appender, "_finish", fail)
    monkeypatch.setattr(appending, "BACKOFF_SECONDS", 0.001)
    with pytest.raises(psycopg.OperationalError, match="gone"):
        store.append([unit("a-1", "k1")])
    assert len(attempts) == appending.ATTEMPTS_MAX
    assert store.head() == 0


def test_one_callers_poison_does_not_fail_the_others(store: PostgresStore, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as superuser:
        superuser.execute("ALTER TABLE log.event ADD CONSTRAINT poison CHECK (action_id <> 'bad')")
    results: dict[str, object] = {}

    def call(action: str) -> None:
        try:
            results[action] = type(store.append([unit(action, action)])[0])
        except psycopg.Error as failed:
            results[action] = type(failed)

    with psycopg.connect(database_url) as holder:  # Holds the lock until all are queued behind one leader.
        holder.execute("LOCK TABLE log.event IN EXCLUSIVE MODE")
        callers = [threading.Thread(target=call, args=(name,)) for name in ("a", "b", "bad", "c", "d")]
        for caller in callers:
            caller.start()
        time.sleep(0.2)
    for caller in callers:
        caller.join()
    assert results == dict.fromkeys("abcd", Appended) | {"bad": psycopg.errors.CheckViolation}
    assert store.head() == 4


def test_threads_are_committed_together(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = []
    finish = Appender._finish

    def counted(self: Appender, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        commits.append(1)
        finish(self, connection)

    monkeypatch.setattr(Appender, "_finish", counted)
    outcomes: list[object] = []

    def call(name: int) -> None:
        for n in range(50):
            outcomes.extend(store.append([unit(f"a-{n}-{name}", f"k{n}-{name // 2}")]))

    callers = [threading.Thread(target=call, args=(name,)) for name in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert [type(outcome) for outcome in outcomes].count(Appended) == 400
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 400
    assert len(commits) <= 200
    assert store.head() == 400


def _until(ask: Callable[[], object], seconds: float = 10) -> object:
    give_up_at = time.monotonic() + seconds
    while (answer := ask()) is None and time.monotonic() < give_up_at:
        time.sleep(0.01)
    return answer
