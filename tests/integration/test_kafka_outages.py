"""What those that read and write Kafka say while it or the database is away, once each time, and after it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka_actions import action, encoded, engine_on, found, story
from kafka_broker import Broker
from kafka_records import actions_topic, fresh_topic, send
from psycopg import OperationalError

from adapters.kafka import connecting, ingest, looking, projecting, publishing, topics
from adapters.kafka.connecting import Cluster, KafkaAway
from adapters.observing.metrics import Metrics, measuring
from adapters.outage import Outage
from adapters.wiring import Engine
from services.intake import Submission


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(looking, "ANSWER_SECONDS_MAX", 1.0)
    monkeypatch.setattr(connecting, "PATIENCE_SECONDS", 2)
    monkeypatch.setattr(publishing, "ACKNOWLEDGED_SECONDS_MAX", 1)
    for module in (ingest, projecting):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.1)


@pytest.fixture
def name(kafka: str) -> str:
    return actions_topic(kafka)


@pytest.fixture
def engine(database_url: str, kafka: str, name: str) -> Iterator[Engine]:
    with engine_on(database_url, kafka, name, DEALTRAIL_EVENTS_TOPIC=f"{name}.events") as made:
        found(made)
        yield made


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the log lines that are warnings."""
    lines: list[str] = []

    class Noting:
        def warning(self, event: str, **facts: Any) -> None:
            lines.append(event)

        def info(self, event: str, **facts: Any) -> None:
            """Not noted."""

    for module in (ingest, projecting, publishing):
        monkeypatch.setattr(module, "_logger", Noting())
    return lines


@contextmanager
def following(*follows: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=follow, args=(stop,)) for follow in follows]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until(true: Callable[[], bool], what: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up_at, what()
        time.sleep(0.05)


def lags(metrics: Metrics) -> dict[str, float]:
    family = next(each for each in metrics.registry.collect() if each.name == "dealtrail_ingest_lag_actions")
    return {sample.labels["partition"]: sample.value for sample in family.samples}


AWAY = ["actions_not_taken_in", "events_not_projected", "events_not_published"]
AGAIN = ["actions_taken_in_again", "events_projected_again", "events_published_again"]


def test_each_outage_of_kafka_is_said_and_so_is_its_end(
    engine: Engine, broker: Broker, name: str, said: list[str]
) -> None:
    parts = engine.actions_topic, engine.events_reader, engine.events_topic
    head = engine.store.head()
    with measuring(engine.database) as metrics, following(*(each.follow for each in parts)):
        until(lambda: parts[1].read == head and len(lags(metrics)) == 3, lambda: (parts[1].read, said))
        for number in range(2):
            said.clear()
            broker.freeze()
            hire = action(f"hire-{number}", "rep.hire", f"new-{number}", "admin:ada", name="Eve")
            engine.intake().submit([Submission(hire)])
            until(lambda: {*AWAY} <= {*said}, lambda: said)
            assert lags(metrics) == {}
            assert not {*AGAIN} & {*said}
            broker.thaw()
            until(lambda: {*AGAIN} <= {*said}, lambda: said)
            assert all(said.count(each) == 1 for each in AGAIN), said
    assert parts[2].published >= head + 2


def test_the_lag_is_what_is_not_taken_in(
    engine: Engine, kafka: str, name: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ends of transactions are none of it, and a database that is away takes in nothing."""
    with closing(KafkaProducer(bootstrap_servers=kafka, transactional_id=name)) as producer:
        producer.init_transactions()
        for end in ("commit", "abort"):
            producer.begin_transaction()
            producer.send(name, encoded(story("L-1")[0]), b"L-1", partition=0).get(30)
            getattr(producer, f"{end}_transaction")()
    topic = engine.actions_topic
    with measuring(engine.database) as metrics:
        with following(topic.follow):
            until(lambda: lags(metrics) == {"0": 0, "1": 0, "2": 0}, lambda: lags(metrics))
            assert topic.counts["accepted"] == 1
            with monkeypatch.context() as patched:
                patched.setattr(ingest.ActionsTopic, "_submit", away)
                send(kafka, name, *[(b"L-2", encoded(one)) for one in story("L-2")], partition=1)
                until(lambda: lags(metrics).get("1") == 5, lambda: lags(metrics))
                time.sleep(0.5)
                assert said == ["actions_not_taken_in"]
            until(lambda: lags(metrics) == {"0": 0, "1": 0, "2": 0}, lambda: lags(metrics))
            until(lambda: said == ["actions_not_taken_in", "actions_taken_in_again"], lambda: said)
        assert lags(metrics) == {}


def away(*_: object) -> None:
    raise OperationalError("the disk is full")


def test_whoever_is_given_no_partition_says_so(
    database_url: str, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one partition: the first by its name has it."""
    monkeypatch.setattr(ingest, "GIVEN_SECONDS_MAX", 3)
    topic = fresh_topic("single")
    topics.ensure(Cluster(kafka), topic, 1, topics.ACTIONS)
    how = {"bootstrap_servers": kafka, "group_id": topic, "client_id": "a"}

    def polling(stop: threading.Event) -> None:
        while not stop.is_set():
            other.poll(timeout_ms=100)

    with (
        engine_on(database_url, kafka, topic) as engine,
        closing(KafkaConsumer(topic, **how)) as other,
        following(polling),
        pytest.raises(KafkaAway, match=f"No partition of {topic} was given .* within 3 seconds"),
    ):
        engine.actions_topic.catch_up()


def test_reasons_are_told_once_an_outage() -> None:
    outage = Outage()
    assert not outage.ends()
    assert [outage.is_news(why) for why in ("refused", "timed out", "refused")] == [True, True, False]
    assert [outage.ends(), outage.ends(), outage.is_news("refused")] == [True, False, True]
