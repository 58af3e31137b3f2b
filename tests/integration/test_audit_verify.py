"""Whatever is done to a log, verify finds where it began and says what it was."""

import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from audited_log import REHASH, AuditedLog

from adapters.audit.keys import Keys, NoAuditKey, new_signer
from adapters.postgres.audit import leaves, verifying
from adapters.postgres.audit.checkpoints import LogForked
from adapters.postgres.audit.tree import LogIncomplete
from domain.audit.checkpoint import Checkpoint
from domain.audit.encoding import to_base64
from domain.audit.leaf import leaf_hash
from domain.audit.merkle import root

TEXTS = ("originator_id", "topic", "actor", "action_source", "action_id", "correlation_id")
NUMBERS = ("originator_version", "event_version", "action_seq")
TIMES = ("occurred_at", "recorded_at")


@pytest.fixture
def log(database_url: str) -> Iterator[AuditedLog]:
    opened = AuditedLog(database_url)
    yield opened
    opened.close()


@pytest.fixture
def sealed(log: AuditedLog) -> AuditedLog:
    """700 events; checkpoints of 300 and 600."""
    log.append(300).seal()
    log.append(300).seal()
    return log.append(100)


def test_an_untouched_log_is_as_its_checkpoints_say(sealed: AuditedLog) -> None:
    found = sealed.verify()
    hashes = [row[0] for row in sealed.ask("SELECT leaf_hash FROM log.event ORDER BY notification_id")]
    assert (found.position, found.sealed, found.checkpoints, found.items) == (700, 600, 2, ())
    assert found.root == to_base64(root(hashes))


def test_an_empty_log_is_verified_and_sealed(log: AuditedLog) -> None:
    assert log.verify().position == 0
    assert log.seal().size == 0
    assert log.append(3).found() == []


def _changes(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every column, each of its bytes and some more."""
    for column in TEXTS:
        text = row[column]
        yield from ((column, text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]) for at in range(len(text)))
        yield column, text + " "
    for column in ("state", "leaf_hash"):
        data = row[column]
        for at in range(len(data)):
            yield column, data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        yield from ((column, data + b" "), (column, data[:-1]), (column, b""))
    for column in NUMBERS:
        yield from ((column, row[column] ^ 1 << bit) for bit in (0, 1, 7, 14))
    for column in TIMES:
        yield from (
            (column, told)
            for told in ("infinity", "-infinity", "2026-10-02T12:00:00.000001Z", "0044-01-01 BC")
        )
    yield from (
        ("correlation_id", None),
        ("correlation_id", "null"),
        ("causation_id", ""),
        ("causation_id", "c"),
    )
    yield "migrated", not row["migrated"]
    yield from ((column, None) for column in row if column != "notification_id" and row[column] is not None)


def test_every_changed_byte_of_every_column_is_found(sealed: AuditedLog) -> None:
    columns = [
        name
        for (name,) in sealed.ask(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'log.event'::regclass AND attnum > 0"
        )
    ]
    tried = {"notification_id"}  # Which is what the other tests are about.
    sealed.forge("ALTER TABLE log.event DROP CONSTRAINT event_pkey", "DROP INDEX log.event_action_idx")
    sealed.forge(*(f"ALTER TABLE log.event ALTER {column} DROP NOT NULL" for column in columns))
    for position in (1, 257, 699):
        (values,) = sealed.ask("SELECT * FROM log.event WHERE notification_id = %s", (position,))
        row = dict(zip(columns, values, strict=True))
        for column, value in _changes(row):
            tried.add(column)
            change = f"UPDATE log.event SET {column} = %s WHERE notification_id = %s"
            sealed.forge(change, parameters=(value, position))
            assert sealed.found()[:1] == [("changed", position, position)], (column, value)
            sealed.forge(change, parameters=(row[column], position))
    assert tried == {*columns}
    assert sealed.found() == []


def test_a_long_event_is_not_hashed_for_each_place_that_it_could_have_had(
    sealed: AuditedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaves, "HASHED_MAX", 7_000)
    hashed: list[int] = []

    def counted(line: bytes) -> bytes:
        hashed.append(len(line))
        return leaf_hash(line)

    monkeypatch.setattr(leaves, "leaf_hash", counted)
    sealed.forge("UPDATE log.event SET actor = repeat('x', 6000) WHERE notification_id = 650")
    assert sealed.found() == [("changed", 650, 650)]
    assert len([length for length in hashed if length > 6_000]) < 5


def test_memory_stays_small_however_long_events_are(sealed: AuditedLog) -> None:
    """A page of them would be 140 MB, twice."""
    sealed.forge(
        "ALTER TABLE log.event ALTER state SET STORAGE EXTERNAL",
        "UPDATE log.event SET state = convert_to('{\"text\":\"' || repeat('x', 200000) || '\"}', 'UTF8')",
        REHASH,
    )
    tracemalloc.start()
    try:
        assert sealed.found()[0][0] == "forked"
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 60_000_000


def test_a_removed_event_leaves_a_gap(sealed: AuditedLog) -> None:
    sealed.forge("DELETE FROM log.event WHERE notification_id BETWEEN 400 AND 402")
    assert sealed.found() == [("removed", 400, 402)]


def test_closing_the_gap_does_not_help(sealed: AuditedLog) -> None:
    sealed.forge("DELETE FROM log.event WHERE notification_id IN (400, 401)")
    sealed.shift(after=401, by=-2)
    assert sealed.found()[0] == ("removed", 400, 401)


def _copy(position: int, place: int) -> str:
    return (
        f"INSERT INTO log.event SELECT 'lead-forged', 1, topic, state, {place}, event_version, occurred_at,"
        " recorded_at, actor, action_source, 'forged', 0, NULL, NULL, migrated, leaf_hash"
        f" FROM log.event WHERE notification_id = {position}"
    )


def test_an_inserted_event_is_found_with_whatever_hash(sealed: AuditedLog) -> None:
    sealed.shift(after=399, by=1)
    sealed.forge(_copy(399, 400))
    assert sealed.found()[0] == ("inserted", 400, 400)
    sealed.forge(f"{REHASH} WHERE notification_id = 400")
    assert sealed.found()[0] == ("inserted", 400, 400)


def test_an_event_in_a_place_that_is_taken_or_none_is_found(sealed: AuditedLog) -> None:
    sealed.forge("DROP INDEX log.event_notification_id_idx", _copy(401, 400))
    assert sealed.found()[0] == ("inserted", 400, 400)
    sealed.forge("UPDATE log.event SET notification_id = -7 WHERE originator_id = 'lead-forged'")
    assert sealed.found()[0] == ("inserted", -7, -7)
    sealed.forge(
        "ALTER TABLE log.event ALTER notification_id DROP NOT NULL",
        "UPDATE log.event SET notification_id = NULL WHERE originator_id = 'lead-forged'",
    )
    assert sealed.found() == [("inserted", 0, 0)]


@pytest.mark.parametrize("place", [702, 10**7, 2**63 - 1])
def test_an_event_however_far_behind_the_last_one_is_found(sealed: AuditedLog, place: int) -> None:
    sealed.forge(_copy(401, place))
    assert sealed.found() == [("removed", 701, place - 1)]


@pytest.mark.parametrize(
    "places",
    [{10: 500, 500: 10}, {10: 11, 11: 10}, {10: 12, 11: 10, 12: 11}, {10: 12, 11: 13, 12: 10, 13: 11}],
)
def test_events_that_changed_places_are_found(sealed: AuditedLog, places: dict[int, int]) -> None:
    sealed.move(places)
    assert sealed.found()[0] == ("reordered", 10, 10)


def test_versions_of_a_stream_stay_in_order_and_whole(sealed: AuditedLog) -> None:
    sealed.move({10: 11, 11: 10})
    sealed.forge(REHASH)
    assert ("reordered", 10, 10) in sealed.found()
    sealed.move({10: 11, 11: 10})
    sealed.forge("DELETE FROM log.event WHERE notification_id = 11")
    sealed.shift(after=11, by=-1)
    sealed.forge(REHASH)
    assert ("removed", 11, 11) in sealed.found()


def test_time_does_not_go_back(sealed: AuditedLog) -> None:
    sealed.forge("UPDATE log.event SET recorded_at = '2026-01-01Z' WHERE notification_id = 650", REHASH)
    assert sealed.found() == [("reordered", 650, 650)]


def test_a_cut_tail_is_missed(sealed: AuditedLog) -> None:
    kept = sealed.seal()
    sealed.forge("DELETE FROM log.event WHERE notification_id > 690")
    assert sealed.found() == [("truncated", 691, 700)]
    sealed.forge("DELETE FROM audit.checkpoint WHERE number = 3", "UPDATE audit.tree SET size = 690")
    assert sealed.found() == []
    assert sealed.found(given=kept) == [("truncated", 691, 700)]
    sealed.forge("UPDATE audit.tree SET size = 700")
    with pytest.raises(LogIncomplete):
        sealed.seal()


def _rewrite(log: AuditedLog, position: int = 400) -> None:
    """The past changed, and every hash with it, but not the tree."""
    log.forge(
        f"UPDATE log.event SET actor = 'rep-8' WHERE notification_id = {position}",
        f"{REHASH} WHERE notification_id = {position}",
    )


def test_a_rewritten_past_is_not_what_the_tree_was_made_of(sealed: AuditedLog) -> None:
    _rewrite(sealed)
    assert sealed.found() == [("forked", 257, 512), ("forked", 301, 600)]


def test_a_rewritten_past_with_its_tree_is_not_what_was_sealed(sealed: AuditedLog) -> None:
    kept = sealed.seal()
    _rewrite(sealed)
    sealed.forge("DELETE FROM audit.node", "UPDATE audit.tree SET size = 0")
    with pytest.raises(LogForked):
        sealed.seal()
    assert sealed.found() == [("forked", 301, 600)]
    sealed.forge("DELETE FROM audit.checkpoint")
    sealed.seal()
    assert sealed.found() == []
    assert sealed.found(given=kept) == [("forked", 1, 700)]


def test_a_changed_tree_is_told_from_a_changed_log(sealed: AuditedLog) -> None:
    sealed.forge("UPDATE audit.node SET hash = sha256(hash) WHERE number = 1")
    assert sealed.found() == [("tree", 257, 512)]
    sealed.forge("UPDATE audit.tree SET size = 0")
    assert sealed.found() == [("tree", 257, 512)]
    sealed.forge("DELETE FROM audit.node WHERE number = 1")
    assert sealed.found() == []
    sealed.forge("UPDATE audit.tree SET size = 700")
    assert sealed.found() == [("tree", 257, 512)]


@pytest.mark.parametrize(
    "forgery", ["DELETE FROM {}", "INSERT INTO {} VALUES (5)", "UPDATE {} SET size = %s"]
)
@pytest.mark.parametrize("size", [-1, None])
def test_a_tree_without_a_size_is_found(sealed: AuditedLog, forgery: str, size: int | None) -> None:
    sealed.forge("ALTER TABLE audit.tree ALTER size DROP NOT NULL")
    sealed.forge(forgery.format("audit.tree"), parameters=[size] if "%s" in forgery else ())
    assert sealed.found() == [("tree", 1, 700)]


@pytest.mark.parametrize(
    ("forgery", "found"),
    [
        ("DELETE FROM audit.checkpoint WHERE number = 1", ("checkpoint", 600, 600)),
        ("UPDATE audit.checkpoint SET size = 599 WHERE number = 2", ("checkpoint", 599, 599)),
        ("UPDATE audit.checkpoint SET root = sha256(root) WHERE number = 2", ("checkpoint", 600, 600)),
        (
            "UPDATE audit.checkpoint SET note = replace(note, '600', '601') WHERE number = 2",
            ("checkpoint", 600, 600),
        ),
        ("UPDATE audit.checkpoint SET note = replace(note, '.com', '.net')", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET note = '' WHERE number = 1", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET note = NULL WHERE number = 1", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET root = NULL WHERE number = 1", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET size = NULL WHERE number = 2", ("checkpoint", 0, 0)),
        ("UPDATE audit.checkpoint SET number = NULL WHERE number = 1", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET made_at = NULL WHERE number = 1", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET made_at = 'infinity' WHERE number = 1", ("checkpoint", 300, 300)),
        ("UPDATE audit.checkpoint SET made_at = '0044-01-01 BC' WHERE number = 2", ("checkpoint", 600, 600)),
        (
            "INSERT INTO audit.checkpoint SELECT 3, size, root, note, made_at FROM audit.checkpoint"
            " WHERE number = 1",
            ("replayed", 300, 300),
        ),
    ],
)
def test_forged_checkpoints_are_found(sealed: AuditedLog, forgery: str, found: tuple[str, int, int]) -> None:
    sealed.forge("ALTER TABLE audit.checkpoint DROP CONSTRAINT checkpoint_pkey")
    for column in ("number", "size", "root", "note", "made_at"):
        sealed.forge(f"ALTER TABLE audit.checkpoint ALTER {column} DROP NOT NULL")
    sealed.forge(forgery)
    assert sealed.found()[0] == found


def test_another_key_is_not_trusted(sealed: AuditedLog) -> None:
    other = Keys((new_signer("example.com/deals"),))
    forged = Checkpoint("example.com/deals", 1, sealed.ask("SELECT leaf_hash FROM log.event LIMIT 1")[0][0])
    found = verifying.verify(sealed.database, sealed.keys.verifiers, forged.sign(other.signers))
    assert [one.problem for one in found.items] == ["checkpoint"]
    assert verifying.verify(sealed.database, other.verifiers).count == 2
    with pytest.raises(NoAuditKey):
        verifying.verify(sealed.database, ())


def test_a_good_checkpoint_of_another_past_is_a_fork(sealed: AuditedLog) -> None:
    (leaves,) = zip(
        *sealed.ask("SELECT leaf_hash FROM log.event ORDER BY notification_id LIMIT 10"), strict=True
    )
    for hashes, found in ((leaves, []), (leaves[::-1], [("forked", 1, 10)])):
        note = Checkpoint("example.com/deals", 10, root(hashes)).sign(sealed.keys.signers)
        items = verifying.verify(sealed.database, sealed.keys.verifiers, note).items
        assert [(one.problem, one.position, one.upto) for one in items] == found


@pytest.mark.parametrize("workers", [1, 2])
def test_many_ranges_are_verified_as_one(
    sealed: AuditedLog, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sealed.append(836).verify()
    monkeypatch.setattr(verifying, "RANGE_LEVEL", 8)
    monkeypatch.setattr(verifying, "RANGE_EVENTS", 256)
    seen: list[int] = []
    assert sealed.verify(workers=workers, progress=lambda done, _: seen.append(done)) == whole
    assert seen == [*range(256, whole.position, 256), whole.position]
    sealed.forge("UPDATE log.event SET actor = 'rep-8' WHERE notification_id IN (513, 800)")
    items = sealed.verify(workers=workers).items
    assert [(one.problem, one.position) for one in items] == [("changed", 513)]
    sealed.forge("UPDATE log.event SET actor = 'rep-7'")
    sealed.forge("UPDATE log.event SET recorded_at = '2026-01-01Z' WHERE notification_id = 769", REHASH)
    assert [(one.problem, one.position) for one in sealed.verify(workers=workers).items] == [
        ("reordered", 769)
    ]


def test_any_forgery_of_many_is_found(sealed: AuditedLog) -> None:
    """Left to chance: which event, which column, moved, removed or overwritten."""
    chance = random.Random(5)
    sealed.forge("DROP INDEX log.event_action_idx")
    for _ in range(60):
        position, other = chance.sample(range(1, 601), 2)
        column = chance.choice(["actor", "action_id", "topic", "state", "occurred_at", "leaf_hash"])
        forgery = chance.choice(
            [
                f"DELETE FROM log.event WHERE notification_id = {position}",
                f"UPDATE log.event SET notification_id = {700 + other} WHERE notification_id = {position}",
                f"UPDATE log.event SET {column} = (SELECT {column} FROM log.event AS other"
                f" WHERE other.notification_id = {other}), correlation_id = 'x'"
                f" WHERE notification_id = {position}",
            ]
        )
        sealed.forge("CREATE TABLE backup AS SELECT * FROM log.event", forgery)
        found = sealed.verify()
        assert found.items[0].position == position, forgery
        assert found.root is None
        sealed.forge("TRUNCATE log.event", "INSERT INTO log.event SELECT * FROM backup", "DROP TABLE backup")
    assert sealed.found() == []


@pytest.mark.parametrize("change", ["UPDATE {} SET size = 0", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_changes_a_checkpoint(sealed: AuditedLog, change: str) -> None:
    for before in ("", "SET session_replication_role = replica;"):
        with (
            psycopg.connect(sealed.database.url) as superuser,
            pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
        ):
            superuser.execute(before + change.format("audit.checkpoint"))
    assert sealed.verify().checkpoints == 2
