"""The topics, made as they should be if they aren't there."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from adapters.kafka.connecting import PATIENCE_SECONDS, Cluster, KafkaAway, client

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

RECORD_BYTES_MAX = 8 * 1024 * 1024
"""Of an event. Those of the engine are far smaller; only a statement of very many lines comes near."""
DEAD_LETTER_BYTES_MAX = 4 * RECORD_BYTES_MAX
"""Whatever the actions topic took must have room, with its error."""

_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1"}
EVENTS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    **_FOR_EVER,
    "max.message.bytes": f"{RECORD_BYTES_MAX}",
}
ACTIONS: Mapping[str, str] = {"cleanup.policy": "delete", "max.message.bytes": f"{RECORD_BYTES_MAX}"}
DEAD_LETTERS: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "max.message.bytes": f"{DEAD_LETTER_BYTES_MAX}",
}
"""What each topic is made with. Replication is the broker's default, and so is all that isn't said."""


class Met:
    """A topic as it was met: made anew, or with other partitions, it is another."""

    def __init__(self, admin: "KafkaAdminClient", name: str) -> None:
        self._admin = admin
        self.name = name
        self.id, self.partitions = self._now()

    def must_be_as_it_was(self) -> None:
        """Asks Kafka. Raises KafkaAway if it isn't, KafkaError."""
        if self._now() != (self.id, self.partitions):
            raise KafkaAway(f"The topic {self.name} was made anew, or has other partitions: it begins again")

    def _now(self) -> tuple[str, int]:
        told = self._admin.describe_topics([self.name])[0]
        return str(told["topic_id"]), len(told["partitions"])


@contextmanager
def met(cluster: Cluster, name: str, partitions: int, configs: Mapping[str, str]) -> Iterator[Met]:
    """Make the topic, unless it is there, however it was made. Raises OSError or KafkaError."""
    from kafka import KafkaAdminClient
    from kafka.errors import TopicAlreadyExistsError

    wanted = {name: {"num_partitions": partitions, "configs": dict(configs)}}
    with closing(KafkaAdminClient(**client(cluster))) as admin:
        if not admin.describe_topics([name])[0]["partitions"]:
            with suppress(TopicAlreadyExistsError):  # Somebody else was sooner.
                admin.create_topics(wanted, wait_for_metadata=True)
        yield _known(admin, name)


def _known(admin: "KafkaAdminClient", name: str) -> Met:
    """What somebody else just made isn't known to the broker at once: it has no id then."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not (topic := Met(admin, name)).partitions:
        if time.monotonic() > give_up_at:
            raise KafkaAway(f"Kafka doesn't know the topic {name}, which it has")
        time.sleep(0.05)
    return topic


def ensure(cluster: Cluster, name: str, partitions: int, configs: Mapping[str, str]) -> str:
    """The same. Gives the topic's id, which no other ever had."""
    with met(cluster, name, partitions, configs) as topic:
        return topic.id
