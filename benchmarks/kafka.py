"""Kafka in and out: messages a second, against a loop of the bare client on the same broker."""

import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

from adapters.kafka import topics
from adapters.kafka.connecting import Cluster
from adapters.settings import read_settings
from adapters.wiring import Engine
from benchmarks.figures import Figure
from benchmarks.ground import Ground, fill
from services.intake import Submission

MESSAGES = 20_000
_LEADS = 1_000


def kafka(ground: Ground, messages: int = MESSAGES) -> list[Figure]:
    """A broker of the benchmark's own, from the tests' folder, with as many partitions as by default."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from kafka_broker import Broker  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory(prefix="dealtrail-bench-kafka-", ignore_cleanup_errors=True) as folder:
        broker = Broker(Path(folder))
        broker.start()
        try:
            return [*_out(ground, broker.bootstrap), *_in(ground, broker.bootstrap, messages)]
        finally:
            broker.kill()


def _out(ground: Ground, servers: str) -> list[Figure]:
    with ground.new_engine() as bare:
        engine = _with_kafka(bare, servers)
        fill(engine, _LEADS)
        began = perf_counter()
        engine.events_topic.catch_up()
        ours = engine.store.head() / (perf_counter() - began)
        values = [row[5] for _, rows in engine.store.read_raw(0) for row in rows]
    return [Figure("publish the log's events", ours, "messages/s", _bare_sent(servers, values))]


def _in(ground: Ground, servers: str, messages: int) -> list[Figure]:
    with ground.new_engine() as bare, ground.new_engine() as other:
        engine = _with_kafka(bare, servers)
        actions = [_lead(number) for number in range(messages)]
        for one in (engine, other):
            one.intake().submit([Submission(_hire())])
        _bare_sent(servers, [json.dumps(one).encode() for one in actions], engine.settings.actions_topic)
        began = perf_counter()
        engine.actions_topic.catch_up()
        ours = messages / (perf_counter() - began)
        assert engine.actions_topic.counts["accepted"] == messages
        began = perf_counter()
        intake = other.intake()
        for first in range(0, messages, 1_000):
            intake.submit([Submission(one) for one in actions[first : first + 1_000]])
        without = messages / (perf_counter() - began)
        read = _bare_read(servers, engine.settings.actions_topic, messages)
    return [
        Figure("take in actions (lead.register)", ours, "messages/s", read),
        Figure("the same actions without Kafka, 1,000 at a time", without, "actions/s"),
    ]


def _with_kafka(engine: Engine, servers: str) -> Engine:
    return Engine(read_settings({"KAFKA_BOOTSTRAP_SERVERS": servers}), engine.database)


def _bare_sent(servers: str, values: Sequence[bytes], topic: str = "bare") -> float:
    """Sent by the bare client, with the same acknowledgements and batches; messages a second."""
    from kafka import KafkaProducer

    topics.ensure(Cluster(servers), topic, 12, topics.EVENTS)
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5, batch_size=128 * 1024)
    with closing(producer):
        began = perf_counter()
        for number, value in enumerate(values):
            producer.send(topic, value, b"%d" % (number % 1_000))
        producer.flush()
        return len(values) / (perf_counter() - began)


def _bare_read(servers: str, topic: str, messages: int) -> float:
    """Read by the bare client in a group, and thrown away; messages a second."""
    from kafka import KafkaConsumer

    began, count = perf_counter(), 0
    with closing(
        KafkaConsumer(topic, bootstrap_servers=servers, group_id="bare", auto_offset_reset="earliest")
    ) as consumer:
        while count < messages:
            count += sum(map(len, consumer.poll(timeout_ms=500, max_records=1_000).values()))
    return count / (perf_counter() - began)


def _hire() -> dict[str, Any]:
    return {**_action("hire", "rep.hire", "rep-1"), "actor": "admin:ada", "data": {"name": "Ann"}}


def _lead(number: int) -> dict[str, Any]:
    keys = {"phone": f"+7916{number:07d}", "email": f"buyer-{number}@example.com"}
    data = {"keys": keys, "name": "Some Body", "channel": "site"}
    return {**_action(f"a-{number}", "lead.register", f"L-{number}"), "actor": "rep-1", "data": data}


def _action(id_: str, type_: str, subject: str) -> dict[str, Any]:
    told = {"id": id_, "type": type_, "subject": subject}
    return {"specversion": "1.0", "source": "bench", "time": "2026-02-01T09:00:00Z", **told}
