"""The log: what each kind of append answers, and what is read back."""

import os
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest

from adapters.postgres.codec import Unstorable
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore
from domain.kernel import Event
from domain.leads.events import KeyBound, LeadClaimed, LeadRegistered
from services.ports import Appended, Conflict, Duplicate, OutOfOrder, Unit

NOON = datetime(2026, 10, 2, 12, 0, 0, 123456, UTC)
SECOND = timedelta(seconds=1)


def unit(
    action: str,
    *events: tuple[str, Event],
    expected: dict[str, int] | None = None,
    decided_at: datetime = NOON,
    migrated: bool = False,
    source: str = "crm",
) -> Unit:
    """Streams are new unless `expected` says otherwise."""
    return Unit(
        events=events,
        expected={**{stream: 0 for stream, _ in events}, **(expected or {})},
        occurred_at=NOON - 60 * SECOND,
        decided_at=decided_at,
        actor="rep-7",
        source=source,
        action=action,
        correlation_id="c-1",
        migrated=migrated,
    )


def bound(key: str, lead: str = "L-1") -> tuple[str, Event]:
    return (f"key-{key}", KeyBound(lead=lead))


def test_a_unit_is_recorded_whole_and_read_back_as_it_was_answered(store: PostgresStore) -> None:
    lead = ("lead-L-1", LeadRegistered(keys={"phone": "+79161234567"}, name='a\tb\\c\n"ж"'))
    claim = ("lead-L-1", LeadClaimed(rep="rep-7", protection_days=90))
    outcome = store.append([unit("a-1", lead, bound("k1"), claim)])
    assert len(outcome) == 1
    assert isinstance(outcome[0], Appended)
    facts = outcome[0].facts
    assert [(fact.position, fact.stream, fact.version) for fact in facts] == [
        (1, "lead-L-1", 1),
        (2, "key-k1", 1),
        (3, "lead-L-1", 2),
    ]
    assert {(fact.recorded_at, fact.occurred_at) for fact in facts} == {(NOON, NOON - 60 * SECOND)}
    assert list(store.read(0)) == [facts]
    assert store.load(["lead-L-1", "lead-none"]) == {"lead-L-1": [facts[0], facts[2]], "lead-none": []}
    assert store.recorded([("crm", "a-1"), ("crm", "a-2"), ("crm", "a-1")]) == {("crm", "a-1"): facts}
    assert store.head() == 3
    assert all(fact.recorded_at.tzinfo is UTC for page in store.read(0) for fact in page)


def test_an_action_sent_again_gets_the_facts_recorded_before(store: PostgresStore) -> None:
    first = store.append([unit("a-1", bound("k1"), bound("k2"))])[0]
    assert isinstance(first, Appended)
    again = store.append([unit("a-1", bound("k3")), unit("a-2", bound("k4")), unit("a-2", bound("k5"))])
    assert again[0] == Duplicate(first.facts)
    assert isinstance(again[1], Appended)
    assert again[2] == Duplicate(again[1].facts)
    assert isinstance(store.append([unit("a-1", bound("k6"), source="web")])[0], Appended)
    assert store.head() == 4


def test_whoever_decided_on_an_older_version_is_told_which_streams_moved(store: PostgresStore) -> None:
    store.append([unit("a-1", bound("k1"), bound("k2"))])
    outcomes = store.append(
        [
            unit("a-2", bound("k1"), bound("k2"), bound("k3")),
            unit("a-3", bound("k3"), expected={"key-k1": 1}),
            unit("a-4", bound("k3"), expected={"key-k3": 1}),
            unit("a-5", bound("k3")),
        ]
    )
    assert outcomes[0] == Conflict(frozenset({"key-k1", "key-k2"}))
    assert [type(outcome) for outcome in outcomes[1:3]] == [Appended, Appended]
    assert outcomes[3] == Conflict(frozenset({"key-k3"}))
    assert [fact.version for fact in store.load(["key-k3"])["key-k3"]] == [1, 2]


def test_a_unit_without_events_only_verifies(store: PostgresStore) -> None:
    store.append([unit("a-1", bound("k1"))])
    later = NOON + 60 * SECOND
    held, broken = store.append(
        [
            unit("a-2", expected={"key-k1": 1}, decided_at=later),
            unit("a-3", expected={"key-k1": 0}, decided_at=later),
        ]
    )
    assert held == Appended([])
    assert broken == Conflict(frozenset({"key-k1"}))
    assert store.append([]) == []
    appended = store.append([unit("a-2", bound("k2"), decided_at=NOON + SECOND)])[0]
    assert isinstance(appended, Appended)
    assert appended.facts[0].recorded_at == NOON + SECOND


def test_recorded_at_never_goes_back_and_keeps_microseconds(store: PostgresStore) -> None:
    moscow = (NOON + 10 * SECOND).astimezone(timezone(timedelta(hours=3)))
    outcomes = store.append(
        [unit("a-1", bound("k1"), decided_at=moscow), unit("a-2", bound("k2"), decided_at=NOON)]
    )
    times = [
        fact.recorded_at for outcome in outcomes if isinstance(outcome, Appended) for fact in outcome.facts
    ]
    assert times == [NOON + 10 * SECOND] * 2
    assert [fact.recorded_at for page in store.read(0) for fact in page] == times


def test_a_decision_on_a_time_that_was_not_stored_is_to_be_taken_again(store: PostgresStore) -> None:
    store.append([unit("a-1", bound("k1"), decided_at=NOON + SECOND)])
    moved, resting, other = store.append(
        [
            unit("a-2", bound("k2")),
            unit("a-3", bound("k3"), expected={"key-k2": 1}, decided_at=NOON + 2 * SECOND),
            unit("a-4", bound("k4"), expected={"key-k1": 1}),
        ]
    )
    assert isinstance(moved, Appended)
    assert moved.facts[0].recorded_at == NOON + SECOND
    assert resting == Conflict(frozenset({"key-k2"}))
    assert isinstance(other, Appended)


def test_migrated_units_come_in_order_and_before_the_log_goes_live(store: PostgresStore) -> None:
    year = timedelta(days=365)
    first, early, live, late = store.append(
        [
            unit("a-1", bound("k1"), decided_at=NOON - year, migrated=True),
            unit("a-2", bound("k2"), decided_at=NOON - 2 * year, migrated=True),
            unit("a-3", bound("k3")),
            unit("a-4", bound("k4"), decided_at=NOON + SECOND, migrated=True),
        ]
    )
    assert isinstance(first, Appended)
    assert (first.facts[0].recorded_at, first.facts[0].migrated) == (NOON - year, True)
    assert early == OutOfOrder(live=False, recorded_at=NOON - year)
    assert isinstance(live, Appended)
    assert late == OutOfOrder(live=True, recorded_at=NOON)
    again, later = store.append(
        [
            unit("a-1", bound("k1"), decided_at=NOON - year, migrated=True),
            unit("a-5", bound("k5"), decided_at=NOON + SECOND, migrated=True),
        ]
    )
    assert again == Duplicate(first.facts)
    assert later == OutOfOrder(live=True, recorded_at=NOON)


def test_what_cannot_be_kept_is_refused_before_anything_is_written(store: PostgresStore) -> None:
    bad: list[Unit] = [
        unit("a\0", bound("k1")),
        unit("a" * 1001, bound("k1")),
        unit("ж" * 501, bound("k1")),
        unit("a-1", bound("k" * 1001)),
        unit("a-1", bound("k1", lead="L\0")),
        unit("a-1", bound("k1"), decided_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - the point of the test
    ]
    for one in bad:
        with pytest.raises(Unstorable):
            store.append([unit("good", bound("k0")), one])
    assert store.head() == 0
    kept = store.append([unit("ж" * 500, bound("\\u0000", lead="\\u0000"))])
    assert store.load(["key-\\u0000"])["key-\\u0000"] == kept[0].facts  # type: ignore[union-attr]


def test_pages_and_filters_of_raw_rows(store: PostgresStore) -> None:
    store.append([unit(f"a-{n}", bound(f"k{n}"), (f"lead-L-{n}", LeadClaimed(rep="r", protection_days=9)))
                  for n in range(5)])  # fmt: skip
    pages = list(store.read_raw(1, 8, 3))
    assert [(reached, [row[2] for row in rows]) for reached, rows in pages] == [
        (4, [2, 3, 4]),
        (7, [5, 6, 7]),
        (8, [8]),
    ]
    by_name = [row[2] for _, rows in store.read_raw(0, names=["leads.KeyBound"]) for row in rows]
    by_category = [row[2] for _, rows in store.read_raw(0, category="lead") for row in rows]
    assert (by_name, by_category) == ([1, 3, 5, 7, 9], [2, 4, 6, 8, 10])
    parts = [[row[2] for _, rows in store.read_raw(0, partition=(i, 3)) for row in rows] for i in range(3)]
    assert sorted(position for part in parts for position in part) == list(range(1, 11))
    assert all(part for part in parts)
    assert [store.decode(row) for row in pages[0][1]] == next(iter(store.read(1, 4)))


def test_a_moment_has_its_position(store: PostgresStore) -> None:
    assert store.position_at(NOON) == 0
    store.append([unit(f"a-{n}", bound(f"k{n}"), decided_at=NOON + (n // 2) * SECOND) for n in range(9)])
    assert store.position_at(NOON - SECOND) == 0
    assert store.position_at(NOON) == 2
    assert store.position_at(NOON + 1.5 * SECOND) == 4
    assert store.position_at(NOON + 60 * SECOND) == 9


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log.event SET actor = 'nobody'",
        "DELETE FROM log.event",
        "TRUNCATE log.event",
        "SET session_replication_role = replica; DELETE FROM log.event",
        "MERGE INTO log.event AS e USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_nobody_changes_the_log(store: PostgresStore, database_url: str, change: str) -> None:
    store.append([unit("a-1", bound("k1"))])
    with psycopg.connect(database_url, autocommit=True) as superuser:
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            superuser.execute(change)
        assert superuser.execute("SELECT count(*) FROM log.event").fetchone() == (1,)


def test_an_auditor_reads_events_in_sql(store: PostgresStore, database_url: str) -> None:
    store.append([unit("a-1", bound("k1", lead="L-ж"))])
    with psycopg.connect(database_url) as auditor:
        row = auditor.execute(
            "SELECT position, stream, version, name, event_version, actor, source, action, data->>'lead',"
            " recorded_at FROM log.events"
        ).fetchone()
    assert row == (1, "key-k1", 1, "leads.KeyBound", 1, "rep-7", "crm", "a-1", "L-ж", NOON)


def test_each_database_has_a_secret_of_its_own_kind(store: PostgresStore, database: Database) -> None:
    secret = store.secret()
    assert len(secret) == 32
    assert PostgresStore(database).secret() == secret
    assert len(set(secret)) > 8


def test_ten_thousand_events_at_once(store: PostgresStore) -> None:
    outcome = store.append([unit("a-1", *(bound(f"k{n}", "L" * 100) for n in range(10_000)))])[0]
    assert isinstance(outcome, Appended)
    assert len(outcome.facts) == 10_000
    assert [len(page) for page in store.read(0)] == [5000, 5000]
    assert store.recorded([("crm", "a-1")])[("crm", "a-1")] == outcome.facts


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own(store: PostgresStore, database_url: str) -> None:
    store.append([unit("a-1", bound("k1"))])
    child = os.fork()
    if child == 0:
        try:
            PostgresStore(Database(database_url)).append([unit("a-2", bound("k2"))])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.head() == 2
