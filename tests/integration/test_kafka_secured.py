"""Kafka over TLS, for a user with a password: all that reads and writes it, and what is said if it won't."""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, SaslAuthenticationFailedError
from kafka_actions import encoded, engine_on, found, story
from kafka_broker import PASSWORD, USER, Broker, self_signed
from kafka_records import fresh_topic, records, send

from adapters.audit.keys import Keys, new_signer
from adapters.kafka import connecting, topics
from adapters.kafka.connecting import Cluster, KafkaAway, talking
from adapters.postgres.database import Database
from adapters.settings import read_settings
from adapters.wiring import Engine

Given = dict[str, str]


@pytest.fixture
def given(broker: Broker) -> Given:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.safe,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": PASSWORD,
        "KAFKA_SSL_CA": str(broker.ca),
    }


@pytest.fixture
def name() -> str:
    return fresh_topic("actions")


@pytest.fixture
def engine(database_url: str, given: Given, name: str) -> Iterator[Engine]:
    more = {
        "DEALTRAIL_EVENTS_TOPIC": f"{name}.events",
        "DEALTRAIL_CHECKPOINTS_TOPIC": f"{name}.checkpoints",
    }
    with engine_on(database_url, name=name, kafka="", **given, **more) as made:
        found(made)
        yield made


def test_all_that_uses_kafka_is_let_in(engine: Engine, broker: Broker, name: str) -> None:
    topics.ensure(engine.kafka, name, 3, topics.ACTIONS)
    send(broker.bootstrap, name, *[(b"L-1", encoded(one)) for one in story("L-1")], (b"L-1", b"rubbish"))
    engine.actions_topic.catch_up()
    assert len(records(broker.bootstrap, f"{name}.dead")) == 1
    assert engine.dead_letters.redrive() == 1
    engine.events_topic.catch_up()
    head = engine.store.head()
    assert len(records(broker.bootstrap, f"{name}.events")) == head == engine.events_topic.position()
    read_by_a_worker(engine, head)
    engine.seal(Keys((new_signer("example.com/deals"),)))
    assert engine.checkpoint_topic is not None
    assert len(engine.checkpoint_topic.copies(["example.com/deals"])) == 1


def read_by_a_worker(engine: Engine, head: int) -> None:
    reader, stop = engine.events_reader, threading.Event()
    thread = threading.Thread(target=reader.follow, args=(stop,))
    thread.start()
    try:
        give_up_at = time.monotonic() + 30
        while reader.read < head:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join()


def test_by_plain_and_with_a_certificate_of_our_own(broker: Broker, given: Given, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    own = {"KAFKA_SSL_CERTIFICATE": str(certificate), "KAFKA_SSL_KEY": str(key)}
    certificate.write_bytes(broker.ca.read_bytes())
    key.write_bytes(broker.key)
    assert topics.ensure(cluster(given, KAFKA_SASL_MECHANISM="PLAIN", **own), fresh_topic("own"), 1, {})
    for file, content in zip((certificate, key), self_signed("127.0.0.1"), strict=True):
        file.write_bytes(content)
    with pytest.raises(KafkaAway, match="certificate"):
        away(cluster(given, **own))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"KAFKA_SASL_PASSWORD": "wrong"}, "invalid credentials|user or password"),
        ({"KAFKA_SASL_PASSWORD": "wrong", "KAFKA_SASL_MECHANISM": "PLAIN"}, "or password"),
        ({"KAFKA_SSL_CA": ""}, "certificate verify failed"),
        ({"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "wants another KAFKA_SECURITY_PROTOCOL"),
    ],
)
def test_whoever_is_not_let_in_hears_why(
    given: Given, wrong: Given, told: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connecting._heard, "_until", 0.0)
    monkeypatch.setattr(connecting, "PATIENCE_SECONDS", 2)
    if "KAFKA_SECURITY_PROTOCOL" in wrong:
        given = {"KAFKA_BOOTSTRAP_SERVERS": given["KAFKA_BOOTSTRAP_SERVERS"]}
    with pytest.raises(KafkaAway, match=told) as refused:
        away(cluster(given, **wrong))
    assert PASSWORD not in f"{refused.value}{caplog.text}"
    assert "wrong" not in f"{refused.value}{caplog.text}"
    assert caplog.text == ""


def test_what_the_client_tells_its_log_alone_is_in_the_error(caplog: pytest.LogCaptureFixture) -> None:
    def losing() -> None:
        for lost in (
            SaslAuthenticationFailedError("Invalid username or password"),
            KafkaConnectionError("socket disconnected"),
        ):
            logging.getLogger("kafka.net.connection").error("%s: Connection lost: %s", "it", lost)
        raise KafkaTimeoutError("Unable to bootstrap")

    told = "^It doesn't go: Unable to bootstrap: Invalid username or password$"
    with pytest.raises(KafkaAway, match=told), talking("It doesn't go"):
        losing()
    assert caplog.text == ""


def test_a_password_is_in_no_repr(given: Given) -> None:
    settings = read_settings(given)
    assert PASSWORD not in f"{settings!r}{cluster(given)!r}"
    assert USER in repr(settings)


def cluster(given: Given, **more: str) -> Cluster:
    return Engine(read_settings({**given, **more}), cast(Database, None)).kafka


def away(cluster: Cluster) -> None:
    with talking("It doesn't go"):
        topics.ensure(cluster, fresh_topic("refused"), 1, {})
