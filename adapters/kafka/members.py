"""A member of a consumer group, and where Kafka's client is mended: it lost what it was given.

A join goes on while the caller is at something else. If it ended then, the client forgot it and joined again,
so that busy members disturbed each other for long; and if what it joined for was gone by then, it never heard
what it was given, and those partitions stood still.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from adapters.kafka.connecting import Cluster, client

if TYPE_CHECKING:
    from kafka import KafkaConsumer

CONSUMER: Mapping[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 2_000,
    "fetch_max_bytes": 16 * 1024 * 1024,
    "reconnect_backoff_max_ms": 1000,
}
"""What all members are told; each adds its own."""
_LOOK_SECONDS = 0.005


@contextmanager
def member(
    cluster: Cluster, topic: str, group: str, listener: Any = None, **how: Any
) -> "Iterator[KafkaConsumer]":
    """One of the group, which reads its share of the topic; `how` is for the client.

    Raises OSError or KafkaError.
    """
    from kafka import KafkaConsumer

    with closing(KafkaConsumer(**client(cluster), **how, group_id=group)) as consumer:
        _mend(consumer._coordinator)
        consumer.partitions_for_topic(topic)  # Whoever shares a topic out must know it.
        consumer.subscribe([topic], listener=listener)
        yield consumer


def _mend(coordinator: Any) -> None:
    need_rejoin, poll = coordinator.need_rejoin, coordinator.poll
    join = coordinator._do_join_and_sync_async
    polls = [False]

    def polling(timeout_ms: float | None = None) -> Any:
        polls[0] = True
        try:
            return poll(timeout_ms=timeout_ms)
        finally:
            polls[0] = False

    async def joining() -> Any:
        """It ends while somebody waits for it."""
        given = await join()
        while not polls[0]:
            await coordinator._manager._net.sleep(_LOOK_SECONDS)
        return given

    coordinator.poll = polling
    coordinator.need_rejoin = lambda: need_rejoin() or coordinator._join_task is not None
    coordinator._do_join_and_sync_async = joining
