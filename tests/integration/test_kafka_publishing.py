"""The log in the events topic: what a record says, and that none is missing or out of order."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from audited_log import AuditedLog
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource
from kafka_broker import Broker
from kafka_records import fresh_topic, positions_by_stream, records

from adapters.demo.generator import generate
from adapters.demo.recording import record
from adapters.kafka import publishing, topics
from adapters.kafka.cloudevents import ATTRIBUTES, row_of
from adapters.kafka.connecting import Cluster, KafkaAway
from adapters.kafka.publishing import EventRefused, EventsTopic
from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine
from services.intake import Submission

END = datetime(2026, 1, 1, tzinfo=UTC)
LEADS = 12


@pytest.fixture
def topic() -> str:
    return fresh_topic("events")


def engine_on(url: str, kafka: str, topic: str) -> Engine:
    given = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "DEALTRAIL_EVENTS_TOPIC": topic, "DEALTRAIL_PARTITIONS": "3"}
    return Engine(read_settings(given), Database(url))


@pytest.fixture
def engine(database_url: str, kafka: str, topic: str) -> Iterator[Engine]:
    """With some hundred events in the log."""
    made = engine_on(database_url, kafka, topic)
    record(generate(3, LEADS, END), made.intake())
    yield made
    made.store.close()
    made.database.close()


def another(engine: Engine) -> EventsTopic:
    return Engine(engine.settings, engine.database).events_topic


def more(engine: Engine, number: int) -> None:
    """Some later events."""
    for type_, data in (("rep.hire", {"name": "New"}), ("rep.leave", {})):
        action = {"specversion": "1.0", "source": "test", "id": f"{type_}-{number}", "type": type_}
        told = {
            "subject": f"new-{number}",
            "actor": "admin:ada",
            "time": "2026-02-01T09:00:00Z",
            "data": data,
        }
        (answer,) = engine.intake().submit([Submission({**action, **told})])
        assert answer.error is None


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def assert_whole(engine: Engine, found: list[Any], *, repeats: bool = False) -> None:
    """Every position is there, and the streams' are first met in their order; each once, unless `repeats`."""
    met = positions_by_stream(found)
    for positions in met.values():
        first = list(dict.fromkeys(positions))
        assert first == sorted(first)
        assert repeats or len(first) == len(positions)
    assert sorted({place for places in met.values() for place in places}) == list(
        range(1, engine.store.head() + 1)
    )


def test_a_record_has_all_that_is_stored_and_no_more(engine: Engine, kafka: str, topic: str) -> None:
    engine.events_topic.catch_up()
    found = records(kafka, topic)
    stored = [row for _, rows in engine.store.read_raw(0) for row in rows]
    assert sorted((row_of(one.value, one.headers) for one in found), key=lambda row: row[2]) == stored
    assert_whole(engine, found)
    assert {one.key for one in found} == {row[0].encode() for row in stored}
    assert {name for one in found for name, _ in one.headers} <= ATTRIBUTES.keys()
    assert {dict(one.headers)["ce_source"] for one in found} == {b"dealtrail"}


def test_personal_texts_stay_sealed(engine: Engine, kafka: str, topic: str) -> None:
    engine.events_topic.catch_up()
    named = [
        one.value for one in records(kafka, topic) if dict(one.headers)["ce_type"] == b"leads.LeadRegistered"
    ]
    assert len(named) >= LEADS / 2
    assert all(b'"sealed":' in value for value in named)


def test_what_follows_is_published_and_nothing_twice(engine: Engine, kafka: str, topic: str) -> None:
    engine.events_topic.catch_up()
    more(engine, 1)
    another(engine).catch_up()
    another(engine).catch_up()
    assert_whole(engine, records(kafka, topic))
    assert another(engine).position() == engine.store.head()


def test_the_topic_is_made_to_keep_events_for_ever(engine: Engine, kafka: str, topic: str) -> None:
    engine.events_topic.catch_up()
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        (made,) = admin.describe_topics([topic])
        told = admin.describe_configs([ConfigResource("TOPIC", topic)])["topic"][topic]
    assert len(made["partitions"]) == 3
    assert {name: told[name]["value"] for name in ("cleanup.policy", "retention.ms", "retention.bytes")} == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
    }


def test_a_topic_made_anew_gets_all_of_it(engine: Engine, kafka: str, topic: str) -> None:
    engine.events_topic.catch_up()
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([topic])
        until(lambda: not admin.describe_topics([topic])[0]["partitions"])
    another(engine).catch_up()
    assert_whole(engine, records(kafka, topic))


def test_one_publishes_and_the_other_takes_over(
    engine: Engine, kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "STANDBY_SECONDS", 0.05)
    first, second = engine.events_topic, another(engine)
    stops = threading.Event(), threading.Event()
    threads = []
    for one, stop in zip((first, second), stops, strict=True):
        threads.append(threading.Thread(target=one.follow, args=(stop,)))
        threads[-1].start()
        until(lambda: first.published == engine.store.head())
    more(engine, 1)
    until(lambda: first.published == engine.store.head())
    stops[0].set()
    threads[0].join()
    more(engine, 2)
    until(lambda: first.published + second.published == engine.store.head())
    stops[1].set()
    threads[1].join()
    assert second.published > 0
    assert_whole(engine, records(kafka, topic))


def test_an_event_that_the_topic_takes_not_is_named(engine: Engine, kafka: str, topic: str) -> None:
    """None of its stream's later events is there before it; once the topic takes it all goes on."""
    topics.ensure(Cluster(kafka), topic, 1, {**topics.EVENTS, "max.message.bytes": "200000"})
    row = next(engine.store.read_raw(0))[1][200]
    with closing(AuditedLog(engine.database.url)) as log:
        log.forge(
            "UPDATE log.event SET state = state || repeat(' ', 300000)::bytea WHERE notification_id = %s",
            parameters=[row[2]],
        )
    with pytest.raises(EventRefused, match=f"Event {row[2]} is larger"):
        another(engine).catch_up()
    assert max(max(places) for places in positions_by_stream(records(kafka, topic)).values()) < row[2]
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.alter_configs([ConfigResource("TOPIC", topic, {"max.message.bytes": "8388608"})])
    another(engine).catch_up()
    assert_whole(engine, records(kafka, topic), repeats=True)


def _publish_and_die(url: str, kafka: str, topic: str) -> None:
    """Killed when Kafka has the second page, and the database doesn't know."""
    flush = KafkaProducer.flush
    flushed = []

    def dying(self: KafkaProducer, timeout: float) -> None:
        flush(self, timeout=timeout)
        flushed.append(timeout)
        if len(flushed) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    KafkaProducer.flush = dying
    publishing.PAGE = 100
    engine_on(url, kafka, topic).events_topic.catch_up()


def test_a_publisher_killed_between_the_two_leaves_nothing_out(
    engine: Engine, database_url: str, kafka: str, topic: str
) -> None:
    spawned = multiprocessing.get_context("spawn").Process(
        target=_publish_and_die, args=(database_url, kafka, topic)
    )
    spawned.start()
    spawned.join(60)
    assert spawned.exitcode == -signal.SIGKILL
    assert another(engine).position() == 100
    another(engine).catch_up()
    found = records(kafka, topic)
    assert_whole(engine, found, repeats=True)
    assert len(found) == engine.store.head() + 100


def test_a_broker_that_was_away_gets_the_rest(
    database_url: str, broker: Broker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "STANDBY_SECONDS", 0.05)
    monkeypatch.setattr(publishing, "PAGE", 50)
    engine = engine_on(database_url, broker.bootstrap, topic)
    record(generate(3, LEADS, END), engine.intake())
    stop, publisher = threading.Event(), engine.events_topic
    thread = threading.Thread(target=publisher.follow, args=(stop,))
    thread.start()
    until(lambda: publisher.published > 0)
    broker.kill()
    more(engine, 1)
    with pytest.raises(KafkaAway, match="refused"):
        another(engine).catch_up()
    broker.start()
    until(lambda: publisher.published == engine.store.head())
    stop.set()
    thread.join()
    assert_whole(engine, records(broker.bootstrap, topic), repeats=True)
    engine.store.close()
    engine.database.close()
