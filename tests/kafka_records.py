"""What is in topics, read whole, and topics' names that nobody has used."""

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from adapters.kafka import topics
from adapters.kafka.connecting import Cluster
from adapters.kafka.dead_letters import boxed

_names = count(1)


def fresh_topic(what: str) -> str:
    return f"{what}.{os.getpid()}.{next(_names)}.{time.time_ns()}"


def actions_topic(kafka: str) -> str:
    """A new one, of three partitions."""
    made = fresh_topic("actions")
    topics.ensure(Cluster(kafka), made, 3, topics.ACTIONS)
    return made


def records(kafka: str, topic: str) -> list[Any]:
    """All of a topic's records, partition by partition."""
    with closing(KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: dict[TopicPartition, list[Any]] = defaultdict(list)
        while any(consumer.position(each) < ends[each] for each in partitions):
            for partition, read in consumer.poll(timeout_ms=1000, max_records=5000).items():
                found[partition] += read
        return [record for partition in partitions for record in found[partition]]


def send(kafka: str, topic: str, *sent: tuple[bytes | None, bytes | None], **more: Any) -> None:
    """Keys and values, acknowledged."""
    how: dict[str, Any] = {"linger_ms": 5, "max_request_size": 32 << 20, "value_serializer": boxed()}
    with closing(KafkaProducer(bootstrap_servers=kafka, **how)) as producer:
        for future in [producer.send(topic, (value,), key, **more) for key, value in sent]:
            future.get(30)


def positions_by_stream(found: Sequence[Any]) -> dict[bytes, list[int]]:
    """The events topic's positions as each stream's readers meet them, repeats included."""
    met: dict[bytes, list[int]] = defaultdict(list)
    for record in found:
        met[record.key].append(int(dict(record.headers)["ce_id"]))
    return dict(met)
