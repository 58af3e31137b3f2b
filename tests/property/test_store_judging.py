"""Whatever is appended in whatever order: the log is sound, and gives back what it was given."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.postgres.codec import Prepared
from adapters.postgres.database import Database
from adapters.postgres.judging import Judge, Placed
from adapters.postgres.store import PostgresStore
from domain.leads.events import KeyBound, LeadRegistered
from services.ports import Appended, Unit

NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
STREAMS = st.sampled_from(["key-a", "key-b", "key-c"])
UNITS = st.builds(
    lambda written, read, second, action, migrated: Unit(
        [(stream, KeyBound(lead="L")) for stream in written],
        {**dict(read), **{stream: dict(read).get(stream, 0) for stream in written}},
        NOON,
        NOON + timedelta(seconds=second),
        "rep",
        "crm",
        str(action),
        migrated=migrated,
    ),
    written=st.lists(STREAMS, max_size=3),
    read=st.lists(st.tuples(STREAMS, st.integers(0, 3)), max_size=2),
    second=st.integers(0, 5),
    action=st.integers(0, 8),
    migrated=st.booleans(),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50)


@given(st.lists(st.lists(UNITS, max_size=4), max_size=6))
def test_what_passes_makes_a_sound_log(calls: list[list[Unit]]) -> None:
    judge = Judge({}, set(), position=0, recorded_at=None, live=False)
    facts = []
    gone_live = False
    actions: set[str] = set()
    for call in calls:
        prepared = [Prepared(unit) for unit in call]
        stored_later: set[str] = set()
        for each, verdict in zip(prepared, judge.verdicts(prepared), strict=True):
            if not isinstance(verdict, Placed):
                continue
            assert each.unit.action not in actions
            assert not stored_later.intersection(each.unit.expected)
            new = each.facts(verdict.position, verdict.recorded_at)
            facts += new
            if new:
                assert not (gone_live and each.unit.migrated)
                gone_live = gone_live or not each.unit.migrated
                actions.add(each.unit.action)
                if verdict.recorded_at != each.unit.decided_at:
                    assert not each.unit.migrated
                    stored_later.update(each.ends)
    assert [fact.position for fact in facts] == list(range(1, len(facts) + 1))
    assert len(judge.lines) == len(facts)
    assert [fact.recorded_at for fact in facts] == sorted(fact.recorded_at for fact in facts)
    for stream in ("key-a", "key-b", "key-c"):
        versions = [fact.version for fact in facts if fact.stream == stream]
        assert versions == list(range(1, len(versions) + 1))


@pytest.fixture(scope="module")
def store(module_database_url: str) -> Iterator[PostgresStore]:
    """One database for all examples, so that hypothesis need not wait for a clone each."""
    with Database(module_database_url) as database:
        opened = PostgresStore(database)
        yield opened
        opened.close()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    TEXT,
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.none() | TEXT,
    st.datetimes(timezones=st.just(UTC)),
)
def test_any_text_and_time_comes_back_as_it_was(
    store: PostgresStore,
    name: str,
    actor: str,
    source: str,
    correlation: str | None,
    note: str | None,
    time: datetime,
) -> None:
    head = store.head()
    stream = f"lead-{name}-{head}"
    event = LeadRegistered(keys={name: source}, name=note)
    unit = Unit([(stream, event)], {stream: 0}, time, NOON, actor, source, f"{name}{head}", correlation, note)
    outcome = store.append([unit])[0]
    assert isinstance(outcome, Appended)
    (fact,) = outcome.facts
    assert store.load([stream])[stream] == [fact]
    assert (fact.event, fact.stream, fact.actor, fact.source, fact.action, fact.occurred_at) == (
        event,
        stream,
        actor,
        source,
        unit.action,
        time,
    )
    assert (fact.correlation_id, fact.causation_id) == (correlation, note)
