"""What was refused: kept by the transaction that refused it, sent to a topic, and sent again if asked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.kafka import topics
from adapters.kafka.connecting import PATIENCE_SECONDS, Cluster, client, talking
from adapters.logging import Logger
from adapters.postgres.bookmarks import headers_of
from adapters.postgres.database import Database

if TYPE_CHECKING:
    from kafka import KafkaProducer
    from kafka.serializer import Serializer

PAGE = 500
PAGE_BYTES = 16 * 1024 * 1024
"""A page has one letter more than fits into that: all of it is in memory."""
HEADERS: Mapping[str, str] = {
    "dealtrail_error": "The error object {code, message, details}, as JSON.",
    "dealtrail_code": "Its code.",
    "dealtrail_message": "Its sentence.",
    "dealtrail_topic": "The topic that the record came from.",
    "dealtrail_partition": "Its partition there.",
    "dealtrail_offset": "Its offset there.",
}
"""What is said of a dead letter, after the headers that it came with."""

_COLUMNS = 'number, topic, partition, "offset", error, key, value, headers'
_PAGE = f"""
    SELECT {_COLUMNS} FROM ingest.dead_letter WHERE number IN (
        SELECT number FROM (
            SELECT number, sum(octet_length(value)) OVER (ORDER BY number) - octet_length(value) AS before
            FROM ingest.dead_letter WHERE {{}} ORDER BY number LIMIT %(page)s
        ) AS first WHERE coalesce(before, 0) < {PAGE_BYTES}
    ) AND {{}} ORDER BY number FOR UPDATE SKIP LOCKED
"""
_UNSENT = _PAGE.format(*["sent_at IS NULL"] * 2)
_CHOSEN = _PAGE.format(
    """sent_at IS NOT NULL AND number > %(after)s AND number <= %(upto)s
        AND (%(code)s::text IS NULL OR code = %(code)s)
        AND (%(since)s::timestamptz IS NULL OR refused_at >= %(since)s)""",
    "sent_at IS NOT NULL",
)
_PRODUCER = {
    "acks": "all",
    # Not idempotent: that gives up all that follows what a partition doesn't take. In order all the same.
    "enable_idempotence": False,
    "max_in_flight_requests_per_connection": 1,
    "linger_ms": 5,
    "max_request_size": topics.DEAD_LETTER_BYTES_MAX,
    "max_block_ms": PATIENCE_SECONDS * 1000,
    "delivery_timeout_ms": 2 * PATIENCE_SECONDS * 1000,
    "reconnect_backoff_max_ms": 1000,
}

_logger = Logger(__name__)


class _Letter(NamedTuple):
    number: int
    topic: str
    partition: int
    offset: int
    error: str
    key: bytes | None
    value: bytes | None
    headers: str

    @property
    def came_with(self) -> list[tuple[str, bytes]]:
        """Kafka's client can't send a header without a value: it is empty then."""
        return [(name, value or b"") for name, value in headers_of(self.headers)]

    @property
    def said(self) -> list[tuple[str, bytes]]:
        """HEADERS, in that order."""
        error = json.loads(self.error)
        told = (
            self.error,
            error["code"],
            error["message"],
            self.topic,
            str(self.partition),
            str(self.offset),
        )
        return [(name, text.encode(errors="replace")) for name, text in zip(HEADERS, told, strict=True)]


class DeadLetters:
    """The topic `name` of what was refused, and the table that it is sent from. Made if there is none."""

    def __init__(self, database: Database, *, cluster: Cluster, name: str, days: int) -> None:
        """Letters can be redriven for so many `days`."""
        self._database = database
        self._cluster = cluster
        self.name = name
        self._days = days

    @contextmanager
    def producer(self) -> "Iterator[KafkaProducer]":
        """What `send` sends with. The topic is there then. Raises OSError or KafkaError."""
        from kafka import KafkaProducer

        topics.ensure(self._cluster, self.name, 1, topics.DEAD_LETTERS)
        producer = KafkaProducer(**client(self._cluster), **_PRODUCER, value_serializer=boxed())
        try:
            yield producer
        finally:
            producer.close(timeout=1)

    def send(self, producer: "KafkaProducer") -> int:
        """Send what was not sent yet, at least once; how many were.

        Raises KafkaError if Kafka takes none of it, psycopg.OperationalError.
        """
        count = 0
        while True:
            with self._database.connection() as connection, connection.transaction():
                letters = [_Letter(*row) for row in connection.execute(_UNSENT, {"page": PAGE})]
                sent = _acknowledged(
                    [(one, {"topic": self.name, "headers": [*one.came_with, *one.said]}) for one in letters],
                    producer,
                )
                connection.execute(
                    "UPDATE ingest.dead_letter SET sent_at = now() WHERE number = ANY(%s)", (sent,)
                )
            count += len(sent)
            if not sent:
                return count

    def forget_old(self) -> int:
        """Delete what was sent and is too old to be redriven; how many."""
        with self._database.connection() as connection:
            return connection.execute(
                "DELETE FROM ingest.dead_letter"
                " WHERE sent_at IS NOT NULL AND refused_at < now() - make_interval(days => %s)",
                (self._days,),
            ).rowcount

    def redrive(
        self, *, code: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> int:
        """Send dead letters to where they came from, as they came, in their order; how many.

        Only those refused with `code`, `since` then, the first `limit`. Raises KafkaAway.
        """
        count = 0
        with talking("Dead letters are not sent again"), self.producer() as producer:
            chosen = {"code": code, "since": since, "after": 0, "upto": self._last()}
            while limit is None or count < limit:
                page = PAGE if limit is None else min(PAGE, limit - count)
                met, sent = self._redrive(producer, chosen | {"page": page})
                if not met:
                    break
                count += len(sent)
                chosen["after"] = met[-1]
        return count

    def _redrive(self, producer: "KafkaProducer", chosen: Mapping[str, Any]) -> tuple[list[int], list[int]]:
        """The numbers of a page's letters, and of those among them that were sent."""
        with self._database.connection() as connection, connection.transaction():
            letters = [_Letter(*row) for row in connection.execute(_CHOSEN, chosen)]
            sent = _acknowledged([(one, _back(one, producer)) for one in letters], producer)
            connection.execute("DELETE FROM ingest.dead_letter WHERE number = ANY(%s)", (sent,))
        return [letter.number for letter in letters], sent

    def _last(self) -> int:
        """What is refused again meanwhile has a higher number."""
        with self._database.connection() as connection:
            row = connection.execute("SELECT coalesce(max(number), 0) FROM ingest.dead_letter").fetchone()
        return 0 if row is None else int(row[0])


def boxed() -> "Serializer":
    """Takes values out of tuples of one: the client sends no record without key and value if it sees that."""
    from kafka.serializer import Serializer

    class Boxed(Serializer):  # type: ignore[misc]
        def serialize(self, topic: str, headers: object, data: tuple[bytes | None]) -> bytes | None:
            return data[0]

    return Boxed()


def _back(letter: _Letter, producer: "KafkaProducer") -> dict[str, Any]:
    """To its partition, whatever put it there: its lead's other actions are in it."""
    there = letter.partition in (producer.partitions_for(letter.topic) or ())
    partition = letter.partition if there else None
    return {"topic": letter.topic, "headers": letter.came_with, "partition": partition}


def _acknowledged(
    sending: Sequence[tuple[_Letter, Mapping[str, Any]]], producer: "KafkaProducer"
) -> list[int]:
    """Numbers of those that Kafka took. Raises KafkaError if it takes none, whatever they are."""
    from kafka.errors import KafkaError, MessageSizeTooLargeError

    futures = [producer.send(value=(letter.value,), key=letter.key, **how) for letter, how in sending]
    if futures:
        producer.flush(timeout=3 * PATIENCE_SECONDS)
    sent = []
    too_large = []
    failure: KafkaError | None = None
    for one, future in zip(sending, futures, strict=True):
        try:
            future.get(0)
            sent.append(one[0].number)
        except MessageSizeTooLargeError:
            too_large.append(one)
        except KafkaError as error:
            failure = error
            _not_sent(one[0], str(error))
    if failure is not None and not sent:
        raise failure
    for one in too_large:
        if len(sending) > 1:  # It may only have been in a batch with one that is.
            sent += _acknowledged([one], producer)
        else:
            _not_sent(one[0], "it is larger than the topic takes")
    return sent


def _not_sent(letter: _Letter, why: str) -> None:
    _logger.error("dead_letter_not_sent", number=letter.number, error=why.strip())
