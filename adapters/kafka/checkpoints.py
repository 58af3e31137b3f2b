"""Checkpoints published to a Kafka topic: copies that whoever changes the log can't reach."""

import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, cast

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow

from adapters.kafka.connecting import PATIENCE_SECONDS, Cluster, KafkaAway, client, talking
from adapters.postgres.database import Database

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer

HELD_UP_SECONDS_MAX = PATIENCE_SECONDS
"""So long another publisher may take for one checkpoint."""

_TOPIC = {
    "num_partitions": 1,  # They have an order.
    "configs": {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
}


class CheckpointTopic:
    """The topic of that name. If there is none it is made, to keep all for ever."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.name = name
        self._published = 0

    def publish(self, database: Database) -> int:
        """Publish what is stored and wasn't published yet, in its order, for some seconds; how many were.

        None is left out. What Kafka took just before a publisher died is published again. Raises KafkaAway.
        """
        stored = _latest(database)
        if stored <= self._published:
            return 0
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        count = 0
        with (
            talking("Checkpoints are not published"),
            self._producer() as producer,
            database.connection() as connection,
        ):
            target = f"{self.name} {self._id()}"
            connection.execute(
                "INSERT INTO audit.publication (target, number) VALUES (%s, 0) ON CONFLICT DO NOTHING",
                (target,),
            )
            while time.monotonic() < give_up_at:
                if not self._publish_next(connection, target, producer):
                    self._published = stored
                    break
                count += 1
        return count

    def copies(self, origins: Collection[str]) -> list[bytes]:
        """The signed notes that the topic has for logs of these names, each once, as first published.

        Raises KafkaAway, also if there is no such topic.
        """
        keys = {origin.encode() for origin in origins}
        with talking("Checkpoints can't be read back"), self._consumer() as consumer:
            return list(dict.fromkeys(note for key, note in self._records(consumer) if key in keys))

    def _publish_next(self, connection: Connection[TupleRow], target: str, producer: "KafkaProducer") -> bool:
        """The first that is due, whoever else is publishing; whether there was one."""
        with connection.transaction():
            number = _locked(connection, target)
            due = connection.execute(
                "SELECT number, size, note FROM audit.checkpoint WHERE number > %s ORDER BY number LIMIT 1",
                (number,),
            ).fetchone()
            if due is None:
                return False
            number, size, note = due
            headers = [("number", str(number).encode()), ("size", str(size).encode())]
            origin = note.partition("\n")[0]
            sent = producer.send(self.name, note.encode(), origin.encode(), headers)
            sent.get(PATIENCE_SECONDS)
            connection.execute("UPDATE audit.publication SET number = %s WHERE target = %s", (number, target))
            return True

    def _id(self) -> str:
        """Tells the topic from one of the same name, elsewhere or made anew: that has no copies yet."""
        from kafka import KafkaAdminClient
        from kafka.errors import TopicAlreadyExistsError

        with closing(KafkaAdminClient(**client(self._cluster))) as admin:
            if not admin.describe_topics([self.name])[0]["partitions"]:
                with suppress(TopicAlreadyExistsError):  # Somebody else was sooner.
                    admin.create_topics({self.name: _TOPIC}, wait_for_metadata=True)
            return str(admin.describe_topics([self.name])[0]["topic_id"])

    @contextmanager
    def _producer(self) -> "Iterator[KafkaProducer]":
        from kafka import KafkaProducer

        limits = {"max_block_ms": PATIENCE_SECONDS * 1000, "delivery_timeout_ms": PATIENCE_SECONDS * 1000}
        producer = KafkaProducer(**client(self._cluster), **limits, acks="all", enable_idempotence=True)
        try:
            yield producer
        finally:
            with suppress(Exception):
                producer.close(timeout=1)

    @contextmanager
    def _consumer(self) -> "Iterator[KafkaConsumer]":
        from kafka import KafkaConsumer

        with closing(KafkaConsumer(**client(self._cluster), enable_auto_commit=False)) as consumer:
            yield consumer

    def _records(self, consumer: "KafkaConsumer") -> Iterator[tuple[bytes, bytes]]:
        """Key and value of each, from the first to what was the last at the start."""
        from kafka import TopicPartition

        numbers = consumer.partitions_for_topic(self.name)
        if not numbers:
            raise KafkaAway(f"Checkpoints can't be read back: there is no topic {self.name}")
        partitions = [TopicPartition(self.name, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while any(consumer.position(each) < ends[each] for each in partitions):
            read = consumer.poll(timeout_ms=500)
            if read:
                give_up_at = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > give_up_at:
                raise KafkaAway("Checkpoints can't be read back: Kafka gives no more of them")
            for records in read.values():
                yield from ((record.key, record.value) for record in records)


def _latest(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("SELECT coalesce(max(number), 0) FROM audit.checkpoint").fetchone()
    return 0 if row is None else int(row[0])


def _locked(connection: Connection[TupleRow], target: str) -> int:
    """The last number published, which is nobody else's to move until the transaction's end."""
    connection.execute(f"SET LOCAL lock_timeout = '{HELD_UP_SECONDS_MAX}s'")
    try:
        row = connection.execute(
            "SELECT number FROM audit.publication WHERE target = %s FOR UPDATE", (target,)
        ).fetchone()
    except LockNotAvailable:
        raise KafkaAway("Checkpoints are not published: whoever else publishes them hangs") from None
    return int(cast(TupleRow, row)[0])
