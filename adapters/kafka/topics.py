"""The topics, made as they should be if they aren't there."""

from collections.abc import Mapping
from contextlib import closing, suppress

from adapters.kafka.connecting import client

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


def ensure(servers: str, name: str, partitions: int, configs: Mapping[str, str]) -> str:
    """Make the topic, unless it is there, however it was made. Gives its id, which no other topic ever had.

    Raises OSError or KafkaError.
    """
    from kafka import KafkaAdminClient
    from kafka.errors import TopicAlreadyExistsError

    wanted = {name: {"num_partitions": partitions, "configs": dict(configs)}}
    with closing(KafkaAdminClient(**client(servers))) as admin:
        if not admin.describe_topics([name])[0]["partitions"]:
            with suppress(TopicAlreadyExistsError):  # Somebody else was sooner.
                admin.create_topics(wanted, wait_for_metadata=True)
        return str(admin.describe_topics([name])[0]["topic_id"])
