"""Read tables kept up from the events topic: by several, beside reports, and whatever the topic is like."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from audited_log import AuditedLog
from kafka import KafkaAdminClient
from kafka.structs import TopicPartition
from kafka_records import fresh_topic, positions_by_stream, records, send
from projecting_log import LogWriter
from projecting_partitions import assert_as_rebuilt
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.kafka import projecting, topics
from adapters.kafka.connecting import Cluster, KafkaAway
from adapters.kafka.projecting import EventsReader
from adapters.postgres.database import Database
from adapters.postgres.projecting import resting
from adapters.postgres.projecting.placing import partition_of
from adapters.postgres.projecting.spread_fold import SpreadFold
from adapters.settings import read_settings
from adapters.wiring import PROJECTIONS, Engine

END = datetime(2026, 1, 1, tzinfo=UTC)
PARTITIONS = 5


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(projecting, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(projecting, "COMMIT_SECONDS", 0.05)
    monkeypatch.setattr(projecting, "BATCH", 200)


@pytest.fixture
def topic() -> str:
    return fresh_topic("events")


@pytest.fixture
def engine(database_url: str, kafka: str, topic: str) -> Iterator[Engine]:
    """Its tables are built, and empty as the log is; from then on it goes by Kafka."""
    given = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DEALTRAIL_EVENTS_TOPIC": topic,
        "DEALTRAIL_PARTITIONS": f"{PARTITIONS}",
    }
    made = Engine(read_settings(given), Database(database_url))
    assert made.projector.catch_up() == []
    fold = SpreadFold(made.database, PROJECTIONS)
    fold.lay_out(fold.names, PARTITIONS)
    yield made
    made.store.close()
    made.database.close()


@contextmanager
def reading(engine: Engine, count: int = 1) -> Iterator[list[EventsReader]]:
    """So many workers, till the end."""
    stop = threading.Event()
    readers = [Engine(engine.settings, engine.database).events_reader for _ in range(count)]
    threads = [threading.Thread(target=reader.follow, args=(stop,)) for reader in readers]
    with ExitStack() as ending:
        for thread in threads:
            thread.start()
            ending.callback(thread.join)
            ending.callback(stop.set)
        yield readers


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def happen(engine: Engine, actions: Iterable[dict[str, Any]]) -> None:
    """Recorded and published."""
    record(actions, engine.intake())
    engine.events_topic.catch_up()


def positions(engine: Engine, but: str = "") -> set[int]:
    return {each.position for name, each in engine.projector.standings().items() if name != but}


def caught_up(engine: Engine) -> bool:
    return positions(engine) == {engine.store.head()}


@pytest.fixture
def from_log(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often workers had to read the log, instead of the topic, for something."""
    times: list[int] = []
    lay_out = SpreadFold.lay_out

    def counted(self: SpreadFold, names: Collection[str], partitions: int) -> None:
        times.append(len(names))
        lay_out(self, names, partitions)

    monkeypatch.setattr(SpreadFold, "lay_out", counted)
    return times


def test_a_streams_partition_is_where_its_records_are(engine: Engine, kafka: str, topic: str) -> None:
    happen(engine, generate(3, 12, END))
    found = records(kafka, topic)
    assert {one.partition for one in found} == set(range(PARTITIONS))
    assert all(partition_of(one.key.decode(), PARTITIONS) == one.partition for one in found)


def test_two_share_the_topic_and_a_third_joins(engine: Engine, from_log: list[int]) -> None:
    actions = list(generate(3, 12, END))
    half = len(actions) // 2
    with reading(engine, 2) as readers:
        until(lambda: sorted(len(each._places) for each in readers) == [2, 3])
        from_log.clear()
        happen(engine, actions[:half])
        until(lambda: caught_up(engine))
        assert sum(each.read for each in readers) == engine.store.head()
        assert all(each.read for each in readers)
        with reading(engine) as (third,):
            until(lambda: len(third._places) == 1 and sum(len(each._places) for each in readers) == 4)
            happen(engine, actions[half:])
            until(lambda: caught_up(engine))
            assert third.read
    assert from_log == []
    assert_as_rebuilt(engine.database, PROJECTIONS)


def test_a_projection_that_fails_stops_alone_and_goes_on_when_put_right(
    engine: Engine, from_log: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "_FIRST_SECONDS", 0.1)
    actions = list(generate(3, 12, END))
    record(actions, engine.intake())
    head = engine.store.head()
    with engine.database.connection() as connection:
        connection.execute("ALTER TABLE read.task ADD CONSTRAINT odd CHECK (false) NOT VALID")
        empty(connection)
    with reading(engine, 2):
        engine.events_topic.catch_up()
        until(lambda: positions(engine, "next_steps") == {head})
        until(lambda: engine.projector.standings()["next_steps"].failure is not None)
        stopped = engine.projector.standings()["next_steps"]
        assert stopped.failure is not None
        assert stopped.position == stopped.failure.position - 1 < head
        with engine.database.connection() as connection:
            connection.execute("ALTER TABLE read.task DROP CONSTRAINT odd")
        until(lambda: caught_up(engine))
    assert from_log[-1] == 1
    assert_as_rebuilt(engine.database, PROJECTIONS)


def test_records_that_kafka_lost_are_read_from_the_log(
    engine: Engine, from_log: list[int], kafka: str, topic: str
) -> None:
    LogWriter(engine.database.url).append(400)
    engine.events_topic.catch_up()
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_records({TopicPartition(topic, 0): 20, TopicPartition(topic, 3): 5})
    with reading(engine):
        until(lambda: caught_up(engine))
    assert from_log == [len(PROJECTIONS)]
    assert_as_rebuilt(engine.database, PROJECTIONS)


def test_partitions_that_are_added_while_all_runs_leave_out_nothing(
    engine: Engine, kafka: str, topic: str
) -> None:
    """A stream's later events are in another partition than its earlier ones."""
    actions = list(generate(3, 12, END))
    third = len(actions) // 3
    stop = threading.Event()
    publisher = threading.Thread(target=engine.events_topic.follow, args=(stop,))
    publisher.start()
    with reading(engine, 2):
        record(actions[:third], engine.intake())
        until(lambda: caught_up(engine))
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.create_partitions({topic: PARTITIONS + 2})
        record(actions[third : 2 * third], engine.intake())
        until(lambda: caught_up(engine))
        record(actions[2 * third :], engine.intake())
        until(lambda: caught_up(engine))
        # Workers read from the log meanwhile, so they may be sooner.
        until(lambda: engine.events_topic.position() == engine.store.head())
    stop.set()
    publisher.join()
    assert SpreadFold(engine.database, PROJECTIONS).elsewhere(PARTITIONS + 2) == set()
    found = {one.partition for one in records(kafka, topic)}
    assert found == set(range(PARTITIONS + 2))
    assert_as_rebuilt(engine.database, PROJECTIONS)


def test_a_topic_made_anew_while_all_runs_gets_the_whole_log_and_leaves_out_nothing(
    engine: Engine, kafka: str, topic: str
) -> None:
    actions = list(generate(3, 12, END))
    half = len(actions) // 2
    stop = threading.Event()
    publisher = threading.Thread(target=engine.events_topic.follow, args=(stop,))
    publisher.start()
    with reading(engine):
        record(actions[:half], engine.intake())
        until(lambda: caught_up(engine))
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.delete_topics([topic])
            until(lambda: not admin.describe_topics([topic])[0]["partitions"])
        topics.ensure(Cluster(kafka), topic, PARTITIONS, topics.EVENTS)
        record(actions[half:], engine.intake())
        until(lambda: caught_up(engine))
        until(lambda: engine.events_topic.position() == engine.store.head())
    stop.set()
    publisher.join()
    met = positions_by_stream(records(kafka, topic))
    assert all(positions == sorted(positions) for positions in met.values())
    assert sorted({each for positions in met.values() for each in positions}) == [
        *range(1, engine.store.head() + 1)
    ]
    assert_as_rebuilt(engine.database, PROJECTIONS)


def test_events_of_a_log_that_was_restored_are_neither_followed_nor_mixed_with_others(
    engine: Engine, kafka: str, topic: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The log went on from the backup, so it has other events of those numbers by now."""
    happen(engine, generate(3, 12, END))
    with closing(AuditedLog(engine.database.url)) as restored:
        restored.forge(
            "UPDATE log.event SET recorded_at = recorded_at + interval '1 s' WHERE notification_id > 100"
        )
    with pytest.raises(KafkaAway, match="is not the log's"):
        engine.events_topic.catch_up()
    before, stood = len(records(kafka, topic)), positions(engine)
    with reading(engine):
        until(lambda: "is not the log's" in capfd.readouterr().err)
    assert positions(engine) == stood
    assert len(records(kafka, topic)) == before


def test_erased_texts_stay_erased(engine: Engine, from_log: list[int]) -> None:
    actions = list(generate(3, 12, END))
    record(actions, engine.intake())
    engine.events_topic.catch_up()
    with engine.database.connection() as connection:
        empty(connection)
        connection.execute("DELETE FROM vault.key WHERE subject < (SELECT max(subject) FROM vault.key)")
    with reading(engine):
        until(lambda: caught_up(engine))
    assert from_log == []
    assert_as_rebuilt(engine.database, PROJECTIONS)
    with engine.database.connection() as connection:
        names = connection.execute("SELECT DISTINCT name = '[erased]' FROM read.lead WHERE name <> ''")
        assert (True,) in names.fetchall()


def test_what_is_no_event_stops_the_workers_and_not_the_reports(
    engine: Engine, kafka: str, topic: str, capfd: pytest.CaptureFixture[str]
) -> None:
    happen(engine, generate(3, 12, END))
    send(kafka, topic, (b"deal-D-1", b"{}"))
    with reading(engine):
        until(lambda: "is no event" in capfd.readouterr().err)
        assert engine.projector.catch_up() == []
    assert caught_up(engine)


def empty(connection: Connection[TupleRow]) -> None:
    """As if nothing had been folded."""
    for kind in [kind for projection in PROJECTIONS for kind in projection.rows]:
        connection.execute(SQL("DELETE FROM read.{}").format(Identifier(kind.table)))
    connection.execute("UPDATE read.checkpoint SET notification_id = 0")
