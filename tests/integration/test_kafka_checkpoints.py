"""Checkpoints in a topic: all of them, in their order, whoever dies or is away."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from audited_log import AuditedLog
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource
from kafka_broker import Broker

from adapters.kafka import checkpoints
from adapters.kafka.checkpoints import CheckpointTopic
from adapters.kafka.connecting import Cluster, KafkaAway
from adapters.postgres.database import Database

_topics = count(1)


@pytest.fixture
def log(database_url: str) -> Iterator[AuditedLog]:
    opened = AuditedLog(database_url)
    yield opened
    opened.close()


@pytest.fixture
def topic() -> str:
    """A name that nobody has used."""
    return f"checkpoints.{os.getpid()}.{next(_topics)}.{time.time_ns()}"


def records(kafka: str, topic: str) -> list[Any]:
    """All that is in the topic's one partition."""
    partition = TopicPartition(topic, 0)
    with closing(KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)) as consumer:
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        end = consumer.end_offsets([partition])[partition]
        found: list[Any] = []
        while len(found) < end:
            found += consumer.poll(timeout_ms=1000).get(partition, [])
        return found


def notes(log: AuditedLog) -> list[bytes]:
    return [note.encode() for (note,) in log.ask("SELECT note FROM audit.checkpoint ORDER BY number")]


def seal(log: AuditedLog, times: int) -> list[bytes]:
    for _ in range(times):
        log.append(3).seal()
    return notes(log)


def test_checkpoints_are_published_once_and_in_order(log: AuditedLog, kafka: str, topic: str) -> None:
    published = CheckpointTopic(Cluster(kafka), topic)
    assert published.publish(log.database) == 0
    sealed = seal(log, 3)
    assert published.publish(log.database) == 3
    assert published.publish(log.database) == 0
    assert CheckpointTopic(Cluster(kafka), topic).publish(log.database) == 0
    sealed = seal(log, 2)
    assert CheckpointTopic(Cluster(kafka), topic).publish(log.database) == 2
    found = records(kafka, topic)
    assert [one.value for one in found] == sealed
    assert {one.key for one in found} == {b"example.com/deals"}
    assert [dict(one.headers) for one in found] == [
        {"number": str(number).encode(), "size": str(3 * number).encode()} for number in range(1, 6)
    ]


def test_the_topic_is_made_to_keep_them_for_ever(log: AuditedLog, kafka: str, topic: str) -> None:
    seal(log, 1)
    CheckpointTopic(Cluster(kafka), topic).publish(log.database)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        (made,) = admin.describe_topics([topic])
        told = admin.describe_configs([ConfigResource("TOPIC", topic)])["topic"][topic]
    assert len(made["partitions"]) == 1
    assert {name: one["value"] for name, one in told.items()} == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
    }


def test_a_topic_made_anew_gets_all_of_them(log: AuditedLog, kafka: str, topic: str) -> None:
    sealed = seal(log, 2)
    CheckpointTopic(Cluster(kafka), topic).publish(log.database)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([topic])
        while admin.describe_topics([topic])[0]["partitions"]:
            time.sleep(0.05)
    assert CheckpointTopic(Cluster(kafka), topic).publish(log.database) == 2
    assert [one.value for one in records(kafka, topic)] == sealed


def _publish_and_die(url: str, kafka: str, topic: str) -> None:
    """Killed when Kafka has the second checkpoint, and the database doesn't know."""
    send = KafkaProducer.send
    sent = []

    def dying(*of: Any) -> Any:
        future = send(*of)
        sent.append(future)
        if len(sent) == 2:
            future.get(10)
            os.kill(os.getpid(), signal.SIGKILL)
        return future

    KafkaProducer.send = dying
    CheckpointTopic(Cluster(kafka), topic).publish(Database(url))


def test_a_publisher_killed_between_the_two_leaves_nothing_out(
    log: AuditedLog, database_url: str, kafka: str, topic: str
) -> None:
    sealed = seal(log, 3)
    spawned = multiprocessing.get_context("spawn").Process(
        target=_publish_and_die, args=(database_url, kafka, topic)
    )
    spawned.start()
    spawned.join(60)
    assert spawned.exitcode == -signal.SIGKILL
    assert log.ask("SELECT number FROM audit.publication") == [(1,)]
    assert CheckpointTopic(Cluster(kafka), topic).publish(log.database) == 2
    first, second, third = sealed
    assert [one.value for one in records(kafka, topic)] == [first, second, second, third]


def test_publishers_at_once_publish_each_once(log: AuditedLog, kafka: str, topic: str) -> None:
    sealed = seal(log, 40)
    counts: list[int] = []
    ours = Cluster(kafka)
    threads = [
        threading.Thread(target=lambda: counts.append(CheckpointTopic(ours, topic).publish(log.database)))
        for _ in range(3)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [one.value for one in records(kafka, topic)] == sealed
    assert (len(counts), sum(counts)) == (3, 40)


def test_a_publisher_that_hangs_holds_others_up_for_seconds_only(
    log: AuditedLog, kafka: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(log, 1)
    CheckpointTopic(Cluster(kafka), topic).publish(log.database)
    seal(log, 1)
    monkeypatch.setattr(checkpoints, "HELD_UP_SECONDS_MAX", 1)
    with log.database.connection() as hanging, hanging.transaction():
        hanging.execute("SELECT FROM audit.publication FOR UPDATE")
        with pytest.raises(KafkaAway, match="hangs"):
            CheckpointTopic(Cluster(kafka), topic).publish(log.database)
    assert CheckpointTopic(Cluster(kafka), topic).publish(log.database) == 1


def test_a_broker_that_is_away_gets_the_rest_when_it_is_back(
    log: AuditedLog, broker: Broker, topic: str
) -> None:
    published = CheckpointTopic(Cluster(broker.bootstrap), topic)
    seal(log, 2)
    assert published.publish(log.database) == 2
    broker.kill()
    sealed = seal(log, 2)
    with pytest.raises(KafkaAway, match="refused"):
        published.publish(log.database)
    broker.start()
    assert published.publish(log.database) == 2
    assert [one.value for one in records(broker.bootstrap, topic)] == sealed
