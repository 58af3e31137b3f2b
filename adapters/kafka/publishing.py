"""The log published to the events topic: in order, at least once, never with a gap."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from psycopg import Connection, InterfaceError, OperationalError
from psycopg.rows import TupleRow

from adapters.kafka import cloudevents, topics
from adapters.kafka.connecting import PATIENCE_SECONDS, Cluster, KafkaAway, client, talking
from adapters.kafka.same_log import must_be_of_this_log
from adapters.kafka.topics import Met
from adapters.logging import Logger
from adapters.observing.work import Work
from adapters.outage import Outage
from adapters.postgres.codec import RawRow
from adapters.postgres.database import Database
from adapters.postgres.store import PostgresStore

if TYPE_CHECKING:
    from kafka import KafkaProducer

PAGE = 5_000
"""Positions that are sent before any of them must be acknowledged, and the checkpoint moved."""
POLL_SECONDS = 0.25
STANDBY_SECONDS = 1.0
ACKNOWLEDGED_SECONDS_MAX = 6 * PATIENCE_SECONDS
"""A page that takes longer is sent again, by another producer."""
REFUSED_SECONDS = 60.0
"""Then an event is tried again that the topic refused, and with it the rest of its page."""

_PRODUCER = {
    "acks": "all",
    "enable_idempotence": True,
    "linger_ms": 5,
    "batch_size": 128 * 1024,
    "max_request_size": topics.RECORD_BYTES_MAX,
    "max_block_ms": PATIENCE_SECONDS * 1000,
    "reconnect_backoff_max_ms": 1000,
    # A batch that is given up would be overtaken by those after it: only the whole producer may give up.
    "delivery_timeout_ms": 2**31 - 1,
}

_logger = Logger(__name__)


class EventRefused(KafkaAway):
    """The topic is such that it doesn't take an event."""


class EventsTopic:
    """The log's way to the topic `name`, made if there is none. One publishes at a time, others stand by.

    `published` counts the events that were acknowledged to this one.
    """

    def __init__(
        self,
        database: Database,
        store: PostgresStore,
        *,
        cluster: Cluster,
        name: str,
        partitions: int,
        source: str,
    ) -> None:
        """`source` is the log's name in CloudEvents."""
        self._database = database
        self._store = store
        self._cluster = cluster
        self.name = name
        self._partitions = partitions
        self._source = source.encode()
        self._outage = Outage()
        self.published = 0

    def follow(self, stop: threading.Event) -> None:
        """Publish until `stop` is set. Outlives Kafka and a database that go away and come back."""
        while not stop.is_set():
            try:
                self._publish(stop, once=False)
            except (KafkaAway, OperationalError, InterfaceError) as away:
                if self._outage.is_news(why := str(away).strip()):
                    _logger.warning("events_not_published", error=why)
                stop.wait(REFUSED_SECONDS if isinstance(away, EventRefused) else STANDBY_SECONDS)

    def catch_up(self, stop: threading.Event | None = None) -> None:
        """Publish what is in the log. Waits for whoever else publishes.

        Raises KafkaAway, psycopg.OperationalError.
        """
        self._publish(stop or threading.Event(), once=True)

    def position(self) -> int:
        """Up to where all is acknowledged by the topic. Raises KafkaAway."""
        with (
            talking("Kafka can't say which topic it has"),
            self._met() as topic,
            self._database.connection() as connection,
        ):
            return self._standing(connection, self._target(topic))

    def _publish(self, stop: threading.Event, *, once: bool) -> None:
        with talking("Events are not published"), self._met() as topic:
            target = self._target(topic)
            with self._alone(target, stop) as connection, self._producer() as producer:
                must_be_of_this_log(connection, self._cluster, self.name)
                position = self._standing(connection, target)
                while not stop.is_set():
                    for reached, rows in self._store.read_raw(position, page=PAGE):
                        topic.must_be_as_it_was()  # Partitions are by their number as it was after the read.
                        with Work("publish", topic=self.name, upto=reached) as work:
                            if not self._send(producer, rows, stop):
                                return
                            topic.must_be_as_it_was()  # So all that was acknowledged is in it.
                            self._move(connection, target, reached)
                            work.facts["events"] = reached - position
                        self.published += reached - position
                        position = reached
                        self._goes_on()
                    self._goes_on()
                    if once:
                        return
                    for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass

    def _goes_on(self) -> None:
        if self._outage.ends():
            _logger.warning("events_published_again", topic=self.name)

    def _send(self, producer: "KafkaProducer", rows: Sequence[RawRow], stop: threading.Event) -> bool:
        """Whether all of them are acknowledged; if not, it was told to stop.

        Raises KafkaError, EventRefused.
        """
        from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

        sent = []
        for row in rows:
            key, value, headers = cloudevents.record(row, self._source)
            sent.append(producer.send(self.name, value, key, headers))
        for waited in range(ACKNOWLEDGED_SECONDS_MAX):
            if stop.is_set():
                return False
            try:
                producer.flush(timeout=1)
                break
            except KafkaTimeoutError:
                if waited == ACKNOWLEDGED_SECONDS_MAX - 1:
                    raise
        for row, each in zip(rows, sent, strict=True):
            try:
                each.get(PATIENCE_SECONDS)  # What had to be split is done after the flush.
            except MessageSizeTooLargeError:
                raise EventRefused(
                    f"Event {row[2]} is larger than the topic {self.name} takes: set its max.message.bytes"
                    f" to {topics.RECORD_BYTES_MAX}"
                ) from None
        return True

    @contextmanager
    def _alone(self, target: str, stop: threading.Event) -> Iterator[Connection[TupleRow]]:
        """A connection that hears of new events, and holds the publishers' lock: both are lost with it."""
        with self._database.connection() as connection:
            waited = False
            while not _locked(connection, target) and not stop.is_set():
                if not waited:
                    _logger.info("publisher_stands_by", topic=self.name)
                waited = True
                stop.wait(STANDBY_SECONDS)
            connection.execute('LISTEN "event"')
            try:
                yield connection
            finally:
                with suppress(OperationalError, InterfaceError):
                    connection.execute("UNLISTEN *; SELECT pg_advisory_unlock_all()")

    @contextmanager
    def _producer(self) -> "Iterator[KafkaProducer]":
        from kafka import KafkaProducer

        producer = KafkaProducer(**client(self._cluster), **_PRODUCER)
        try:
            yield producer
        finally:
            with suppress(Exception):
                producer.close(timeout=0)  # All that counts is acknowledged; nothing else shall come late.

    def _standing(self, connection: Connection[TupleRow], target: str) -> int:
        row = connection.execute(
            "SELECT position FROM log.publication WHERE target = %s", (target,)
        ).fetchone()
        if row is not None:
            return int(row[0])
        connection.execute(
            "INSERT INTO log.publication (target, position) VALUES (%s, 0) ON CONFLICT DO NOTHING", (target,)
        )
        return 0

    def _move(self, connection: Connection[TupleRow], target: str, position: int) -> None:
        connection.execute("UPDATE log.publication SET position = %s WHERE target = %s", (position, target))

    def _met(self) -> AbstractContextManager[Met]:
        return topics.met(self._cluster, self.name, self._partitions, topics.EVENTS)

    def _target(self, topic: Met) -> str:
        """The topic of that name as it is now: one made anew has nothing of what another was told."""
        return f"{self.name} {topic.id}"


def _locked(connection: Connection[TupleRow], target: str) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (target,)).fetchone()
    return row == (True,)
