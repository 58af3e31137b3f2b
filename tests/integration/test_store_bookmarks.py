"""A reader's bookmark: moved with the events or not at all, and nobody records who lost it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from adapters.postgres import bookmarks
from adapters.postgres.appending import Appender
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound
from services.ports import Appended, Bookmark, Conflict, DeadLetter, Duplicate, Superseded, Unit

NOW = datetime(2026, 10, 2, tzinfo=UTC)
READER = "actions some-id 0"
NASTY = [("naïve\0\ud800", b"\xff\0"), ("twice", b""), ("twice", None)]
LETTER = DeadLetter(
    {"code": "malformed", "message": "\0 \ud800 ж", "details": {}}, "actions", 0, 3, None, b"\xff\0", NASTY
)


def unit(action: str, key: str, expected: int = 0) -> Unit:
    stream = f"key-{key}"
    return Unit([(stream, KeyBound(lead="L-1"))], {stream: expected}, NOW, NOW, "rep-1", "crm", action)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as opened:
        with opened.connection() as connection:
            assert bookmarks.begin(connection, [READER]) == {READER: 0}
        yield opened


def stands_at(database: Database) -> int:
    with database.connection() as connection:
        return bookmarks.where(connection, [READER])[READER]


def letters(database: Database) -> list[tuple[object, ...]]:
    with database.connection() as connection:
        return connection.execute(
            'SELECT topic, partition, "offset", code, key, value, headers FROM ingest.dead_letter'
        ).fetchall()


def test_a_bookmark_moves_with_the_events_and_keeps_what_was_refused(
    store: PostgresStore, database: Database
) -> None:
    (outcome,) = store.append([unit("a-1", "k1")], Bookmark(READER, 0, 5, [LETTER]))
    assert isinstance(outcome, Appended)
    assert stands_at(database) == 5
    ((*told, headers),) = letters(database)
    assert told == ["actions", 0, 3, "malformed", None, b"\xff\0"]
    assert bookmarks.headers_of(str(headers)) == NASTY
    assert store.append([], Bookmark(READER, 5, 6)) == []
    assert stands_at(database) == 6


def test_who_lost_the_bookmark_records_nothing(store: PostgresStore, database: Database) -> None:
    store.append([], Bookmark(READER, 0, 5))
    for late in (Bookmark(READER, 0, 7, [LETTER]), Bookmark(READER, 0, 0), Bookmark("nobody", 0, 0)):
        with pytest.raises(Superseded):
            store.append([unit("a-1", "k1")], late)
    assert (store.head(), stands_at(database), letters(database)) == (0, 5, [])


def test_one_that_stays_still_lets_its_reader_record(store: PostgresStore, database: Database) -> None:
    (outcome,) = store.append([unit("a-1", "k1")], Bookmark(READER, 0, 0, [LETTER]))
    assert isinstance(outcome, Appended)
    assert (stands_at(database), letters(database)) == (0, [])


def test_after_a_conflict_nothing_overtakes_and_the_bookmark_stays(
    store: PostgresStore, database: Database
) -> None:
    store.append([unit("a-0", "k1")])
    outcomes = store.append([unit("a-1", "k0"), unit("a-2", "k1"), unit("a-3", "k3")], Bookmark(READER, 0, 3))
    assert [type(outcome) for outcome in outcomes] == [Appended, Conflict, Conflict]
    assert (store.head(), stands_at(database)) == (2, 0)
    outcomes = store.append([unit("a-2", "k1", 1), unit("a-3", "k3")], Bookmark(READER, 0, 3))
    assert [type(outcome) for outcome in outcomes] == [Appended, Appended]
    assert stands_at(database) == 3


def test_an_action_known_already_leaves_the_bookmark_for_whoever_asks_again(
    store: PostgresStore, database: Database
) -> None:
    store.append([unit("a-1", "k1")])
    (outcome,) = store.append([unit("a-1", "k2")], Bookmark(READER, 0, 1))
    assert isinstance(outcome, Duplicate)
    assert stands_at(database) == 0


def test_a_fault_after_commit_is_no_lost_bookmark(
    store: PostgresStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Appender._finish
    faults = iter([True, False])

    def commit_then_fail(
        self: Appender, connection: psycopg.Connection[tuple[object, ...]], *more: object
    ) -> None:
        commit(self, connection, *more)
        if next(faults, False):
            connection.close()
            raise psycopg.OperationalError("the line went dead")

    monkeypatch.setattr(Appender, "_finish", commit_then_fail)
    (outcome,) = store.append([unit("a-1", "k1")], Bookmark(READER, 0, 5, [LETTER]))
    assert isinstance(outcome, Appended)
    assert (stands_at(database), len(letters(database))) == (5, 1)


def test_of_readers_at_once_one_records_and_bystanders_do(store: PostgresStore, database: Database) -> None:
    ends: list[str] = []
    start = threading.Barrier(8)

    def read(number: int) -> None:
        start.wait()
        try:
            store.append([unit(f"a-{number}", f"k{number}")], Bookmark(READER, 0, 9) if number % 2 else None)
            ends.append("read" if number % 2 else "stood by")
        except Superseded:
            ends.append("lost")

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(ends) == ["lost"] * 3 + ["read"] + ["stood by"] * 4
    assert (store.head(), stands_at(database)) == (5, 9)
