"""Members of a consumer group that have other things to do than to poll: they hear what they are given."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.errors import TopicAlreadyExistsError
from kafka_records import fresh_topic

from adapters.kafka import topics
from adapters.kafka.connecting import Cluster
from adapters.kafka.members import member

HOW = {
    "partition_assignment_strategy": [CooperativeStickyAssignor],
    "heartbeat_interval_ms": 200,
    "session_timeout_ms": 5000,
    "max_poll_interval_ms": 60_000,
    "enable_auto_commit": False,
    "metadata_max_age_ms": 500,
}


@contextmanager
def busy(kafka: str, topic: str, count: int) -> Iterator[list[Any]]:
    """They poll shortly, and work long."""
    stop, members = threading.Event(), list[Any]()

    def work() -> None:
        with member(Cluster(kafka), topic, topic, **HOW) as one:
            members.append(one)
            while not stop.is_set():
                one.poll(timeout_ms=20)
                stop.wait(0.25)

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield members
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def shares(members: list[Any]) -> list[int]:
    return sorted(len(one.assignment()) for one in members)


def until_shared(members: list[Any], *wanted: int) -> None:
    give_up_at = time.monotonic() + 20
    while shares(members[:]) != [*wanted]:
        assert time.monotonic() < give_up_at, shares(members)
        time.sleep(0.02)


def test_busy_members_share_a_topic_that_they_hear_of_late(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first share is of nothing; the word on the next comes while they are at something else."""
    join = ConsumerCoordinator._do_join_and_sync_async

    async def slowly(self: Any) -> Any:
        given = await join(self)
        await self._manager._net.sleep(0.3)
        return given

    monkeypatch.setattr(ConsumerCoordinator, "_do_join_and_sync_async", slowly)
    monkeypatch.setattr(KafkaConsumer, "partitions_for_topic", lambda *_: None)
    topic = fresh_topic("shared")
    topics.ensure(Cluster(kafka), topic, 4, {})
    with busy(kafka, topic, 2) as members:
        until_shared(members, 2, 2)
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.create_partitions({topic: 6})
        until_shared(members, 3, 3)


def test_a_topic_that_somebody_else_just_made_has_its_id(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker says that it is there before it says which it is."""
    topic, create, making = fresh_topic("raced"), KafkaAdminClient.create_topics, list[threading.Timer]()

    def sooner(self: Any, wanted: Any, **how: Any) -> None:
        making.append(threading.Timer(0.3, topics.ensure, (Cluster(kafka), topic, 3, {})))
        monkeypatch.setattr(KafkaAdminClient, "create_topics", create)
        making[0].start()
        raise TopicAlreadyExistsError

    monkeypatch.setattr(KafkaAdminClient, "create_topics", sooner)
    made = topics.ensure(Cluster(kafka), topic, 3, {})
    making[0].join()
    assert made == topics.ensure(Cluster(kafka), topic, 3, {})
