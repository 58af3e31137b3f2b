"""API keys: what is stored of them, and what opens when."""

from collections.abc import Iterator
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg
import pytest

from adapters.access.denials import NobodyKnown
from adapters.access.keys import ApiKeys, KeyNeedsRep, KeyOfAnotherActor, KeyOfNoRep, UnknownKey
from adapters.postgres.database import Database

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


class Desk:
    """Keys, and the clock that they go by."""

    def __init__(self, database: Database) -> None:
        self.now = NOON
        self.keys = ApiKeys(database, lambda: self.now)

    def refused(self, text: str) -> tuple[str, str | None]:
        with pytest.raises(NobodyKnown) as refused:
            self.keys.recognise(text)
        return refused.value.reason, refused.value.key


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with Database(database_url) as database:
        yield Desk(database)


def test_a_key_opens_and_is_stored_as_a_hash_alone(desk: Desk, database_url: str) -> None:
    made, text = desk.keys.make("rep", rep="ann", name="phone")
    assert text.startswith(f"dtk_{made.id}_")
    secret = text.split("_", 2)[2]
    assert len(secret) == 43
    found = desk.keys.recognise(text)
    assert (found.role, found.rep, found.name, found.expires_at) == ("rep", "ann", "phone", None)
    with psycopg.connect(database_url) as connection:
        ((stored, row),) = connection.execute("SELECT secret_hash, k::text FROM access.api_key k").fetchall()
    assert stored == sha256(secret.encode()).digest()
    assert secret not in row
    assert secret not in repr(made) + repr(desk.keys.every())


def test_what_is_no_key_opens_nothing(desk: Desk) -> None:
    made, text = desk.keys.make("service")
    other, stranger = desk.keys.make("admin")
    last = "A" if text[-1] != "A" else "B"
    assert desk.refused(text[:-1] + last) == ("unknown_key", made.id)
    assert desk.refused(f"dtk_{other.id}_{text.split('_', 2)[2]}") == ("unknown_key", other.id)
    assert desk.refused(f"dtk_{'0' * 12}_{stranger.split('_', 2)[2]}") == ("unknown_key", "0" * 12)
    for none in (
        "",
        "dtk_",
        "dtk_1_2",
        text + "A",
        text + "\n",
        text.upper(),
        " " + text,
        "é" * 60,
        "\0" * 60,
    ):
        assert desk.refused(none) == ("malformed_key", None)


def test_a_revoked_key_opens_nothing(desk: Desk) -> None:
    made, text = desk.keys.make("payroll")
    desk.now += timedelta(hours=1)
    assert desk.keys.revoke(made.id).revoked_at == desk.now
    desk.now += timedelta(hours=1)
    assert desk.keys.revoke(made.id).revoked_at == NOON + timedelta(hours=1)  # As it was.
    assert desk.refused(text) == ("revoked_key", made.id)
    with pytest.raises(UnknownKey):
        desk.keys.revoke("nope")


def test_a_key_opens_until_it_expires(desk: Desk) -> None:
    made, text = desk.keys.make("auditor", expires_at=NOON + timedelta(days=1))
    desk.now = NOON + timedelta(days=1, microseconds=-1)
    desk.keys.recognise(text)
    desk.now += timedelta(microseconds=1)
    assert desk.refused(text) == ("expired_key", made.id)


def test_when_it_was_used_last_is_written_once_a_minute(desk: Desk) -> None:
    made, text = desk.keys.make("service")
    assert made.last_used_at is None

    def used(after: timedelta) -> datetime | None:
        desk.now = NOON + after
        desk.keys.recognise(text)
        (key,) = desk.keys.every()
        return key.last_used_at

    assert used(timedelta(0)) == NOON
    assert used(timedelta(seconds=59)) == NOON
    assert used(timedelta(seconds=60)) == NOON + timedelta(seconds=60)
    assert desk.refused(text[:-2] + "__")[0] == "unknown_key"
    assert used(timedelta(seconds=61)) == NOON + timedelta(seconds=60)


def test_a_key_is_a_reps_or_nobodys_by_its_role(desk: Desk) -> None:
    with pytest.raises(KeyNeedsRep):
        desk.keys.make("head")
    for actor in ("admin:x", "payroll:x", "service:x"):
        with pytest.raises(KeyOfAnotherActor):
            desk.keys.make("rep", rep=actor)
    with pytest.raises(KeyOfNoRep):
        desk.keys.make("admin", rep="ann")
    assert desk.keys.every() == []
    made, _ = desk.keys.make("head", rep="head")
    assert [astuple(one) for one in desk.keys.every()] == [astuple(made)]
    assert made.name == "head"


def test_the_applications_role_cannot_change_whose_a_key_is(desk: Desk, database_url: str) -> None:
    desk.keys.make("service")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET ROLE dealtrail_app")
        for attempt in (
            "UPDATE access.api_key SET role = 'admin'",
            "UPDATE access.api_key SET secret_hash = ''",
            "DELETE FROM access.api_key",
            "INSERT INTO access.login VALUES ('me', 'ann')",
            "SELECT FROM access.login",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt.encode())
