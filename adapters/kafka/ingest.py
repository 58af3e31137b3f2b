"""Actions from Kafka: each has one effect, and what is refused becomes a dead letter."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from adapters.garbage import no_full_collections
from adapters.importers.ndjson import LINE_MAX
from adapters.kafka import members, topics
from adapters.kafka.connecting import Cluster, KafkaAway, reason, talking
from adapters.kafka.dead_letters import DeadLetters
from adapters.kafka.forgiving import forgive
from adapters.kafka.looking import Lookout
from adapters.logging import Logger
from adapters.observing.work import tell
from adapters.outage import Outage
from adapters.postgres import bookmarks
from adapters.postgres.database import Database
from domain.kernel import Rejected
from services.actions import Malformed
from services.answers import error_object
from services.intake import Intake, Submission
from services.ports import Bookmark, DeadLetter, Superseded

if TYPE_CHECKING:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

BATCH = 1_000
"""Records that are handled in one transaction at most; all of one partition."""
POLL_MS = 500
PAUSE_SECONDS = 1.0
LETTERS_SECONDS = 0.5
FORGETTING_SECONDS = 3600.0
GIVEN_SECONDS_MAX = 30.0
"""So long `catch_up` waits for a partition: more than a dead member keeps it."""

CONSUMER: dict[str, Any] = {**members.CONSUMER, "isolation_level": "read_committed"}

Error = Mapping[str, Any]

_logger = Logger(__name__)


class RecordTooLarge(Rejected):
    """The record has {length} bytes, more than the {record_max} allowed."""

    code = "too_large"


class EngineFailed(Rejected):
    """The engine failed at it, which is its own fault: {problem}. Its log says more."""

    code = "engine_failed"


class ActionsTopic:
    """The way in from the topic `name`, made if there is none, for one member of a consumer group.

    How far each partition is taken in is said in PostgreSQL, in the transaction of the events.
    """

    def __init__(
        self,
        database: Database,
        intake: Callable[[], Intake],
        dead_letters: DeadLetters,
        *,
        cluster: Cluster,
        name: str,
        group: str,
        partitions: int,
    ) -> None:
        self._database = database
        self._new_intake = intake
        self._dead_letters = dead_letters
        self._cluster = cluster
        self.name = name
        self._group = group
        self._partitions = partitions
        self._intake: Intake | None = None
        self._next: dict[TopicPartition, int] = {}
        self._given: deque[TopicPartition] = deque()
        self._lost: set[tuple[str, int, int]] = set()
        self._topic_id = ""
        self._give_up_at = 0.0
        self._outage = Outage()
        self._letters_outage = Outage()
        self.counts = {"accepted": 0, "duplicates": 0, "rejected": 0, "events": 0}

    def follow(self, stop: threading.Event) -> None:
        """Take actions in until `stop` is set. Outlives Kafka and a database that go away and come back."""
        try:
            while not stop.is_set():
                try:
                    self._take_part(stop, once=False)
                except (KafkaAway, psycopg.OperationalError, psycopg.InterfaceError) as away:
                    self._hindered(away)
                    stop.wait(PAUSE_SECONDS)
        finally:
            self._tell_lag({})

    def catch_up(self, stop: threading.Event | None = None) -> None:
        """Take in what is there of the partitions that this member is given.

        Raises KafkaAway, psycopg.OperationalError.
        """
        self._take_part(stop or threading.Event(), once=True)

    def _take_part(self, stop: threading.Event, *, once: bool) -> None:
        self._intake = None
        self._next.clear()
        self._given.clear()
        self._give_up_at = time.monotonic() + GIVEN_SECONDS_MAX
        with (
            talking("Actions are not taken in"),
            no_full_collections(),
            topics.met(self._cluster, self.name, self._partitions, topics.ACTIONS) as topic,
        ):
            self._topic_id = topic.id
            with self._dead_letters.producer() as producer, self._consumer() as consumer:
                lookout = Lookout(consumer, self.name, self._hindered)
                letters = _Now(LETTERS_SECONDS)
                forgetting = _Now(FORGETTING_SECONDS)
                ended = False
                while not (stop.is_set() or ended):
                    polled = consumer.poll(timeout_ms=POLL_MS, max_records=BATCH)
                    begun = self._begin(consumer)
                    ours = [each for each in polled if each in self._next and each not in begun]
                    if ours:
                        topic.must_be_as_it_was()
                    for partition in ours:
                        if not stop.is_set():
                            self._take(consumer, partition, polled[partition])
                    if once:
                        ended = self._at_end(consumer)
                    else:
                        self._look(lookout)
                    if ended or letters.come():
                        self._send_letters(producer)
                    if forgetting.come():
                        self._dead_letters.forget_old()
                self._send_letters(producer)

    def _begin(self, consumer: "KafkaConsumer") -> "set[TopicPartition]":
        """Read what this one was given from where it is taken in, and forget what was taken from it.

        Which partitions those are: what was polled of them before is not what is due.
        """
        given = {self._given.popleft() for _ in range(len(self._given))}
        assigned = consumer.assignment()
        for gone in self._next.keys() - assigned:
            del self._next[gone]
        begun: set[TopicPartition] = given & assigned
        if begun:
            self._seek(consumer, begun)
        return begun

    def _take(self, consumer: "KafkaConsumer", partition: "TopicPartition", records: Sequence[Any]) -> None:
        """Have the records handled, or the partition read again from where it is taken in."""
        try:
            self._must_follow(consumer, partition, records[0].offset)
            self._submit(partition, records)
        except Superseded:
            _logger.info("partition_taken_over", topic=self.name, partition=partition.partition)
            self._intake = None
            self._seek(consumer, [partition])
        except (psycopg.OperationalError, psycopg.InterfaceError) as away:
            self._hindered(away)
            self._intake = None
            self._seek(consumer, consumer.assignment())

    def _submit(self, partition: "TopicPartition", records: Sequence[Any]) -> None:
        try:
            self._submit_together(partition, records, {})
        except (Superseded, psycopg.OperationalError, psycopg.InterfaceError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, psycopg.Error) and not isinstance(error, psycopg.DataError):
                raise  # The database is not as it should be: that is no fault of the record's.
            self._intake = None
            if len(records) > 1:
                for record in records:
                    self._submit(partition, [record])
                return
            _logger.error(
                "engine_failed", partition=partition.partition, offset=records[0].offset, error=repr(error)
            )
            failed = error_object(EngineFailed(problem=f"{type(error).__name__}: {error}"))
            self._submit_together(partition, records, {0: failed})

    def _submit_together(
        self, partition: "TopicPartition", records: Sequence[Any], refused: dict[int, Error]
    ) -> None:
        """One batch of a partition. `refused` says by place what need not be tried."""
        refused = {
            **{place: error for place, one in enumerate(records) if (error := _no_action(one))},
            **refused,
        }
        going = [place for place in range(len(records)) if place not in refused]
        at, to = self._next[partition], records[-1].offset + 1

        def mark(errors: Sequence[Error | None]) -> Bookmark:
            known = refused | {
                place: error for place, error in zip(going, errors, strict=True) if error is not None
            }
            letters = [_letter(records[place], known[place]) for place in sorted(known)]
            return Bookmark(self._reader(partition), at, to, letters)

        if self._intake is None:
            self._intake = self._new_intake()
        answers = self._intake.submit([Submission(records[place].value) for place in going], mark=mark)
        self._next[partition] = to
        counts = self.counts
        counts["rejected"] += len(refused)
        for answer in answers:
            kind = "rejected" if answer.error else "duplicates" if answer.duplicate else "accepted"
            counts[kind] += 1
            counts["events"] += answer.events

    def _must_follow(self, consumer: "KafkaConsumer", partition: "TopicPartition", offset: int) -> None:
        if offset > self._next[partition]:
            self._tell_of_lost(consumer, [partition])

    def _tell_of_lost(self, consumer: "KafkaConsumer", partitions: "Collection[TopicPartition]") -> None:
        """Of records that were deleted before they were taken in, once: nobody can help it any more."""
        for each, first in consumer.beginning_offsets(list(partitions)).items():
            due = self._next[each]
            lost = self._topic_id, each.partition, due
            if first > due and lost not in self._lost:
                self._lost.add(lost)
                _logger.error(
                    "actions_lost", topic=self.name, partition=each.partition, first=due, last=first - 1
                )

    def _seek(self, consumer: "KafkaConsumer", partitions: "Collection[TopicPartition]") -> None:
        """Read on from where PostgreSQL says. Raises psycopg.OperationalError."""
        with self._database.connection() as connection:
            found = bookmarks.begin(connection, [self._reader(each) for each in partitions])
        for each in partitions:
            self._next[each] = found[self._reader(each)]
            consumer.seek(each, self._next[each])
        self._tell_of_lost(consumer, partitions)

    def _reader(self, partition: "TopicPartition") -> str:
        return f"{self.name} {self._topic_id} {partition.partition}"

    def _at_end(self, consumer: "KafkaConsumer") -> bool:
        assigned = list(consumer.assignment())
        if not assigned:
            if time.monotonic() > self._give_up_at:
                raise KafkaAway(
                    f"No partition of {self.name} was given to this member of the group {self._group} within"
                    f" {GIVEN_SECONDS_MAX:g} seconds: others take them all in, or have not let it join"
                )
            return False
        self._give_up_at = time.monotonic() + GIVEN_SECONDS_MAX
        ends = consumer.end_offsets(assigned)
        return all(consumer.position(each) >= ends[each] for each in assigned)

    def _send_letters(self, producer: "KafkaProducer") -> None:
        """They stay in PostgreSQL while Kafka won't have them."""
        from kafka.errors import KafkaError

        try:
            self._dead_letters.send(producer)
            self._letters_outage.ends()
        except KafkaError as error:
            if self._letters_outage.is_news(why := reason(error)):
                _logger.warning("dead_letters_not_sent", error=why)

    def _look(self, lookout: Lookout) -> None:
        """Say how far it is behind, and that all is well again."""
        look = lookout.look()
        if look is not None:
            self._tell_lag({each.partition: lag for each, lag in look.lags.items()})
            if look.caught_up and self._outage.ends():
                _logger.warning("actions_taken_in_again", topic=self.name)

    def _hindered(self, away: Exception) -> None:
        self._tell_lag({})
        if self._outage.is_news(why := str(away).strip()):
            _logger.warning("actions_not_taken_in", error=why)

    def _tell_lag(self, lags: Mapping[int, int]) -> None:
        tell("ingest_lag", topic=self.name, lags=lags)

    @contextmanager
    def _consumer(self) -> "Iterator[KafkaConsumer]":
        from kafka import ConsumerRebalanceListener

        ingest = self
        forgive()

        class Noting(ConsumerRebalanceListener):  # type: ignore[misc]
            """Called by the client's own thread, whatever the main one is at."""

            def on_partitions_revoked(self, revoked: "Collection[TopicPartition]") -> None:
                """Whatever somebody else took in meanwhile, the bookmark says."""

            def on_partitions_assigned(self, assigned: "Collection[TopicPartition]") -> None:
                ingest._given.extend(assigned)

        with members.member(self._cluster, self.name, self._group, Noting(), **CONSUMER) as consumer:
            yield consumer


class _Now:
    """Whether it is time again: at once, and then every so many seconds."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._due = 0.0

    def come(self) -> bool:
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + self._every
        return True


def _no_action(record: Any) -> Error | None:
    """The error of what can't even be read."""
    if record.value is None:
        return error_object(Malformed(problem="the record has no value"))
    if len(record.value) > LINE_MAX:
        return error_object(RecordTooLarge(length=len(record.value), record_max=LINE_MAX))
    return None


def _letter(record: Any, error: Error) -> DeadLetter:
    return DeadLetter(
        error, record.topic, record.partition, record.offset, record.key, record.value, record.headers
    )
