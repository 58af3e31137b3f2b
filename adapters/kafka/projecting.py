"""Read tables kept up from the events topic, by any number of workers that share its partitions."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import InterfaceError, OperationalError

from adapters.garbage import no_full_collections
from adapters.kafka import members, topics
from adapters.kafka.cloudevents import row_of
from adapters.kafka.connecting import Cluster, KafkaAway, talking
from adapters.kafka.looking import Lookout
from adapters.kafka.same_log import must_be_of_this_log
from adapters.kafka.topics import Met
from adapters.logging import Logger
from adapters.outage import Outage
from adapters.postgres.database import Database
from adapters.postgres.projecting.projector import Projector
from adapters.postgres.projecting.resting import Resting
from adapters.postgres.projecting.spread_fold import SpreadFold, Strange, Stretch

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

BATCH = 5_000
"""Records that are folded in one transaction at most."""
POLL_MS = 100
LOOK_SECONDS = 0.25
"""From one look at how far the publisher is to the next."""
COMMIT_SECONDS = 1.0
PAUSE_SECONDS = 1.0

CONSUMER: dict[str, Any] = {
    **members.CONSUMER,
    "max_poll_interval_ms": 3_600_000,  # Building tables anew takes its time; partitions can wait.
    "fetch_max_wait_ms": 100,  # What is asked of the broker meanwhile waits for that.
}

_logger = Logger(__name__)


class _Stopped(Exception):  # noqa: N818 - named for what happened
    """The worker was told to stop while it had more to do."""


@dataclass(slots=True)
class Place:
    """How far a partition is read: the next record's offset, and the last position that came before it."""

    offset: int
    position: int


class EventsReader:
    """One member of the group that projects the topic `name`, which is made if there is none.

    Which events are in which tables is said in PostgreSQL, in the transaction of the rows. What Kafka keeps
    of the group's progress only says where to read on: a wrong one costs time. `read` counts the events.
    """

    def __init__(
        self,
        database: Database,
        projector: Projector,
        fold: SpreadFold,
        *,
        cluster: Cluster,
        name: str,
        partitions: int,
    ) -> None:
        self._database = database
        self._projector = projector
        self._fold = fold
        self._cluster = cluster
        self.name = name
        self.group = f"{name}.projecting"
        self._partitions = partitions
        self._topic_id = ""
        self._places: dict[TopicPartition, Place] = {}
        self._resting = Resting()
        self._left: set[str] = set()
        self._outage = Outage()
        self.read = 0

    def follow(self, stop: threading.Event) -> None:
        """Keep the tables up until `stop` is set. Outlives Kafka and a database that are away for a time."""
        with suppress(_Stopped):
            while not stop.is_set():
                try:
                    self._take_part(stop)
                except (KafkaAway, OperationalError, InterfaceError, Strange) as problem:
                    self._hindered(problem)
                    stop.wait(PAUSE_SECONDS)

    def _take_part(self, stop: threading.Event) -> None:
        from kafka.errors import KafkaError

        self._places.clear()
        with (
            talking("Events are not projected"),
            no_full_collections(),
            topics.met(self._cluster, self.name, self._partitions, topics.EVENTS) as topic,
        ):
            self._topic_id = topic.id
            with self._database.connection() as connection:
                must_be_of_this_log(connection, self._cluster, self.name)
            with self._consumer() as consumer:
                self._left |= self._fold.elsewhere(topic.partitions)
                lookout = Lookout(consumer, self.name, self._hindered)
                looked = committed = 0.0
                while not stop.is_set():
                    polled = consumer.poll(timeout_ms=POLL_MS, max_records=BATCH)
                    self._share(consumer)
                    ours = polled.keys() & self._places.keys()
                    self._take(topic, {each: self._stretch(each, polled[each]) for each in ours})
                    now = time.monotonic()
                    if now >= looked + LOOK_SECONDS:
                        looked = now
                        self._take(topic, self._quiet(consumer))
                        self._fold.level()
                    self._go_on(topic, stop)
                    self._look(lookout)
                    if now >= committed + COMMIT_SECONDS:
                        committed = now
                        consumer.commit_async(self._commits())
                with suppress(KafkaError):  # Whoever reads on reads some records again.
                    consumer.commit(self._commits())

    def _look(self, lookout: Lookout) -> None:
        """Say that all is well again."""
        look = lookout.look()
        if look is not None and look.caught_up and self._outage.ends():
            _logger.warning("events_projected_again", topic=self.name)

    def _hindered(self, problem: Exception) -> None:
        if self._outage.is_news(why := str(problem).strip()):
            _logger.warning("events_not_projected", topic=self.name, error=why)

    def _stretch(self, partition: "TopicPartition", records: Sequence[Any]) -> tuple[Stretch, Place]:
        """What the records have that didn't come before, and where that ends. Raises Strange."""
        place = self._places[partition]
        rows = []
        after = reached = place.position if records[0].offset == place.offset else None
        try:
            for record in records:
                position = int(dict(record.headers)["ce_id"])
                if reached is None:
                    after = reached = position - 1  # What came before it is not known.
                if position > reached:
                    rows.append(row_of(record.value, record.headers))
                    reached = position
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            where = f"{partition.topic} {partition.partition} at {record.offset}"
            raise Strange(f"what is in {where} is no event: {error!r}") from error
        assert after is not None
        assert reached is not None
        self.read += len(rows)
        return Stretch(after, reached, rows), Place(records[-1].offset + 1, reached)

    def _quiet(self, consumer: "KafkaConsumer") -> "dict[TopicPartition, tuple[Stretch, Place]]":
        """Partitions read to their end have nothing more of what was published before that was looked up."""
        published = self._published()
        behind = [each for each, place in self._places.items() if place.position < published]
        ends = consumer.end_offsets(behind) if behind else {}
        return {
            each: (Stretch(place.position, published, []), Place(place.offset, published))
            for each in behind
            if (place := self._places[each]).offset == ends[each] == consumer.position(each)
        }

    def _take(self, topic: Met, taken: "dict[TopicPartition, tuple[Stretch, Place]]") -> None:
        """Raises Strange, KafkaAway, psycopg.OperationalError."""
        if not taken:
            return
        topic.must_be_as_it_was()  # Asked after the reading: so that was of this topic, spread as it is.
        stretches = {each.partition: stretch for each, (stretch, _) in taken.items()}
        self._left |= self._fold.fold(stretches, topic.partitions, self._left)
        self._places.update({each: place for each, (_, place) in taken.items()})

    def _go_on(self, topic: Met, stop: threading.Event) -> None:
        """What couldn't go on from Kafka is caught up from the log, and goes on from there."""
        resting = self._resting.names()
        due = self._left - resting
        if not due:
            return

        def heed(_done: int, _total: int) -> None:
            if stop.is_set():
                raise _Stopped

        failures = self._projector.catch_up(None, heed, self._fold.names - due)
        self._resting.note(failures, resting)
        well = due - {failure.projection for failure in failures}
        self._fold.lay_out(well, topic.partitions)
        self._left -= well

    def _published(self) -> int:
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT position FROM log.publication WHERE target = %s", (f"{self.name} {self._topic_id}",)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def _commits(self) -> "dict[TopicPartition, Any]":
        from kafka.structs import OffsetAndMetadata

        return {
            each: OffsetAndMetadata(place.offset, f"{place.position} {self._topic_id}", -1)
            for each, place in self._places.items()
        }

    def _share(self, consumer: "KafkaConsumer") -> None:
        """Begin what this one was given where whoever had it before was; forget what was taken from it.

        What is said of another topic of that name, whoever still said it, is not heeded.
        """
        assigned = consumer.assignment()
        for gone in self._places.keys() - assigned:
            del self._places[gone]
        for each in assigned - self._places.keys():
            place = Place(0, 0)
            if (committed := consumer.committed(each, metadata=True)) is not None:
                position, _, made = committed.metadata.partition(" ")
                if made == self._topic_id:
                    place = Place(committed.offset, int(position))
                else:
                    consumer.seek_to_beginning(each)
            self._places[each] = place

    @contextmanager
    def _consumer(self) -> "Iterator[KafkaConsumer]":
        from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

        sharing = [CooperativeStickyAssignor]
        how = {**CONSUMER, "partition_assignment_strategy": sharing}
        with members.member(self._cluster, self.name, self.group, **how) as consumer:
            yield consumer
