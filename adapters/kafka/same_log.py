"""Whether a topic's events are this log's: a database restored from a backup may have others by now."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.kafka.cloudevents import row_of
from adapters.kafka.connecting import PATIENCE_SECONDS, Cluster, KafkaAway, client
from adapters.postgres.codec import COLUMNS, RawRow


def must_be_of_this_log(connection: Connection[TupleRow], cluster: Cluster, topic: str) -> None:
    """The last of each partition, behind which there is nothing. Raises KafkaAway, KafkaError, OSError."""
    for row in _last(cluster, topic):
        stored = connection.execute(
            f"SELECT {COLUMNS} FROM log.event WHERE notification_id = %s", (row[2],)
        ).fetchone()
        if stored != row:
            raise KafkaAway(
                f"Event {row[2]} in the topic {topic} is not the log's: was the database restored from a"
                " backup? Delete the topic; it is made anew, and gets the whole log"
            )


def _last(cluster: Cluster, topic: str) -> Iterator[RawRow]:
    """What is no event is left out: whoever reads the topic says so."""
    for record in _records(cluster, topic):
        try:
            yield row_of(record.value, record.headers)
        except (KeyError, ValueError, TypeError, AttributeError):
            continue


def _records(cluster: Cluster, topic: str) -> list[Any]:
    from kafka import KafkaConsumer, TopicPartition

    found = []
    with closing(KafkaConsumer(**client(cluster), enable_auto_commit=False)) as consumer:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        due = [each for each in partitions if begins[each] < ends[each]]
        consumer.assign(due)
        for each in due:
            consumer.seek(each, ends[each] - 1)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while any(consumer.position(each) < ends[each] for each in due):
            if time.monotonic() > give_up_at:
                raise KafkaAway(f"Kafka doesn't give the last events of the topic {topic}")
            for read in consumer.poll(timeout_ms=500).values():
                found += read
    return found
