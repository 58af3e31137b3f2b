"""Whether Kafka still answers, and how far a member of a group is behind."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.kafka.connecting import KafkaAway, reason

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

LOOK_SECONDS = 2.0
ANSWER_SECONDS_MAX = 2.0
"""Kafka's client itself waits for ever, and says nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """By partition given, how many offsets are still to be read; and whether all is, up to the last look."""

    lags: "dict[TopicPartition, int]"
    caught_up: bool


class Lookout:
    """Looks after a consumer whose records are all handled between two polls."""

    def __init__(self, consumer: "KafkaConsumer", topic: str, hindered: Callable[[KafkaAway], None]) -> None:
        """`hindered` is told if Kafka doesn't answer soon."""
        self._consumer = consumer
        self._topic = topic
        self._hindered = hindered
        self._ends: dict[TopicPartition, int] | None = None
        self._due = 0.0

    def look(self) -> Look | None:
        """None until it is time again, or if there was no answer."""
        from kafka.errors import KafkaError

        if time.monotonic() < self._due:
            return None
        try:
            return self._look(int(ANSWER_SECONDS_MAX * 1000))
        except KafkaError as error:
            self._ends = None
            self._hindered(KafkaAway(f"Kafka doesn't say where {self._topic} ends: {reason(error)}"))
            return None
        finally:
            self._due = time.monotonic() + LOOK_SECONDS

    def _look(self, patience: int) -> Look:
        from kafka import TopicPartition

        given = self._consumer.assignment()
        ends = self._consumer.end_offsets(given or {TopicPartition(self._topic, 0)}, timeout_ms=patience)
        places = {each: self._consumer.position(each, timeout_ms=patience) or 0 for each in given}
        known, self._ends = self._ends, {each: ends[each] for each in given}
        caught_up = known is not None and all(
            each in known and place >= known[each] for each, place in places.items()
        )
        return Look({each: max(ends[each] - place, 0) for each, place in places.items()}, caught_up)
