"""What other programs send as actions: compressed, in transactions, with headers and sizes of all kinds."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka_actions import caught_up, encoded, engine_on, found, recorded, story
from kafka_records import actions_topic, records, send

from adapters.kafka import dead_letters
from adapters.wiring import Engine


@pytest.fixture
def name(kafka: str) -> str:
    return actions_topic(kafka)


@pytest.fixture
def engine(database_url: str, kafka: str, name: str) -> Iterator[Engine]:
    with engine_on(database_url, kafka, name) as made:
        found(made)
        yield made


@pytest.fixture
def told() -> list[bytes]:
    """One lead's story, action by action."""
    return [encoded(one) for one in story("L-1")]


IDS = [one["id"] for one in story("L-1")]


def test_headers_named_in_no_utf_8_stop_nothing(
    engine: Engine, kafka: str, name: str, told: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One such record is in the middle of a batch, and its value has the header's bytes too."""
    register, contact, *_ = told
    with monkeypatch.context() as patched:
        patched.setattr(DefaultRecordBatchBuilder, "append", _as_latin_1(DefaultRecordBatchBuilder.append))
        send(
            kafka,
            name,
            (b"L-1", register),
            (b"L-1", b"na\xefve"),
            (b"L-1", contact),
            headers=[("na\xefve", b"1")],
        )
    topic = caught_up(engine)
    assert (topic.counts["accepted"], topic.counts["rejected"]) == (2, 1)
    (letter,) = records(kafka, f"{name}.dead")
    assert (letter.value, letter.headers[0]) == (b"na\xefve", ("na\\xefve", b"1"))


def _as_latin_1(append: Callable[..., Any]) -> Callable[..., Any]:
    """The client's own sender takes no such names."""

    class Name(str):
        __slots__ = ()

        def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
            return super().encode("latin-1", errors)

    def appending(
        self: Any, offset: int, timestamp: int, key: Any, value: Any, headers: Any, **more: Any
    ) -> Any:
        return append(self, offset, timestamp, key, value, [(Name(n), v) for n, v in headers], **more)

    return appending


def test_every_compression_is_read(engine: Engine, kafka: str, name: str, told: list[bytes]) -> None:
    for codec, value in zip(["gzip", "lz4", "snappy", "zstd", None], told, strict=True):
        with closing(KafkaProducer(bootstrap_servers=kafka, compression_type=codec)) as producer:
            producer.send(name, value, b"L-1").get(30)
    caught_up(engine)
    assert recorded(engine) == IDS


def test_what_a_transaction_gave_up_does_not_count(
    engine: Engine, kafka: str, name: str, told: list[bytes]
) -> None:
    """Nor do the gaps that the ends of transactions leave; and an open one holds up what is behind it."""
    how = {"bootstrap_servers": kafka, "transactional_id": name}
    with closing(KafkaProducer(**how)) as producer:
        producer.init_transactions()
        for value, end in zip(told[:4], ["commit", "abort", "commit", "abort"], strict=True):
            producer.begin_transaction()
            producer.send(name, value, b"L-1", partition=0).get(30)
            producer.send(name, b"rubbish", b"L-1", partition=1).get(30)
            getattr(producer, f"{end}_transaction")()
        counts = caught_up(engine).counts
        assert (counts["accepted"], counts["rejected"]) == (2, 2)
        producer.begin_transaction()
        producer.send(name, told[3], b"L-1", partition=0).get(30)
        send(kafka, name, (b"L-1", told[4]), partition=0)
        assert sum(caught_up(engine).counts.values()) == 0
        producer.commit_transaction()
    caught_up(engine)
    assert recorded(engine) == [IDS[0], *IDS[2:]]


def test_great_records_are_dead_letters_too(engine: Engine, kafka: str, name: str, told: list[bytes]) -> None:
    send(kafka, name, (None, told[0]), (None, b"x" * (7 << 20)), (None, told[1]), partition=0)
    caught_up(engine)
    assert recorded(engine) == IDS[:2]
    (letter,) = records(kafka, f"{name}.dead")
    assert letter.value == b"x" * (7 << 20)


def test_what_is_not_taken_again_holds_up_no_other(
    engine: Engine, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are of few letters, and of few bytes."""
    monkeypatch.setattr(dead_letters, "PAGE", 2)
    great = b"x" * 300_000
    send(kafka, name, (None, great), *[(None, b"%d" % number) for number in range(5)], partition=0)
    caught_up(engine)
    assert [one.value for one in records(kafka, f"{name}.dead")] == [great, b"0", b"1", b"2", b"3", b"4"]
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.alter_configs([ConfigResource("TOPIC", name, {"max.message.bytes": "200000"})])
    assert engine.dead_letters.redrive() == 5
    assert caught_up(engine).counts["rejected"] == 5


def test_a_page_of_great_letters_is_small(engine: Engine, kafka: str, name: str) -> None:
    with engine.database.connection() as connection:
        connection.execute(
            'INSERT INTO ingest.dead_letter (topic, partition, "offset", code, error, value, headers)'
            " SELECT %s, 0, n, 'c', '{}', repeat('x', 6 << 20)::bytea, '[]' FROM generate_series(1, 5) n",
            (name,),
        )
        page = connection.execute(dead_letters._UNSENT, {"page": 500}).fetchall()
    assert len(page) == 3
